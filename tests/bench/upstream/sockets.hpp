// Sockets on 127.0.0.1, as all servers of the benchmarks use them.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <system_error>

namespace bench {

inline int checked(int result, char const* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

// 127.0.0.1, or another address of loopback by its last number.
inline sockaddr_in loopback(std::uint16_t port, std::uint32_t host = 1) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + host);
  return address;
}

// Not blocking; port 0 is any free one. What is set here, the accepted sockets inherit.
inline int listen_on(std::uint16_t port, std::optional<int> send_buffer_bytes = {}, std::uint32_t host = 1) {
  int const listener = checked(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket");
  int const on = 1;
  checked(::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "SO_REUSEADDR");
  checked(::setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "TCP_NODELAY");
  if (send_buffer_bytes) {
    checked(::setsockopt(listener, SOL_SOCKET, SO_SNDBUF, &*send_buffer_bytes, sizeof *send_buffer_bytes),
            "SO_SNDBUF");
  }
  auto const address = loopback(port, host);
  checked(::bind(listener, reinterpret_cast<sockaddr const*>(&address), sizeof address), "bind");
  checked(::listen(listener, SOMAXCONN), "listen");
  return listener;
}

inline std::uint16_t port_of(int listener) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  checked(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
  return ntohs(address.sin_port);
}

// A free port, taken for as long as this process lives: bound, and listened on only by who asks for it by
// number.
inline std::uint16_t hold_port() {
  int const holder = checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
  int const on = 1;
  checked(::setsockopt(holder, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "SO_REUSEADDR");
  auto const address = loopback(0);
  checked(::bind(holder, reinterpret_cast<sockaddr const*>(&address), sizeof address), "bind");
  return port_of(holder);
}

}  // namespace bench
