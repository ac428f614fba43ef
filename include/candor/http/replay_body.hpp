// A request's body, kept while it passes, so that another attempt can send it again. One worker's.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "candor/core/bytes.hpp"
#include "candor/http/body.hpp"
#include "candor/http/head.hpp"

namespace candor::http {

/// Reads the caller's body once and hands it to each attempt from the start, for as long as what has passed
/// fits the limit; above it the body only streams, and is not replayable. Nothing is copied: the source keeps
/// the bytes in place until they are discarded. One attempt reads at a time: the one before has left when the
/// next one begins.
class ReplayBody {
 public:
  /// Who reads it, until it leaves or goes. `body` must outlive it.
  class Reader {
   public:
    explicit Reader(ReplayBody& body) : body_(body) {
      assert(body_.reader_ == nullptr);
      body_.reader_ = this;
    }
    Reader(Reader const&) = delete;
    Reader& operator=(Reader const&) = delete;
    ~Reader() { leave(); }

    /// It has got all of it.
    void leave() {
      if (body_.reader_ == this) body_.reader_ = nullptr;
    }

   private:
    ReplayBody& body_;
  };

  /// No body.
  ReplayBody() = default;
  /// `source` must outlive it.
  ReplayBody(BodySource& source, Framing framing, Bytes limit)
      : source_(&source), framing_(framing), limit_(limit) {}

  [[nodiscard]] Framing framing() const { return framing_; }
  [[nodiscard]] bool empty() const { return source_ == nullptr; }
  /// Every byte that passed is still here.
  [[nodiscard]] bool replayable() const { return replayable_; }
  /// The caller's body is in whole.
  [[nodiscard]] bool complete() const { return empty() || complete_; }
  /// The caller's body is in whole, and whoever reads it has got all of it.
  [[nodiscard]] bool read_whole() const { return complete() && position_ == kept_.size(); }
  /// The caller's body broke off, or could not be read.
  [[nodiscard]] bool broken() const { return broken_; }
  /// Content bytes read from the caller so far.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

  /// Starts from the beginning, for a new attempt; only while replayable, or before the first byte, and when
  /// nobody reads.
  void rewind();

  /// As of a BodySource.
  std::optional<Result<Piece>> try_next();
  Task<Result<Piece>> next(CancelScope& scope);
  /// As of a BodySource: nobody has had a byte of it, and its sender waits.
  [[nodiscard]] bool waits_for_go_ahead() const {
    return source_ && kept_.empty() && replayable_ && source_->waits_for_go_ahead();
  }
  void go_ahead() { source_->go_ahead(); }
  /// The attempt has sent what it was handed: a body over the limit frees it, one below keeps it.
  void sent();

  [[nodiscard]] std::string_view trailers() const {
    return source_ ? source_->trailers() : std::string_view{};
  }

 private:
  std::optional<Result<Piece>> known();
  Result<Piece> record(Result<Piece> piece);
  void keep(Piece piece);

  BodySource* source_ = nullptr;
  Reader const* reader_ = nullptr;
  Framing framing_{};
  Bytes limit_{};
  std::vector<Piece> kept_;
  std::size_t position_ = 0;  // the next kept piece to hand out
  std::uint64_t bytes_ = 0;
  bool replayable_ = true;
  bool complete_ = false;
  bool broken_ = false;
};

}  // namespace candor::http
