#include "format.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <optional>

namespace candor::config {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alphanumeric(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// [IPv6] in its shortest spelling (RFC 5952), without the brackets; nothing if it is none.
std::optional<std::string> canonical_ipv6(std::string_view bracketed) {
  if (bracketed.size() < 4 || bracketed.front() != '[' || bracketed.back() != ']') return std::nullopt;
  in6_addr address{};
  std::string const inside(bracketed.substr(1, bracketed.size() - 2));
  if (inet_pton(AF_INET6, inside.c_str(), &address) != 1) return std::nullopt;
  std::array<char, INET6_ADDRSTRLEN> out{};
  inet_ntop(AF_INET6, &address, out.data(), out.size());
  return std::string(out.data());
}

std::string_view fault_of_label(std::string_view label) {
  if (label.empty()) return "a part between its dots is empty";
  if (label.size() > 63) return "a part between its dots is longer than 63";
  if (!std::all_of(label.begin(), label.end(), [](char c) { return is_alphanumeric(c) || c == '-'; })) {
    return "a host has letters, digits, hyphens and dots";
  }
  if (label.front() == '-' || label.back() == '-') return "a hyphen stands at the edge of a part";
  return {};
}

std::string_view fault_of_name(std::string_view name) {
  if (name.back() == '.') name.remove_suffix(1);
  if (name.empty()) return "there is no host";
  if (name.size() > 253) return "the host is longer than 253";
  std::string_view last;
  for (auto rest = std::optional(name); rest;) {
    auto const dot = rest->find('.');
    last = rest->substr(0, dot);
    if (auto const fault = fault_of_label(last); !fault.empty()) return fault;
    rest = dot == std::string_view::npos ? std::nullopt : std::optional(rest->substr(dot + 1));
  }
  // A name's last part is never all digits: such a host can only be a mistyped address.
  if (!std::all_of(last.begin(), last.end(), is_digit)) return {};
  in_addr address{};
  return inet_pton(AF_INET, std::string(name).c_str(), &address) == 1 ? "" : "the IPv4 address is not valid";
}

std::optional<unsigned> port_number(std::string_view text) {
  unsigned port = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || text.size() > 5 || port > 65535)
    return std::nullopt;
  return port;
}

/// Host and port; without a port when the text ends with the host.
struct Parts {
  std::string_view host;
  std::optional<std::string_view> port{};
};

Parts split(std::string_view text) {
  auto const from = text.starts_with('[') ? text.find(']') : 0;
  auto const colon = from == std::string_view::npos ? from : text.find(':', from);
  if (colon == std::string_view::npos) return {text};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

bool lacks_bracket(std::string_view text) {
  return text.starts_with('[') && text.find(']') == std::string_view::npos;
}

constexpr std::string_view unix_scheme = "unix:";

std::string_view fault_of_unix_address(std::string_view text) {
  auto const path = text.substr(unix_scheme.size());
  if (!path.starts_with('/')) return "its path must begin with /";
  if (path.ends_with('/')) return "its path names a directory";
  if (path.size() > 107) return "its path is longer than 107";  // what sockaddr_un has room for
  return fault_of_file(path);
}

std::string_view fault_of_address(std::string_view text, unsigned lowest_port) {
  if (text.find("://") != std::string_view::npos) return "without a scheme";
  if (lacks_bracket(text)) return "its ] is missing";
  auto const [address, port] = split(text);
  if (!port) return "it has no port";
  if (port->find(':') != std::string_view::npos) return "an IPv6 address needs brackets";
  if (auto const fault = fault_of_host(address); !fault.empty()) return fault;
  auto const number = port_number(*port);
  if (!number || *number < lowest_port) {
    return lowest_port == 0 ? "the port must be from 0 to 65535" : "the port must be from 1 to 65535";
  }
  return {};
}

}  // namespace

std::string_view fault_of_listen_address(std::string_view text) {
  return is_unix(text) ? fault_of_unix_address(text) : fault_of_address(text, 0);
}

std::string_view fault_of_tcp_address(std::string_view text) {
  return is_unix(text) ? "it is reached over TCP only" : fault_of_address(text, 0);
}

std::string_view fault_of_endpoint_address(std::string_view text) {
  return is_unix(text) ? fault_of_unix_address(text) : fault_of_address(text, 1);
}

std::string_view fault_of_host(std::string_view text) {
  if (text.empty()) return "there is no host";
  if (lacks_bracket(text)) return "its ] is missing";
  if (text.front() == '[') return canonical_ipv6(text) ? "" : "the IPv6 address is not valid";
  if (text.find(':') != std::string_view::npos) return "without a port";
  return fault_of_name(text);
}

std::string_view fault_of_authority(std::string_view text) {
  return split(text).port ? fault_of_endpoint_address(text) : fault_of_host(text);
}

namespace {

bool is_token(std::string_view text) {
  static constexpr std::string_view others = "!#$%&'*+-.^_`|~";  // RFC 9110, section 5.6.2
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alphanumeric(c) || others.find(c) != std::string_view::npos; });
}

bool is_visible(char c) { return c > ' ' && c <= '~'; }

}  // namespace

std::string_view fault_of_field_name(std::string_view text) {
  if (text.empty()) return "it is empty";
  return is_token(text) ? "" : "it holds a character that field names cannot";
}

std::string_view fault_of_token(std::string_view text) {
  if (text.empty()) return "it is empty";
  if (text.size() > 64) return "it is longer than 64";
  return is_token(text) ? "" : "it holds a character that methods cannot";
}

std::string_view fault_of_protocol(std::string_view text) {
  auto const slash = text.find('/');
  if (text.empty() || slash == 0 || slash == text.size() - 1) return "a part of it is empty";
  bool const good = is_token(text.substr(0, slash)) &&
                    (slash == std::string_view::npos || is_token(text.substr(slash + 1)));
  return good ? "" : "it holds a character that protocols cannot";
}

std::string_view fault_of_pseudonym(std::string_view text) {
  if (text.empty()) return "it is empty";
  return is_token(text) ? "" : "it holds a character that names in Via cannot";
}

std::string_view fault_of_path(std::string_view text) {
  if (!text.starts_with('/')) return "it must begin with /";
  if (text.find_first_of("?#") != std::string_view::npos) return "without a query";
  auto const whole = std::string(text) + '/';
  if (whole.find("/./") != std::string::npos || whole.find("/../") != std::string::npos) {
    return "no path with dot segments has a prefix";
  }
  return std::all_of(text.begin(), text.end(), is_visible) ? "" : "it holds a character that paths cannot";
}

std::string_view fault_of_target(std::string_view text) {
  if (!text.starts_with('/')) return "it must begin with /";
  if (text.find('#') != std::string_view::npos) return "without a fragment";
  return std::all_of(text.begin(), text.end(), is_visible) ? "" : "it holds a character that paths cannot";
}

// What it says is judged with the other rules: only there can the expression's own error be told.
std::string_view fault_of_path_regex(std::string_view text) {
  constexpr std::size_t most = 1024;
  if (text.empty()) return "it is empty";
  if (text.size() > most) return "it is longer than 1024 characters";
  bool const good = std::all_of(text.begin(), text.end(), [](char c) { return is_visible(c) || c == ' '; });
  return good ? "" : "it holds a character that is not visible ASCII";
}

std::string_view fault_of_field_value(std::string_view text) {
  if (text.empty()) return "it is empty";
  if (text.front() == ' ' || text.back() == ' ') return "a space stands at its edge";
  bool const good = std::all_of(text.begin(), text.end(), [](char c) { return is_visible(c) || c == ' '; });
  return good ? "" : "it holds a character that is not visible ASCII";
}

std::string_view fault_of_text(std::string_view text) {
  constexpr std::size_t most = std::size_t{64} * 1024;
  return text.size() > most ? "it is longer than 64KiB" : "";
}

std::string_view fault_of_upstream_name(std::string_view text) {
  if (text.empty()) return "it is empty";
  if (text.size() > 63) return "it is longer than 63";
  auto const fits = [](char c) { return is_alphanumeric(c) || c == '.' || c == '_' || c == '-'; };
  return std::all_of(text.begin(), text.end(), fits)
             ? ""
             : "a name has letters, digits, dots, underscores and hyphens";
}

std::string_view fault_of_file(std::string_view text) {
  if (text.empty()) return "it is empty";
  auto const is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20; };
  return std::any_of(text.begin(), text.end(), is_control) ? "it holds a control character" : "";
}

std::string_view fault_of_input_file(std::string_view text) {
  return text.ends_with('/') ? "it names a directory" : fault_of_file(text);
}

namespace {

/// Whether it is an address, not a name; of a host without fault.
bool is_literal(std::string_view host) {
  in_addr address{};
  return host.starts_with('[') || inet_pton(AF_INET, std::string(host).c_str(), &address) == 1;
}

}  // namespace

std::string_view fault_of_name_and_port(std::string_view text) {
  if (is_unix(text)) return "a path has no addresses";
  if (auto const fault = fault_of_address(text, 1); !fault.empty()) return fault;
  return is_literal(split(text).host) ? "an address stands in endpoints; this is for names" : "";
}

std::string_view fault_of_service_name(std::string_view text) {
  if (text.empty()) return "it is empty";
  if (text.find(':') != std::string_view::npos) return "without a port: the answer has it";
  // Unlike those of hosts, its parts may have underscores.
  std::string plain(text);
  std::replace(plain.begin(), plain.end(), '_', 'a');
  if (auto const fault = fault_of_name(plain); !fault.empty()) return fault;
  return is_literal(text) ? "an address has no SRV records" : "";
}

std::string_view fault_of_server_address(std::string_view text) {
  if (is_unix(text)) return "a name server has an address";
  if (auto const fault = fault_of_address(text, 1); !fault.empty()) return fault;
  return is_literal(split(text).host) ? "" : "a name server is given by its address, not by a name";
}

std::string canonical_host(std::string_view host) {
  if (auto ipv6 = canonical_ipv6(host)) return *ipv6;
  if (host.ends_with('.')) host.remove_suffix(1);
  std::string out(host);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool is_unix(std::string_view address) { return address.starts_with(unix_scheme); }

HostAndPort host_and_port(std::string_view address) {
  if (is_unix(address)) {
    std::filesystem::path const path(address.substr(unix_scheme.size()));
    return {std::string(unix_scheme) + path.lexically_normal().string(), 0};
  }
  auto const [host, port] = split(address);
  return {canonical_host(host), port_number(port.value_or("")).value_or(0)};
}

std::string canonical_address(std::string_view address) {
  auto const [host, port] = host_and_port(address);
  return host + " " + std::to_string(port);
}

}  // namespace candor::config
