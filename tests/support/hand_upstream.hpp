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

class HandUpstream {
 public:
  /// At any free port of loopback.
  HandUpstream() : HandUpstream(*Address::literal({"127.0.0.1", 0})) {}
  explicit HandUpstream(Address const& at) : fd_(::socket(at.family(), SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (::bind(fd_.get(), at.data(), at.size()) != 0 || ::listen(fd_.get(), 16) != 0) std::abort();
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&storage), &size);
    port_ = Address{reinterpret_cast<sockaddr*>(&storage), size}.port();
  }

  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  /// The next connection; one that is not connected() if none comes.
  [[nodiscard]] SocketCaller accept() {
    pollfd waiting{fd_.get(), POLLIN, 0};
    constexpr int longest_ms = 20'000;
    if (::poll(&waiting, 1, longest_ms) <= 0) return SocketCaller{Descriptor{}};
    return SocketCaller{Descriptor{::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC)}};
  }

 private:
  Descriptor fd_;
  std::uint16_t port_ = 0;
};

}  // namespace candor::test
