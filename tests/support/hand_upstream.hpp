// An upstream that the test plays itself, byte by byte: it accepts when told, and what it accepted is read
// and written like a caller's connection.
#pragma once

#include <poll.h>
#include <sys/socket.h>

#include <cstdlib>
#include <string>

#include "candor/net/address.hpp"
#include "candor/net/descriptor.hpp"
#include "support/socket_caller.hpp"

namespace candor::test {

/// An address that is this test's own: as long as nobody listens there, connections to it are refused.
class HeldPort {
 public:
  /// Any free port of loopback.
  HeldPort() : HeldPort(*Address::literal({"127.0.0.1", 0})) {}
  explicit HeldPort(Address const& at) : fd_(::socket(at.family(), SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (::bind(fd_.get(), at.data(), at.size()) != 0) std::abort();
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&storage), &size);
    port_ = Address{reinterpret_cast<sockaddr*>(&storage), size}.port();
  }

  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] int descriptor() const { return fd_.get(); }

 private:
  Descriptor fd_;
  std::uint16_t port_ = 0;
};

class HandUpstream {
 public:
  HandUpstream() { listen(); }
  explicit HandUpstream(Address const& at) : held_(at) { listen(); }

  [[nodiscard]] std::string address() const { return held_.address(); }

  /// The next connection; one that is not connected() if none comes.
  [[nodiscard]] SocketCaller accept() {
    pollfd waiting{held_.descriptor(), POLLIN, 0};
    constexpr int longest_ms = 20'000;
    if (::poll(&waiting, 1, longest_ms) <= 0) return SocketCaller{Descriptor{}};
    return SocketCaller{Descriptor{::accept4(held_.descriptor(), nullptr, nullptr, SOCK_CLOEXEC)}};
  }

 private:
  void listen() const {
    if (::listen(held_.descriptor(), 16) != 0) std::abort();
  }

  HeldPort held_;
};

}  // namespace candor::test
