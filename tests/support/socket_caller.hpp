// A caller with a blocking socket, for tests: writes bytes, reads answers. Every read is bounded, so that a
// proxy that says nothing fails the test instead of stopping it.
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "candor/http/chunked.hpp"
#include "candor/http/parse.hpp"
#include "candor/net/address.hpp"
#include "candor/net/descriptor.hpp"

namespace candor::test {

struct Answered {
  unsigned status = 0;
  std::string head;
  std::string body;
  bool whole = false;                  ///< as its framing says
  std::vector<std::string> interim{};  ///< what came before it

  [[nodiscard]] bool has(std::string_view text) const { return head.find(text) != std::string::npos; }
};

class SocketCaller {
 public:
  explicit SocketCaller(std::uint16_t port) : SocketCaller(*Address::literal({"127.0.0.1", port})) {}
  explicit SocketCaller(Address const& address)
      : SocketCaller(Descriptor{::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0)}) {
    if (::connect(fd_.get(), address.data(), address.size()) != 0) fd_.reset();
  }

  /// Of a connection that stands.
  explicit SocketCaller(Descriptor connection) : fd_(std::move(connection)) {
    wait_at_most(longest_wait);
    int const on = 1;
    setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }

  [[nodiscard]] bool connected() const { return static_cast<bool>(fd_); }

  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      auto const sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == ECONNRESET) was_reset_ = true;
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  Answered get(std::string const& path, std::string const& fields = {}) {
    send("GET " + path + " HTTP/1.1\r\nHost: test\r\n" + fields + "\r\n");
    return read_answer();
  }
  Answered post(std::string const& path, std::string const& body, std::string const& fields = {}) {
    send("POST " + path + " HTTP/1.1\r\nHost: test\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n" + fields + "\r\n" + body);
    return read_answer();
  }

  /// The next answer that is not interim, or a change of protocol. Status 0: the connection ended before its
  /// head was whole.
  Answered read_answer(http::Method method = http::Method::get) {
    http::ResponseHead head;
    Answered answer;
    for (;;) {
      http::HeadScan scan;
      auto const parsed = http::parse_response_head(in_, scan, {}, method, head);
      if (auto const* whole = std::get_if<http::Complete>(&parsed)) {
        auto text = in_.substr(0, whole->length);
        auto const framing = head.framing;
        auto const status = head.status;
        in_.erase(0, whole->length);
        if (status < 200 && status != 101) {
          answer.interim.push_back(std::move(text));
          continue;
        }
        answer.status = status;
        answer.head = std::move(text);
        answer.whole = read_body(framing, answer.body);
        return answer;
      }
      if (!std::holds_alternative<http::Incomplete>(parsed) || !read_some()) return answer;
    }
  }

  /// Waits for the first byte of an answer; whether it came.
  bool is_being_answered() { return !in_.empty() || read_some(); }
  /// Having sent `Expect: 100-continue`: whether it may send the body, since it is told to, or has waited
  /// long enough; false: something else came. An interim answer that came is taken.
  bool waits_to_go_on(std::chrono::milliseconds patience) {
    static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    wait_at_most(patience);
    while (in_.size() < go_on.size() && go_on.starts_with(in_) && read_some()) {
    }
    wait_at_most(longest_wait);
    if (in_.size() < go_on.size()) return timed_out_;
    if (!in_.starts_with(go_on)) return false;
    in_.erase(0, go_on.size());
    return true;
  }

  /// Reads up to `size` bytes of what comes; less if the connection ends before.
  std::string read_bytes(std::size_t size) {
    while (in_.size() < size && read_some()) {
    }
    auto bytes = in_.substr(0, size);
    in_.erase(0, bytes.size());
    return bytes;
  }

  /// The content of a chunked body, as far as it comes.
  std::string read_chunked() {
    std::string body;
    read_body({http::Framing::Kind::chunked, 0}, body);
    return body;
  }

  /// Reads to the end of a head, whatever it is of.
  std::string read_head() {
    for (;;) {
      auto const end = in_.find("\r\n\r\n");
      if (end != std::string::npos) return read_bytes(end + 4);
      if (!read_some()) return std::exchange(in_, {});
    }
  }

  /// Whether the connection has ended, orderly or not, with nothing more to read.
  bool ended() { return in_.empty() && !read_some() && !timed_out_; }
  /// Whether a read or a write found it broken off; the kernel tells once.
  [[nodiscard]] bool was_reset() const { return was_reset_; }

  void half_close() { ::shutdown(fd_.get(), SHUT_WR); }
  void close() { fd_.reset(); }
  void reset() {
    linger const at_once{.l_onoff = 1, .l_linger = 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    fd_.reset();
  }

 private:
  static constexpr std::chrono::milliseconds longest_wait{20'000};

  void wait_at_most(std::chrono::milliseconds time) {
    timeval const longest{.tv_sec = time.count() / 1000, .tv_usec = time.count() % 1000 * 1000};
    setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
    setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &longest, sizeof longest);
  }

  bool read_some() {
    std::array<char, 65536> buffer;
    auto const got = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == ECONNRESET) was_reset_ = true;
    timed_out_ = got < 0 && errno == EAGAIN;
    if (got <= 0) return false;
    in_.append(buffer.data(), static_cast<std::size_t>(got));
    return true;
  }

  bool read_body(http::Framing framing, std::string& body) {
    switch (framing.kind) {
      case http::Framing::Kind::none: return true;
      case http::Framing::Kind::length:
        body = read_bytes(framing.length);
        return body.size() == framing.length;
      case http::Framing::Kind::until_close:
        while (read_some()) {
        }
        body = std::move(in_);
        in_.clear();
        return !was_reset_ && !timed_out_;
      case http::Framing::Kind::chunked: break;
    }
    http::ChunkedDecoder decoder;
    for (;;) {
      if (in_.empty() && !read_some()) return false;
      auto const step = decoder.step(in_);
      if (!step.error.empty()) return false;
      body += step.content;
      in_.erase(0, step.consumed);
      if (step.end) return true;
    }
  }

  Descriptor fd_;
  std::string in_;
  bool was_reset_ = false;
  bool timed_out_ = false;
};

}  // namespace candor::test
