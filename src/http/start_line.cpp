#include "start_line.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "grammar.hpp"
#include "guard.hpp"

namespace candor::http {

namespace {

/// Longer ones nobody implements; see RFC 9112, 3.
constexpr std::size_t method_limit = 64;

/// What follows a request target: " HTTP/1.1", and the CR.
constexpr std::size_t version_length = 10;

/// unreserved, pct-encoded and sub-delims of RFC 3986: what a registered name is made of.
constexpr std::array<bool, 256> name_characters = [] {
  std::array<bool, 256> table{};
  for (unsigned char c = '0'; c <= '9'; ++c) table[c] = true;
  for (unsigned char c = 'a'; c <= 'z'; ++c) table[c] = true;
  for (unsigned char c = 'A'; c <= 'Z'; ++c) table[c] = true;
  for (char c : std::string_view("-._~%!$&'()*+,;=")) table[static_cast<unsigned char>(c)] = true;
  return table;
}();

bool is_name(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return name_characters[static_cast<unsigned char>(c)]; });
}

/// Splits at the colon before a port; one within the brackets of an IP literal is none.
std::size_t port_colon(std::string_view authority) {
  std::size_t const colon = authority.rfind(':');
  if (colon == std::string_view::npos) return authority.size();
  return authority.find(']', colon) == std::string_view::npos ? colon : authority.size();
}

/// Empty is allowed (RFC 3986, 3.2.3).
bool is_port(std::string_view text) {
  constexpr unsigned highest = 65535;
  unsigned port = 0;
  bool const digits = text.size() <= 5 && std::all_of(text.begin(), text.end(), grammar::is_digit);
  std::from_chars(text.data(), text.data() + text.size(), port);
  return digits && port <= highest;
}

/// The length of an absolute-form's scheme and "://"; 0 if it is none that Candor speaks.
std::size_t scheme_length(std::string_view target) {
  for (std::string_view scheme : {"http://", "https://"}) {
    if (equal_ignoring_case(target.substr(0, scheme.size()), scheme)) return scheme.size();
  }
  return 0;
}

/// Visible ASCII. RFC 3986 has no bytes above it in a URI; some proxies let them pass, but then each log,
/// route and dashboard behind must cope with what may not even be UTF-8. And no fragment: one that ends a
/// path for the next reader but not for us would pass a route that it shouldn't.
bool has_target_characters(std::string_view target) {
  return std::all_of(target.begin(), target.end(), [](char c) { return grammar::is_visible(c) && c != '#'; });
}

/// RFC 9112, 3.2.
bool is_target(std::string_view method, std::string_view target) {
  if (method == "CONNECT") {
    std::size_t const colon = port_colon(target);
    std::string_view const port = target.substr(std::min(colon + 1, target.size()));
    return is_authority(target) && port.find_first_not_of('0') != std::string_view::npos;
  }
  if (target.front() == '/') return true;
  if (target == "*") return method == "OPTIONS";
  return scheme_length(target) > 0 && is_authority(authority_of(target));
}

guard::Verdict check_version(std::string_view text) {
  bool const version = text.size() == 8 && text.starts_with("HTTP/") && grammar::is_digit(text[5]) &&
                       text[6] == '.' && grammar::is_digit(text[7]);
  if (!version) return Malformed{400, "no HTTP version"};
  // A higher minor version is read as the highest that we know (RFC 9110, 2.5).
  if (text[5] != '1') return Malformed{505, "a major version other than HTTP/1"};
  return std::nullopt;
}

}  // namespace

bool is_authority(std::string_view text) {
  std::size_t const colon = port_colon(text);
  if (colon < text.size() && !is_port(text.substr(colon + 1))) return false;
  std::string_view const host = text.substr(0, colon);
  if (!host.starts_with('[')) return !host.empty() && is_name(host);
  if (host.size() < 4 || !host.ends_with(']')) return false;
  std::string_view const literal = host.substr(1, host.size() - 2);
  return std::all_of(literal.begin(), literal.end(),
                     [](char c) { return c == ':' || name_characters[static_cast<unsigned char>(c)]; });
}

std::string_view authority_of(std::string_view target) {
  if (target.starts_with('/') || target == "*") return {};
  std::string_view const rest = target.substr(scheme_length(target));
  return rest.substr(0, rest.find_first_of("/?"));
}

namespace guard {

Verdict request_line(std::string_view line, HeadLimits const& limits) {
  std::size_t const method = grammar::token_length(line);
  if (method == 0 || method == line.size() || line[method] != ' ') return Malformed{400, "an invalid method"};
  if (method > method_limit) return Malformed{501, "a method longer than any known"};
  std::string_view const rest = line.substr(method + 1);
  std::size_t const space = rest.find(' ');
  std::string_view const target = rest.substr(0, space);
  if (target.size() > limits.target.size()) return Malformed{414, "a request target over the limit"};
  if (target.empty() || !has_target_characters(target)) return Malformed{400, "an invalid request target"};
  if (space == std::string_view::npos) return Malformed{400, "no HTTP version"};
  if (auto refused = check_version(rest.substr(space + 1))) return refused;
  if (!is_target(line.substr(0, method), target)) return Malformed{400, "a request target of the wrong form"};
  return std::nullopt;
}

Verdict status_line(std::string_view line) {
  if (auto refused = check_version(line.substr(0, 8))) return refused;
  std::string_view const rest = line.substr(8);
  bool const status = rest.size() >= 4 && rest[0] == ' ' && rest[1] >= '1' && rest[1] <= '9' &&
                      grammar::is_digit(rest[2]) && grammar::is_digit(rest[3]);
  if (!status) return Malformed{400, "an invalid status"};
  // The space after the status is required, but many leave it out when no phrase follows; all agree on what
  // that means.
  if (rest.size() > 4 && rest[4] != ' ') return Malformed{400, "an invalid status"};
  if (grammar::has_control(rest.substr(4))) return Malformed{400, "a control byte in the status line"};
  return std::nullopt;
}

Verdict request_line_start(std::string_view front, HeadLimits const& limits) {
  constexpr char tls_handshake = 0x16;
  if (front.front() == tls_handshake) return Malformed{400, "a TLS handshake where HTTP was expected"};
  if (front.front() == '\r' && front.size() == 1) return std::nullopt;  // of an empty line before the head
  if (!grammar::is_token_character(front.front())) return Malformed{400, "an invalid method"};
  // The rest waits for the whole line, unless that is too long: slow bytes are not looked at again and again.
  if (front.size() <= method_limit + 1 + limits.target.size() + version_length) return std::nullopt;
  std::size_t const method = front.find(' ');
  if (method > method_limit) return Malformed{501, "a method longer than any known"};
  std::size_t const target = std::min(front.find(' ', method + 1), front.size()) - method - 1;
  if (target > limits.target.size()) return Malformed{414, "a request target over the limit"};
  return Malformed{400, "no HTTP version"};
}

Verdict status_line_start(std::string_view front) {
  constexpr std::string_view version = "HTTP/1.";
  std::size_t const there = std::min(front.size(), version.size());
  if (front.substr(0, there) == version.substr(0, there)) return std::nullopt;
  return Malformed{400, "no HTTP/1 response"};
}

}  // namespace guard

}  // namespace candor::http
