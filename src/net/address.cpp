#include "candor/net/address.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <memory>

namespace candor {

std::optional<HostPort> split_host_port(std::string_view text) {
  auto const colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  auto host = text.substr(0, colon);
  auto const digits = text.substr(colon + 1);
  bool const bracketed = host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (host.empty() || (!bracketed && host.find(':') != std::string_view::npos)) return std::nullopt;
  std::uint16_t port = 0;
  auto const [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return HostPort{std::string{host}, port};
}

std::optional<std::string_view> unix_path(std::string_view text) {
  constexpr std::string_view scheme = "unix:";
  if (!text.starts_with(scheme)) return std::nullopt;
  return text.substr(scheme.size());
}

Address::Address(sockaddr const* address, socklen_t size)
    : size_(std::min(size, socklen_t{sizeof storage_})) {
  std::memcpy(&storage_, address, size_);
}

std::optional<Address> Address::literal(HostPort const& from) {
  sockaddr_in v4{};
  if (inet_pton(AF_INET, from.host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(from.port);
    return Address{reinterpret_cast<sockaddr const*>(&v4), sizeof v4};
  }
  sockaddr_in6 v6{};
  if (inet_pton(AF_INET6, from.host.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(from.port);
    return Address{reinterpret_cast<sockaddr const*>(&v6), sizeof v6};
  }
  return std::nullopt;
}

std::optional<Address> Address::parse(std::string_view text) {
  auto const path = unix_path(text);
  if (!path) {
    auto const where = split_host_port(text);
    return where ? literal(*where) : std::nullopt;
  }
  sockaddr_un local{};
  local.sun_family = AF_UNIX;
  if (path->empty() || path->size() >= sizeof local.sun_path) return std::nullopt;
  path->copy(local.sun_path, path->size());
  return Address{reinterpret_cast<sockaddr const*>(&local), sizeof local};
}

// The port stands at the same place in the structures of both internet families.
std::uint16_t Address::port() const {
  if (is_path()) return 0;
  return ntohs(reinterpret_cast<sockaddr_in const*>(&storage_)->sin_port);
}

void Address::set_port(std::uint16_t port) {
  reinterpret_cast<sockaddr_in*>(&storage_)->sin_port = htons(port);
}

bool Address::operator==(Address const& other) const {
  return size_ == other.size_ && std::memcmp(&storage_, &other.storage_, size_) == 0;
}

bool Address::operator<(Address const& other) const {
  if (size_ != other.size_) return size_ < other.size_;
  return std::memcmp(&storage_, &other.storage_, size_) < 0;
}

std::string Address::text() const {
  if (is_path()) return std::string("unix:") + reinterpret_cast<sockaddr_un const*>(&storage_)->sun_path;
  std::array<char, INET6_ADDRSTRLEN> text{};
  bool const is_six = family() == AF_INET6;
  void const* bytes = &reinterpret_cast<sockaddr_in const*>(&storage_)->sin_addr;
  if (is_six) bytes = &reinterpret_cast<sockaddr_in6 const*>(&storage_)->sin6_addr;
  inet_ntop(family(), bytes, text.data(), text.size());
  auto const port_text = ":" + std::to_string(port());
  return is_six ? "[" + std::string(text.data()) + "]" + port_text : text.data() + port_text;
}

std::vector<Address> look_up(HostPort const& name, std::string& why) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  int const error = getaddrinfo(name.host.c_str(), std::to_string(name.port).c_str(), &hints, &found);
  if (error != 0) {
    why = gai_strerror(error);
    return {};
  }
  std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> const owner{found, freeaddrinfo};
  std::vector<Address> addresses;
  for (auto const* each = found; each != nullptr; each = each->ai_next) {
    Address const address{each->ai_addr, each->ai_addrlen};
    if (std::find(addresses.begin(), addresses.end(), address) == addresses.end())
      addresses.push_back(address);
  }
  return addresses;
}

}  // namespace candor
