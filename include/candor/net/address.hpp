// Socket addresses as values.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace candor {

/// HOST:PORT taken apart; brackets around an IPv6 host are taken off.
struct HostPort {
  std::string host;
  std::uint16_t port = 0;

  bool operator==(HostPort const&) const = default;
};

/// Nothing if it isn't HOST:PORT with a port of 0-65535.
[[nodiscard]] std::optional<HostPort> split_host_port(std::string_view text);

/// The path of a Unix domain socket, of "unix:PATH"; nothing for any other text.
[[nodiscard]] std::optional<std::string_view> unix_path(std::string_view text);

/// An IPv4 or IPv6 address with its port, or the path of a Unix domain socket.
class Address {
 public:
  Address() = default;
  Address(sockaddr const* address, socklen_t size);

  /// Of a literal address; nothing for a name.
  [[nodiscard]] static std::optional<Address> literal(HostPort const& from);
  /// Of "unix:PATH", or of HOST:PORT with a literal address; nothing for a name, and for a path that the
  /// kernel has no room for.
  [[nodiscard]] static std::optional<Address> parse(std::string_view text);

  [[nodiscard]] sockaddr const* data() const { return reinterpret_cast<sockaddr const*>(&storage_); }
  [[nodiscard]] socklen_t size() const { return size_; }
  [[nodiscard]] int family() const { return storage_.ss_family; }
  [[nodiscard]] bool is_path() const { return family() == AF_UNIX; }
  /// 0 of a path.
  [[nodiscard]] std::uint16_t port() const;
  void set_port(std::uint16_t port);

  /// ADDRESS:PORT, or unix:PATH: what parse() takes.
  [[nodiscard]] std::string text() const;

  bool operator==(Address const& other) const;
  /// Any order, but always the same: for sets.
  bool operator<(Address const& other) const;

 private:
  sockaddr_storage storage_{};
  socklen_t size_ = 0;
};

/// All addresses of a name, by getaddrinfo, in its order. Blocks. Empty: none, and `why` says so.
[[nodiscard]] std::vector<Address> look_up(HostPort const& name, std::string& why);

}  // namespace candor
