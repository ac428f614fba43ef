#include "candor/http/keep_alive.hpp"

#include <algorithm>
#include <charconv>

#include "grammar.hpp"
#include "list.hpp"

namespace candor::http {

namespace {

constexpr Duration longest = 24h;

std::string_view without_quotes(std::string_view value) {
  bool const quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"';
  return quoted ? grammar::trim(value.substr(1, value.size() - 2)) : value;
}

std::optional<Duration> parse_seconds(std::string_view text) {
  bool const plain = !text.empty() && std::all_of(text.begin(), text.end(), grammar::is_digit);
  if (!plain) return std::nullopt;
  unsigned seconds = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc{}) return longest;  // more than there is room for
  return std::min<Duration>(longest, std::chrono::seconds{seconds});
}

/// Of one member of the list, `timeout=5` or another.
std::optional<Duration> timeout_of(std::string_view member) {
  auto const equals = member.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  if (!equal_ignoring_case(grammar::trim(member.substr(0, equals)), "timeout")) return std::nullopt;
  return parse_seconds(without_quotes(grammar::trim(member.substr(equals + 1))));
}

}  // namespace

std::optional<Duration> keep_alive_timeout(Fields const& fields) {
  std::optional<Duration> least;
  for (auto const& field : fields) {
    if (field.id != FieldId::keep_alive) continue;
    ListMembers members{field.value};
    while (auto const member = members.next()) {
      auto const timeout = timeout_of(*member);
      if (timeout) least = std::min(least.value_or(*timeout), *timeout);
    }
  }
  return least;
}

}  // namespace candor::http
