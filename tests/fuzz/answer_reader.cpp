// Any bytes as an answer's body, behind a head that leaves much or hardly any room: however they come and
// whenever they are discarded, the reader goes on to their end, and gives what an independent reading gives.
#include "../../src/net/answer_reader.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "candor/net/reactor.hpp"
#include "fuzz.hpp"

namespace candor::fuzz {

namespace {

/// What the first bytes of an input say; the others are the body.
struct Terms {
  http::Framing framing{};
  std::size_t room = 1;      ///< that the head leaves in the block
  bool hasty = false;        ///< each piece is discarded at once, not only when no other is there
  std::uint64_t chance = 1;  ///< where it is cut

  static constexpr std::size_t size = 6;

  explicit Terms(std::string_view text) {
    auto const byte = [text](std::size_t at) { return std::size_t{static_cast<unsigned char>(text[at])}; };
    constexpr std::size_t kinds = 3;
    switch (byte(0) % kinds) {
      case 0: framing = {http::Framing::Kind::chunked, 0}; break;
      case 1: framing = {http::Framing::Kind::length, byte(4) << 8U | byte(5)}; break;
      default: framing = {http::Framing::Kind::until_close, 0}; break;
    }
    hasty = byte(0) / kinds % 2 == 1;
    room = 1 + ((byte(1) << 8U | byte(2)) * 17) % (Block::size - 1);
    chance = 1 + byte(3);
  }

  std::size_t next_size() {
    chance = chance * 6364136223846793005U + 1442695040888963407U;
    constexpr std::size_t most = 700;
    return static_cast<std::size_t>(1 + (chance >> 33U) % most);
  }
};

struct Body {
  std::string content{};
  std::string trailers{};
  bool whole = false;
};

Body expected(http::Framing framing, std::string_view input) {
  Body body;
  switch (framing.kind) {
    case http::Framing::Kind::none: body.whole = true; break;
    case http::Framing::Kind::until_close: body = {std::string(input), {}, true}; break;
    case http::Framing::Kind::length:
      body.content = input.substr(0, framing.length);
      body.whole = body.content.size() == framing.length;
      break;
    case http::Framing::Kind::chunked: {
      http::ChunkedDecoder decoder;
      http::ChunkedDecoder::Step step;
      while (!input.empty() && !step.end && step.error.empty()) {
        step = decoder.step(input);
        body.content += step.content;
        input.remove_prefix(step.consumed);
      }
      body.whole = step.end;
      body.trailers = decoder.trailers();
      break;
    }
  }
  return body;
}

/// Plays the endpoint, and reads its answer as a connection does.
class Course {
 public:
  Course(Terms terms, std::string_view input) : terms_(terms), left_(input), socket_(reactor_) {
    std::array<int, 2> ends{};
    require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) == 0,
            "a connection");
    require(socket_.adopt(Descriptor{ends[0]}), "a connection that is watched");
    endpoint_ = Descriptor{ends[1]};
  }

  Body read() {
    SideTask const reading{read_on()};
    reactor_.run();
    require(reading.done(), "it comes to an end");
    return std::move(body_);
  }

 private:
  void send(std::string_view bytes) {
    auto const sent = ::send(endpoint_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    require(sent == static_cast<ssize_t>(bytes.size()), "the kernel has room");
  }

  void send_next() {
    auto const size = std::min(left_.size(), terms_.next_size());
    if (size == 0) ::shutdown(endpoint_.get(), SHUT_WR);
    if (size > 0) send(left_.substr(0, size));
    left_.remove_prefix(size);
  }

  /// What was handed out must have stayed as it was until now.
  void discard() {
    for (auto const piece : pieces_) body_.content += piece;
    pieces_.clear();
    reader_.discard();
  }

  Task<void> read_head() {
    std::string const head(Block::size - terms_.room, 'h');
    send(head);
    for (std::size_t there = 0; there < head.size();) {
      auto const moved = reader_.read_more();
      there += moved.bytes;
      if (moved.state == Moved::State::blocked) co_await socket_.until_readable(scope_);
    }
    reader_.begin_body(terms_.framing, head.size());
  }

  Task<void> read_on() {
    reader_.begin();
    co_await read_head();
    bool goes_on = true;
    while (goes_on) {
      auto const piece = reader_.try_next();
      if (!piece) {
        discard();
        auto const after_discard = reader_.try_next();
        require(after_discard || !reader_.is_full(), "what is discarded makes room");
        if (after_discard) {
          goes_on = take(*after_discard);
          continue;
        }
        send_next();
        co_await socket_.until_readable(scope_);
        continue;
      }
      goes_on = take(*piece);
      if (terms_.hasty) discard();
    }
    discard();
    body_.trailers = reader_.trailers();
    reactor_.stop();
  }

  /// Whether more may follow.
  bool take(Result<http::Piece> const& piece) {
    if (!piece) return false;
    require(!piece->bytes.empty() || piece->last, "a piece goes on");
    pieces_.push_back(piece->bytes);
    body_.whole = piece->last;
    return !piece->last;
  }

  Terms terms_;
  std::string_view left_;
  Reactor reactor_;
  BlockPool blocks_;
  Socket socket_;
  Descriptor endpoint_;
  CancelScope scope_;
  AnswerReader reader_{socket_, blocks_};
  std::vector<std::string_view> pieces_;  // not discarded yet
  Body body_;
};

}  // namespace

void check(std::string_view input) {
  if (input.size() < Terms::size) return;
  Terms const terms{input};
  auto const text = input.substr(Terms::size);
  auto const body = Course{terms, text}.read();
  auto const wanted = expected(terms.framing, text);
  require(body.whole == wanted.whole, "it is whole when it is");
  if (!wanted.whole) {
    require(wanted.content.starts_with(body.content), "what it gives of a broken one is a part of it");
    return;
  }
  require(body.content == wanted.content, "the same content");
  require(body.trailers == wanted.trailers, "the same trailers");
}

}  // namespace candor::fuzz
