// Bodies as streams of pieces. One worker's.
#pragma once

#include <optional>
#include <string_view>

#include "candor/core/cancellation.hpp"
#include "candor/core/failure.hpp"
#include "candor/core/task.hpp"

namespace candor::http {

/// Some bytes of a body. Empty and last: the end came alone.
struct Piece {
  std::string_view bytes;
  bool last = false;
};

/// Where a body comes from: content only, with the framing taken off. After `last`, or a failure, it is not
/// asked again; but a wait that its scope cut short is no failure of the body, and may be taken up again.
class BodySource {
 public:
  virtual ~BodySource() = default;

  /// What there is without waiting; nothing when next() would wait.
  virtual std::optional<Result<Piece>> try_next() = 0;

  /// The next piece; waits for at least one byte or the end.
  virtual Task<Result<Piece>> next(CancelScope& scope) = 0;

  /// Says that the pieces handed out so far are not needed any more. Until then their bytes stay in place.
  virtual void discard() = 0;

  /// Whether the sender holds it back until it is told to go on (RFC 9110, 10.1.1). Asking for a piece waits
  /// for what it may send all the same.
  [[nodiscard]] virtual bool waits_for_go_ahead() const { return false; }
  virtual void go_ahead() {}

  /// Trailer fields, as lines with CRLF, hop-by-hop and framing fields already dropped; after the last piece.
  [[nodiscard]] virtual std::string_view trailers() const { return {}; }
};

}  // namespace candor::http
