#include "candor/net/proxy_protocol.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

namespace candor::proxy_protocol {

namespace {

// Version 1: one line.

constexpr std::string_view first_word = "PROXY ";
constexpr std::size_t longest_line = 107;  // CRLF included

/// Takes a line apart at its single spaces.
class Words {
 public:
  explicit Words(std::string_view line) : rest_(line) {}
  std::string_view next() {
    auto const word = rest_.substr(0, rest_.find(' '));
    rest_.remove_prefix(std::min(word.size() + 1, rest_.size()));
    return word;
  }
  [[nodiscard]] bool empty() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

bool is_address(int family, std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return false;  // where inet_pton() would stop reading
  std::array<std::byte, sizeof(in6_addr)> address{};
  return inet_pton(family, std::string(text).c_str(), address.data()) == 1;
}

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  bool const leading_zero = text.size() > 1 && text.front() == '0';
  return !text.empty() && error == std::errc{} && end == text.data() + text.size() && !leading_zero;
}

std::string with_port(int family, std::string_view address, std::string_view port) {
  std::string const host{address};
  return (family == AF_INET6 ? '[' + host + ']' : host) + ':' + std::string(port);
}

Parsed parse_line(std::string_view line, std::size_t length) {
  Words words(line);
  auto const protocol = words.next();
  if (protocol == "UNKNOWN") return Header{.length = length};
  int const family = protocol == "TCP4" ? AF_INET : protocol == "TCP6" ? AF_INET6 : AF_UNSPEC;
  if (family == AF_UNSPEC) return Malformed{};
  auto const source = words.next();
  auto const destination = words.next();
  auto const source_port = words.next();
  auto const destination_port = words.next();
  bool const good = is_address(family, source) && is_address(family, destination) && is_port(source_port) &&
                    is_port(destination_port) && words.empty() && !line.ends_with(' ');
  if (!good) return Malformed{};
  return Header{.length = length, .source = with_port(family, source, source_port)};
}

Parsed parse_first(std::string_view buffered) {
  auto const end = buffered.substr(0, longest_line).find("\r\n");
  if (end == std::string_view::npos) {
    if (buffered.size() >= longest_line) return Malformed{};
    return Incomplete{};
  }
  return parse_line(buffered.substr(first_word.size(), end - first_word.size()), end + 2);
}

// Version 2: binary.

constexpr std::string_view signature{"\r\n\r\n\0\r\nQUIT\n", 12};
constexpr std::size_t fixed_part = 16;

/// What follows the signature.
struct Kind {
  bool local = false;
  int family = AF_UNSPEC;
  std::size_t addresses = 0;  // bytes that they take
};

std::optional<Kind> kind_of(unsigned version_and_command, unsigned family_and_transport) {
  if (version_and_command >> 4U != 2 || (version_and_command & 0xfU) > 1) return std::nullopt;
  Kind kind{.local = (version_and_command & 0xfU) == 0};
  if (kind.local) return kind;  // whatever it says of addresses
  if (family_and_transport >> 4U > 3 || (family_and_transport & 0xfU) > 2) return std::nullopt;
  // Of connections only: what is said of anything else is left alone, like UNSPEC.
  if ((family_and_transport & 0xfU) != 1) return kind;
  switch (family_and_transport >> 4U) {
    case 1: kind.family = AF_INET, kind.addresses = 12; break;
    case 2: kind.family = AF_INET6, kind.addresses = 36; break;
    case 3: kind.family = AF_UNIX, kind.addresses = 216; break;
    default: break;
  }
  return kind;
}

unsigned byte_at(std::string_view bytes, std::size_t at) { return static_cast<unsigned char>(bytes[at]); }

std::string source_of(int family, std::string_view addresses) {
  if (family == AF_UNIX) {
    auto const path = addresses.substr(0, 108);
    return std::string(path.substr(0, path.find('\0')));
  }
  std::size_t const size = family == AF_INET ? sizeof(in_addr) : sizeof(in6_addr);
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(family, addresses.data(), text.data(), text.size());
  auto const port = byte_at(addresses, 2 * size) << 8U | byte_at(addresses, 2 * size + 1);
  return with_port(family, text.data(), std::to_string(port));
}

Parsed parse_second(std::string_view buffered) {
  if (buffered.size() < fixed_part) return Incomplete{};
  auto const kind = kind_of(byte_at(buffered, 12), byte_at(buffered, 13));
  if (!kind) return Malformed{};
  std::size_t const rest = byte_at(buffered, 14) << 8U | byte_at(buffered, 15);
  if (!kind->local && rest < kind->addresses) return Malformed{};
  if (buffered.size() < fixed_part + rest) return Incomplete{};
  Header header{.length = fixed_part + rest};
  // A LOCAL connection is the other proxy's own: its addresses mean nothing.
  if (!kind->local && kind->addresses > 0) {
    header.source = source_of(kind->family, buffered.substr(fixed_part, rest));
  }
  return header;
}

bool begins_like(std::string_view buffered, std::string_view start) {
  return buffered.substr(0, start.size()) == start.substr(0, buffered.size());
}

}  // namespace

Parsed parse(std::string_view buffered) {
  if (begins_like(buffered, first_word)) {
    return buffered.size() < first_word.size() ? Parsed{Incomplete{}} : parse_first(buffered);
  }
  if (begins_like(buffered, signature)) return parse_second(buffered);
  return Malformed{};
}

}  // namespace candor::proxy_protocol
