#include "candor/http/replay_body.hpp"

#include <cassert>

namespace candor::http {

namespace {

constexpr Piece nothing_more{.bytes = {}, .last = true};

Failure body_broken() { return {CallerBodyBroken{}, "the caller's body broke off"}; }

}  // namespace

void ReplayBody::rewind() {
  assert(replayable_ && reader_ == nullptr);
  position_ = 0;
}

/// What can be said without asking the source.
std::optional<Result<Piece>> ReplayBody::known() {
  if (position_ < kept_.size()) return kept_[position_++];
  if (complete()) return nothing_more;
  if (broken_) return body_broken();
  return std::nullopt;
}

std::optional<Result<Piece>> ReplayBody::try_next() {
  if (auto piece = known()) return piece;
  auto piece = source_->try_next();
  if (!piece) return std::nullopt;
  broken_ = piece->has_error();
  return record(*piece);
}

Task<Result<Piece>> ReplayBody::next(CancelScope& scope) {
  if (auto piece = known()) co_return *piece;
  auto piece = co_await source_->next(scope);
  // A wait that was cut short says nothing about the body: the next attempt goes on waiting.
  bool const cut_short = piece.has_error() && scope.cancelled() && piece.error().get<CancelReason>();
  broken_ = piece.has_error() && !cut_short;
  co_return record(piece);
}

void ReplayBody::sent() {
  if (replayable_ || empty()) return;
  source_->discard();
  kept_.clear();
  position_ = 0;
}

Result<Piece> ReplayBody::record(Result<Piece> piece) {
  if (!piece) return piece;
  bytes_ += piece->bytes.size();
  complete_ = piece->last;
  if (bytes_ > limit_.count) replayable_ = false;
  keep(*piece);
  return piece;
}

/// Pieces that lie next to each other are kept as one: a caller that sends byte by byte costs no more memory
/// than its bytes.
void ReplayBody::keep(Piece piece) {
  Piece* const before = kept_.empty() ? nullptr : &kept_.back();
  if (before != nullptr && before->bytes.data() + before->bytes.size() == piece.bytes.data()) {
    *before = {{before->bytes.data(), before->bytes.size() + piece.bytes.size()}, piece.last};
  } else {
    kept_.push_back(piece);
  }
  position_ = kept_.size();
}

}  // namespace candor::http
