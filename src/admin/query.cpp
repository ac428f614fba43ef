#include "query.hpp"

#include <algorithm>

namespace candor::admin {

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    bool const escape = text[i] == '%' && i + 2 < text.size();
    int const high = escape ? hex_digit(text[i + 1]) : -1;
    int const low = escape ? hex_digit(text[i + 2]) : -1;
    if (high >= 0 && low >= 0) {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::optional<std::string> query_value(std::string_view target, std::string_view key) {
  auto const mark = target.find('?');
  auto rest = mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
  while (!rest.empty()) {
    auto const member = rest.substr(0, rest.find('&'));
    rest.remove_prefix(member.size() < rest.size() ? member.size() + 1 : rest.size());
    auto const equals = std::min(member.find('='), member.size());
    if (member.substr(0, equals) != key) continue;
    return decoded(equals < member.size() ? member.substr(equals + 1) : std::string_view{});
  }
  return std::nullopt;
}

}  // namespace candor::admin
