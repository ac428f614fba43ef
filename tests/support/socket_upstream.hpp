// An HTTP/1.1 server for tests, on loopback and a thread of its own, that does with each request what the
// test says, and counts on its own what reached it.
#pragma once

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <limits>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "candor/http/chunked.hpp"
#include "candor/http/parse.hpp"
#include "candor/net/address.hpp"
#include "candor/net/descriptor.hpp"

namespace candor::test {

/// A request as the upstream got it.
struct Received {
  std::string method;
  std::string target;
  std::string head;            ///< with its empty line
  std::string body{};          ///< content, without its coding
  std::string trailers{};      ///< lines behind a chunked body
  unsigned number = 0;         ///< of this upstream's, from 1
  unsigned on_connection = 0;  ///< of its connection's, from 1
};

/// What it does with one.
struct Reaction {
  std::string bytes{};  ///< sent as they are
  enum class Then : std::uint8_t {
    keep,
    close,
    reset,
    hang,
    echo  ///< says back what comes from now on, to its end
  } then = Then::keep;
};

inline Reaction answer(unsigned status, std::string const& body, std::string const& fields = {}) {
  return {"HTTP/1.1 " + std::to_string(status) + " Said\r\nContent-Length: " + std::to_string(body.size()) +
          "\r\n" + fields + "\r\n" + body};
}
inline Reaction raw(std::string bytes, Reaction::Then then = Reaction::Then::keep) {
  return {std::move(bytes), then};
}
/// Says nothing, and keeps the connection.
inline Reaction hang() { return {.then = Reaction::Then::hang}; }
inline Reaction reset() { return {.then = Reaction::Then::reset}; }

class SocketUpstream {
 public:
  using Behaviour = std::function<Reaction(Received const&)>;

  explicit SocketUpstream(Behaviour behaviour) : SocketUpstream(std::move(behaviour), "127.0.0.1:0") {}
  /// At a port of loopback, 0 for any, or at a path.
  SocketUpstream(Behaviour behaviour, std::string at) : behaviour_(std::move(behaviour)), at_(std::move(at)) {
    listen();
  }
  ~SocketUpstream() { stop(); }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string const& address() const { return at_; }

  /// Requests that reached it whole.
  [[nodiscard]] unsigned received() const { return received_; }
  [[nodiscard]] unsigned connections() const { return connections_; }

  /// Resets every connection and listens no more; what comes next is refused.
  void stop() {
    if (!thread_.joinable()) return;
    stopping_ = true;
    ring();
    thread_.join();
    listening_.reset();
  }
  /// Listens again, at the same address.
  void start() {
    stopping_ = false;
    listen();
  }
  void set(Behaviour behaviour) {
    std::lock_guard const held(lock_);
    behaviour_ = std::move(behaviour);
  }
  /// What is said as soon as a head is there whose body is not yet, ahead of the behaviour's own bytes.
  void set_early(std::function<std::string(http::RequestHead const&)> early) {
    std::lock_guard const held(lock_);
    early_ = std::move(early);
  }
  /// What one that echoes says when the other side has ended, having sent `all`; then it ends too.
  void set_farewell(std::function<std::string(std::string const& all)> farewell) {
    std::lock_guard const held(lock_);
    farewell_ = std::move(farewell);
  }
  /// From now on a connection ends, unread, when more comes after so many requests: as one does whose idle
  /// time is over at that moment.
  void close_unread_after(unsigned requests) { unread_after_ = requests; }
  /// Closes connections on which nothing is under way.
  void close_idle() {
    closing_idle_ = true;
    ring();
  }

 private:
  struct Peer {
    Descriptor fd;
    std::string in;
    unsigned requests = 0;
    bool said_early = false;
    bool hangs = false;
    bool echoes = false;
  };

  void listen() {
    auto const address = *Address::parse(at_);
    if (address.is_path()) ::unlink(std::string(*unix_path(at_)).c_str());
    Descriptor fd{::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    int const on = 1;
    setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(fd.get(), address.data(), address.size()) != 0 || ::listen(fd.get(), 512) != 0) std::abort();
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    getsockname(fd.get(), reinterpret_cast<sockaddr*>(&storage), &size);
    Address const bound{reinterpret_cast<sockaddr*>(&storage), size};
    port_ = bound.port();
    if (!address.is_path()) at_ = bound.text();
    listening_ = std::move(fd);
    if (!bell_) bell_.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    thread_ = std::thread{[this] { run(); }};
  }
  void ring() const { eventfd_write(bell_.get(), 1); }

  void run() {
    std::map<int, Peer> peers;
    while (!stopping_) {
      std::vector<pollfd> polled{{bell_.get(), POLLIN, 0}, {listening_.get(), POLLIN, 0}};
      for (auto const& [fd, peer] : peers) polled.push_back({fd, POLLIN, 0});
      ::poll(polled.data(), polled.size(), -1);
      eventfd_t rings = 0;
      if (polled[0].revents != 0) eventfd_read(bell_.get(), &rings);
      if (closing_idle_.exchange(false))
        std::erase_if(peers, [](auto const& each) { return !each.second.hangs; });
      for (std::size_t i = 2; i < polled.size(); ++i) {
        auto const found = peers.find(polled[i].fd);
        if (polled[i].revents != 0 && found != peers.end() && !serve(found->second)) peers.erase(found);
      }
      if (polled[1].revents != 0) accept(peers);
    }
    for (auto& [fd, peer] : peers) reset_on_close(peer.fd);
  }

  void accept(std::map<int, Peer>& peers) {
    for (;;) {
      Descriptor fd{::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
      if (!fd) return;
      ++connections_;
      int const key = fd.get();
      peers[key].fd = std::move(fd);
    }
  }

  static void reset_on_close(Descriptor const& fd) {
    linger const at_once{.l_onoff = 1, .l_linger = 0};
    setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }

  /// Whether the connection goes on.
  bool serve(Peer& peer) {
    if (peer.requests >= unread_after_) return false;
    std::array<char, 65536> buffer;
    auto const got = ::recv(peer.fd.get(), buffer.data(), buffer.size(), 0);
    if (got == 0 && peer.echoes) say_farewell(peer);
    if (got <= 0) return false;
    peer.in.append(buffer.data(), static_cast<std::size_t>(got));
    if (peer.echoes) return send(peer.fd, {buffer.data(), static_cast<std::size_t>(got)});
    while (!peer.hangs) {
      auto request = take(peer);
      if (!request) return say_early(peer);
      peer.said_early = false;
      request->number = ++received_;
      request->on_connection = ++peer.requests;
      Reaction reaction;
      {
        std::lock_guard const held(lock_);
        reaction = behaviour_(*request);
      }
      if (!send(peer.fd, reaction.bytes)) return false;
      switch (reaction.then) {
        case Reaction::Then::keep: break;
        case Reaction::Then::close: return false;
        case Reaction::Then::reset: reset_on_close(peer.fd); return false;
        case Reaction::Then::hang: peer.hangs = true; break;
        case Reaction::Then::echo: peer.echoes = true; return send(peer.fd, peer.in);
      }
    }
    return true;
  }

  bool say_early(Peer& peer) {
    http::HeadScan scan;
    http::RequestHead head;
    auto const parsed = http::parse_request_head(peer.in, scan, {}, head);
    if (peer.said_early || !std::holds_alternative<http::Complete>(parsed)) return true;
    peer.said_early = true;
    std::string bytes;
    {
      std::lock_guard const held(lock_);
      if (early_) bytes = early_(head);
    }
    return send(peer.fd, bytes);
  }

  void say_farewell(Peer const& peer) {
    std::string bytes;
    {
      std::lock_guard const held(lock_);
      if (farewell_) bytes = farewell_(peer.in);
    }
    send(peer.fd, bytes);
  }

  static std::optional<Received> take(Peer& peer) {
    http::HeadScan scan;
    http::RequestHead head;
    auto const parsed = http::parse_request_head(peer.in, scan, {}, head);
    auto const* whole = std::get_if<http::Complete>(&parsed);
    if (whole == nullptr) return std::nullopt;
    Received request{std::string{head.method_text}, std::string{head.target},
                     peer.in.substr(0, whole->length)};
    std::size_t used = whole->length;
    if (head.framing.kind == http::Framing::Kind::length) {
      if (peer.in.size() < used + head.framing.length) return std::nullopt;
      request.body = peer.in.substr(used, head.framing.length);
      used += head.framing.length;
    } else if (head.framing.kind == http::Framing::Kind::chunked) {
      http::ChunkedDecoder decoder;
      for (bool end = false; !end;) {
        if (used == peer.in.size()) return std::nullopt;
        auto const step = decoder.step(std::string_view{peer.in}.substr(used));
        if (!step.error.empty()) std::abort();
        request.body += step.content;
        used += step.consumed;
        end = step.end;
      }
      request.trailers = decoder.trailers();
    }
    peer.in.erase(0, used);
    return request;
  }

  static bool send(Descriptor const& fd, std::string_view bytes) {
    while (!bytes.empty()) {
      auto const sent = ::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  std::mutex lock_;
  Behaviour behaviour_;
  std::function<std::string(http::RequestHead const&)> early_;
  std::function<std::string(std::string const&)> farewell_;
  std::string at_;
  Descriptor listening_;
  Descriptor bell_;
  std::uint16_t port_ = 0;
  std::atomic<unsigned> received_{0};
  std::atomic<unsigned> connections_{0};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> closing_idle_{false};
  std::atomic<unsigned> unread_after_{std::numeric_limits<unsigned>::max()};
  std::thread thread_;
};

}  // namespace candor::test
