#include "answer_reader.hpp"

#include <algorithm>
#include <cstring>

namespace candor {

void AnswerReader::begin() {
  block_ = blocks_.take();
  base_ = begin_ = end_ = handed_out_ = passed_ = 0;
  scan_ = {};
  complete_ = false;
}

Moved AnswerReader::read_more() {
  auto const moved = socket_.read(block_->bytes.data() + end_, Block::size - end_);
  if (moved.state == Moved::State::some) end_ += moved.bytes;
  return moved;
}

http::Parsed AnswerReader::parse_head(http::HeadLimits const& limits, http::Method request,
                                      http::ResponseHead& out) {
  return http::parse_response_head({block_->bytes.data(), end_}, scan_, limits, request, out);
}

void AnswerReader::pass_over(std::size_t length) {
  passed_ += length;
  end_ -= length;
  std::memmove(block_->bytes.data(), block_->bytes.data() + length, end_);
  scan_ = {};
}

void AnswerReader::begin_body(http::Framing framing, std::size_t head_length) {
  base_ = begin_ = handed_out_ = head_length;
  framing_ = framing;
  left_ = framing.kind == http::Framing::Kind::length ? framing.length : 0;
  decoder_ = {};  // and with it the trailers of the answer before, whatever this one's framing is
}

Result<http::Piece> AnswerReader::ended() {
  complete_ = true;
  return http::Piece{.bytes = {}, .last = true};
}

std::optional<Result<http::Piece>> AnswerReader::chunked_piece() {
  while (begin_ < end_) {
    auto const step = decoder_.step({block_->bytes.data() + begin_, end_ - begin_});
    if (!step.error.empty()) return Failure{FailureKind::protocol, step.error};
    begin_ += step.consumed;
    if (!step.content.empty()) {
      handed_out_ =
          static_cast<std::size_t>(step.content.data() + step.content.size() - block_->bytes.data());
    }
    if (step.end) {
      complete_ = true;
      return http::Piece{step.content, true};
    }
    if (!step.content.empty()) return http::Piece{step.content, false};
  }
  return std::nullopt;
}

std::optional<Result<http::Piece>> AnswerReader::buffered_piece() {
  std::size_t const there = end_ - begin_;
  switch (framing_.kind) {
    case http::Framing::Kind::none: return ended();
    case http::Framing::Kind::length: {
      if (left_ == 0) return ended();
      if (there == 0) return std::nullopt;
      auto const size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, there));
      http::Piece const piece{{block_->bytes.data() + begin_, size}, size == left_};
      begin_ += size;
      handed_out_ = begin_;
      left_ -= size;
      complete_ = piece.last;
      return piece;
    }
    case http::Framing::Kind::chunked: return chunked_piece();
    case http::Framing::Kind::until_close:
      if (there == 0) return std::nullopt;
      begin_ = handed_out_ = end_;
      return http::Piece{{block_->bytes.data() + end_ - there, there}, false};
  }
  return std::nullopt;
}

Result<http::Piece> AnswerReader::broke_off() const {
  bool const announced = framing_.kind == http::Framing::Kind::length;
  return Failure{announced ? FailureKind::truncated : FailureKind::reset};
}

std::optional<Result<http::Piece>> AnswerReader::try_next() {
  for (;;) {
    if (auto piece = buffered_piece()) return piece;
    // All of it has been looked at. What was framing makes room: only content stays in its place.
    begin_ = end_ = handed_out_;
    if (is_full()) return std::nullopt;
    auto const moved = read_more();
    switch (moved.state) {
      case Moved::State::some: break;
      case Moved::State::blocked: return std::nullopt;
      case Moved::State::end:
        if (framing_.kind == http::Framing::Kind::until_close) return ended();
        return broke_off();
      case Moved::State::broken: return broke_off();
    }
  }
}

void AnswerReader::discard() {
  if (begin_ == end_) begin_ = end_ = base_;
  handed_out_ = base_;
}

}  // namespace candor
