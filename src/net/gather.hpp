// Bytes on their way out: what is ours, copied, and what passes, referred to, in one write. One worker's.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "candor/core/cancellation.hpp"
#include "candor/core/task.hpp"
#include "candor/core/time.hpp"
#include "candor/http/body.hpp"
#include "candor/http/head.hpp"
#include "candor/net/socket.hpp"

namespace candor {

class Gather {
 public:
  /// Where bytes of ours are appended: `close_own()` makes a part of them.
  [[nodiscard]] std::string& own() { return own_; }
  void close_own();

  /// Bytes that stay in place until they are written. A few are copied all the same: a write of one part is
  /// cheaper.
  void refer(std::string_view bytes);
  /// A few bytes, copied.
  void copy(std::string_view bytes) {
    own_.append(bytes);
    close_own();
  }

  [[nodiscard]] bool empty() const { return parts_.size() == written_parts_; }
  /// Time to write: further parts would not fit into one call.
  [[nodiscard]] bool full() const { return parts_.size() - written_parts_ + parts_a_piece > most_parts; }
  void clear();

  /// Bytes that have left through here, in all.
  [[nodiscard]] std::uint64_t written() const { return written_; }

  /// One write of what there is; what was taken is gone from here.
  [[nodiscard]] Moved write_to(Socket& socket);

 private:
  static constexpr std::size_t cheap_to_copy = 2048;
  static constexpr std::size_t kept_at_rest = 4096;  // bytes: of most heads
  static constexpr std::size_t most_parts = 64;
  static constexpr std::size_t parts_a_piece = 3;

  struct Part {
    char const* outside;  // absent: in own_, which moves while it grows
    std::size_t at;
    std::size_t size;
  };

  void took(std::size_t bytes);

  std::string own_;
  std::size_t own_closed_ = 0;
  std::vector<Part> parts_;
  std::size_t written_parts_ = 0;
  std::uint64_t written_ = 0;
};

/// Appends a piece of the body of a message whose head has these fields: as it is, or as a chunk, with the
/// last chunk and those of its trailers that pass behind the last one.
void append_piece(Gather& gather, http::Piece piece, bool chunked, std::string_view trailers,
                  http::Fields const& head);

/// How a write of everything ended.
enum class WriteEnd : std::uint8_t {
  done,
  broken,     ///< the peer is gone
  timed_out,  ///< it took no byte for too long
  cancelled,
};

/// Writes what there is without waiting: done or broken; nothing if the rest has to wait.
[[nodiscard]] std::optional<WriteEnd> try_write_all(Socket& socket, Gather& gather);

/// When a bound that begins now is over; nothing: there is none.
[[nodiscard]] inline std::optional<Instant> after(Scheduler const& scheduler, std::optional<Duration> bound) {
  return bound ? std::optional<Instant>{scheduler.now() + *bound} : std::nullopt;
}

/// Writes all of it; `idle` bounds each wait.
[[nodiscard]] Task<WriteEnd> write_all(Socket& socket, Gather& gather, CancelScope& scope,
                                       Scheduler& scheduler, std::optional<Duration> idle);

}  // namespace candor
