#include "request_body.hpp"

#include <algorithm>
#include <cstring>

#include "gather.hpp"

namespace candor {

namespace {

/// Chunks below this size are moved together; a chunk's head is never worth a move of more.
constexpr std::size_t small_chunk = 4096;

/// Room for less than that is left unused.
constexpr std::size_t worth_a_read = 4096;

}  // namespace

RequestBody::RequestBody(Parts parts, http::Framing framing, Block& first, std::size_t begin, std::size_t end)
    : parts_(parts),
      framing_(framing),
      first_(first),
      first_floor_(begin),
      packed_end_(begin),
      begin_(begin),
      end_(end),
      left_(framing.length) {
  // Who sends it along doesn't wait.
  if (begin < end) parts_.expects_continue = false;
}

char* RequestBody::bytes() const {
  return extra_.empty() ? first_.bytes.data() : extra_.back()->bytes.data();
}

Failure RequestBody::reject(std::uint16_t status, std::string_view why) {
  rejection_ = status;
  failed_ = Failure{CallerBodyBroken{.late = status == 408}, why};
  return *failed_;
}

Failure RequestBody::broke_off() {
  failed_ = Failure{CallerBodyBroken{}, "the caller's body broke off"};
  return *failed_;
}

/// Moves the content of small chunks together, so that what is kept costs no more than its bytes.
std::string_view RequestBody::packed(std::string_view content) {
  if (content.empty()) return {};
  char* const to = bytes() + packed_end_;
  if (content.size() < small_chunk && content.data() > to) {
    std::memmove(to, content.data(), content.size());
    content = {to, content.size()};
  }
  packed_end_ = static_cast<std::size_t>(content.data() + content.size() - bytes());
  return content;
}

std::optional<Result<http::Piece>> RequestBody::chunked_piece() {
  while (begin_ < end_) {
    auto const step = decoder_.step({bytes() + begin_, end_ - begin_});
    if (!step.error.empty()) return reject(400, step.error);
    begin_ += step.consumed;
    complete_ = step.end;
    content_ += step.content.size();
    if (parts_.limit && content_ > parts_.limit->count) return reject(413, "the body is larger than allowed");
    if (step.end || !step.content.empty()) return http::Piece{packed(step.content), step.end};
  }
  return std::nullopt;
}

std::optional<Result<http::Piece>> RequestBody::buffered_piece() {
  auto const from = begin_;
  if (framing_.kind == http::Framing::Kind::chunked) return chunked_piece();
  if (framing_.kind == http::Framing::Kind::until_close) {
    if (begin_ == end_) return std::nullopt;
    begin_ = packed_end_ = end_;
    return http::Piece{{bytes() + from, end_ - from}};
  }
  auto const size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, end_ - begin_));
  if (size == 0 && left_ > 0) return std::nullopt;
  http::Piece const piece{{bytes() + begin_, size}, size == left_};
  begin_ += size;
  left_ -= size;
  packed_end_ = begin_;
  complete_ = piece.last;
  return piece;
}

/// Everything that came has been looked at.
void RequestBody::make_room() {
  begin_ = end_ = packed_end_;
  // Behind a head that ends so late a body would come in a few bytes at a time, over and over.
  bool const late = extra_.empty() && Block::size - first_floor_ < worth_a_read;
  if (end_ < Block::size && !late) return;
  extra_.push_back(parts_.blocks.take());
  begin_ = end_ = packed_end_ = 0;
}

void RequestBody::go_ahead() {
  if (!parts_.expects_continue) return;
  parts_.expects_continue = false;
  parts_.out.copy("HTTP/1.1 100 Continue\r\n\r\n");
  // Should the caller not even have room for this line, it goes on without it after a while (RFC
  // 9110, 10.1.1); what is left of it goes ahead of the answer.
  [[maybe_unused]] auto const end = try_write_all(parts_.socket, parts_.out);
}

std::optional<Result<http::Piece>> RequestBody::try_next() {
  if (failed_) return *failed_;
  for (;;) {
    if (auto piece = buffered_piece()) return piece;
    make_room();
    auto const moved = parts_.socket.read(bytes() + end_, Block::size - end_);
    switch (moved.state) {
      case Moved::State::some:
        end_ += moved.bytes;
        parts_.expects_continue = false;
        break;
      case Moved::State::blocked: return std::nullopt;
      case Moved::State::end:
        if (framing_.kind != http::Framing::Kind::until_close) return broke_off();
        complete_ = true;
        return http::Piece{.bytes = {}, .last = true};
      case Moved::State::broken: return broke_off();
    }
  }
}

/// How long the next bytes may take: what came buys the time that it would have taken at the lowest rate.
std::optional<Duration> RequestBody::patience() const {
  // A caller that has been told to wait is not slow.
  if (!parts_.rate || parts_.expects_continue) return parts_.idle;
  bool const counted = framing_.kind == http::Framing::Kind::length;
  auto const received = counted ? framing_.length - left_ : content_;
  constexpr double enough = 1e9;
  std::chrono::duration<double> const bought{
      std::min(static_cast<double>(received) / static_cast<double>(parts_.rate->count), enough)};
  auto const left = parts_.grace + std::chrono::duration_cast<Duration>(bought) - waited_;
  return std::clamp(left, Duration{}, parts_.idle.value_or(left));
}

Task<Result<http::Piece>> RequestBody::next(CancelScope& scope) {
  for (;;) {
    if (auto piece = try_next()) co_return *piece;
    auto const began = parts_.scheduler.now();
    bool const held_back = parts_.expects_continue;
    auto const end = co_await parts_.socket.until_readable(scope, after(parts_.scheduler, patience()));
    if (!held_back) waited_ += parts_.scheduler.now() - began;
    switch (end) {
      case WaitEnd::ready: break;
      case WaitEnd::timed_out: co_return reject(408, "the body came too slowly");
      case WaitEnd::cancelled: co_return Failure{*scope.reason()};
    }
  }
}

void RequestBody::discard() {
  if (begin_ == end_) {
    extra_.clear();
    begin_ = end_ = packed_end_ = first_floor_;
    return;
  }
  // What is unread lies in the last block.
  if (extra_.size() > 1) extra_.erase(extra_.begin(), extra_.end() - 1);
  packed_end_ = floor();
}

bool RequestBody::rest_is_short() const {
  if (complete_) return true;
  if (failed_ || parts_.expects_continue) return false;
  return framing_.kind == http::Framing::Kind::length && left_ <= short_rest;
}

Task<bool> RequestBody::skip_rest(CancelScope& scope, Instant until) {
  std::uint64_t skipped = 0;
  while (!complete_) {
    discard();
    auto const piece = try_next();
    if (!piece) {
      auto const end = co_await parts_.socket.until_readable(scope, until);
      if (end != WaitEnd::ready) co_return false;
      continue;
    }
    if (!*piece) co_return false;
    skipped += (*piece)->bytes.size();
    if (skipped > short_rest) co_return false;
  }
  co_return true;
}

}  // namespace candor
