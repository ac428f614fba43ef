#include "head_reader.hpp"

#include <cstring>
#include <utility>

#include "candor/net/proxy_protocol.hpp"

namespace candor {

namespace {

/// A caller whose connection has nothing under way when a drain begins has this long for a request that may
/// be on its way; its answer closes the connection.
constexpr Duration grace = 250ms;

}  // namespace

Task<bool> HeadReader::wait_for_first_byte(Instant until) {
  auto& socket = parts_.socket;
  auto end = co_await socket.until_readable(parts_.drain, until);
  if (end == WaitEnd::cancelled && !parts_.life.cancelled()) {
    auto const now = parts_.scheduler.now();
    if (!grace_until_) grace_until_ = now + grace;
    // Once, whatever empty lines come meanwhile.
    if (now >= *grace_until_) co_return false;
    end = co_await socket.until_readable(parts_.life, *grace_until_);
  }
  if (end != WaitEnd::ready) co_return false;
  block_ = parts_.blocks.take();
  begin_ = end_ = 0;
  co_return true;
}

Moved HeadReader::read_more() {
  auto const moved = parts_.socket.read(block_->bytes.data() + end_, Block::size - end_);
  if (moved.state == Moved::State::some) end_ += moved.bytes;
  return moved;
}

/// Whoever hands the connection on says first who its caller is. Nobody else may speak here.
Task<HeadReader::End> HeadReader::read_introduction(std::string& source) {
  bool const came = co_await wait_for_first_byte(parts_.scheduler.now() + parts_.limits.idle);
  if (!came) co_return Closed{};
  auto const until = parts_.scheduler.now() + parts_.limits.head_timeout;
  for (;;) {
    auto parsed = proxy_protocol::parse(unread());
    if (auto* header = std::get_if<proxy_protocol::Header>(&parsed)) {
      begin_ += header->length;
      source = std::move(header->source);
      co_return Whole{};
    }
    if (std::holds_alternative<proxy_protocol::Malformed>(parsed)) {
      co_return http::Malformed{400, "no PROXY protocol header"};
    }
    auto const moved = read_more();
    if (moved.state == Moved::State::some) continue;
    if (moved.state != Moved::State::blocked) co_return Closed{};
    auto const end = co_await parts_.socket.until_readable(parts_.life, until);
    if (end != WaitEnd::ready) co_return Closed{};
  }
}

/// Whether nothing of a request has come yet. Empty lines before one mean nothing (RFC 9112, 2.2): some
/// callers send one behind each body.
bool HeadReader::is_all_empty_lines() const { return scan_.lines == 0 && scan_.line_start == end_ - begin_; }

void HeadReader::rest() {
  scan_ = {};
  begin_ = end_;
  block_.reset();
}

Task<HeadReader::End> HeadReader::read_head(http::RequestHead& out) {
  auto& limits = parts_.limits;
  auto const idle_until = parts_.scheduler.now() + limits.idle;
  std::optional<Instant> until;
  scan_ = {};
  if (block_ && used_up()) rest();
  for (;;) {
    if (!block_) {
      bool const came = co_await wait_for_first_byte(idle_until);
      if (!came) co_return Closed{};
    }
    if (!used_up()) {
      auto const parsed =
          http::parse_request_head(unread(), scan_, {limits.head, limits.target, limits.fields}, out);
      if (auto const* malformed = std::get_if<http::Malformed>(&parsed)) co_return *malformed;
      if (auto const* whole = std::get_if<http::Complete>(&parsed)) {
        begin_ += whole->length;
        co_return Whole{};
      }
    }
    if (end_ == Block::size) take_back(unread());
    auto const moved = read_more();
    switch (moved.state) {
      case Moved::State::some: break;
      case Moved::State::end:
      case Moved::State::broken: co_return Closed{};
      case Moved::State::blocked: {
        if (is_all_empty_lines()) {
          until.reset();
          rest();
          break;
        }
        if (!until) until = parts_.scheduler.now() + limits.head_timeout;
        auto const end = co_await parts_.socket.until_readable(parts_.life, until);
        if (end == WaitEnd::timed_out) co_return TooSlow{};
        if (end == WaitEnd::cancelled) co_return Closed{};
        break;
      }
    }
  }
}

void HeadReader::take_back(std::string_view rest) {
  std::memmove(block_->bytes.data(), rest.data(), rest.size());
  begin_ = 0;
  end_ = rest.size();
}

Task<void> HeadReader::linger() {
  if (!block_) block_ = parts_.blocks.take();
  auto const until = parts_.scheduler.now() + linger_for;
  constexpr unsigned most_reads = 64;
  for (unsigned reads = 0; reads < most_reads; ++reads) {
    auto const moved = parts_.socket.read(block_->bytes.data(), Block::size);
    if (moved.state == Moved::State::end || moved.state == Moved::State::broken) co_return;
    if (moved.state == Moved::State::some) continue;
    auto const end = co_await parts_.socket.until_readable(parts_.life, until);
    if (end != WaitEnd::ready) co_return;
  }
}

}  // namespace candor
