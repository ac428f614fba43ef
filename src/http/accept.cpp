#include "accept.hpp"

#include <algorithm>

#include "candor/http/head.hpp"
#include "grammar.hpp"
#include "list.hpp"

namespace candor::http {

namespace {

/// A weight in thousandths, as RFC 9110, 12.4.2 writes it; one that is none counts as not wanted.
int parse_weight(std::string_view text) {
  if (text.empty() || (text[0] != '0' && text[0] != '1')) return 0;
  if (text.size() > 1 && (text[1] != '.' || text.size() > 5)) return 0;
  int weight = (text[0] - '0') * 1000;
  int unit = 100;
  for (char const c : text.substr(std::min<std::size_t>(2, text.size()))) {
    if (!grammar::is_digit(c)) return 0;
    weight += (c - '0') * unit;
    unit /= 10;
  }
  return std::min(weight, 1000);
}

/// How closely a media range fits a type: 3 exactly, 2 its major type, 1 anything, 0 not at all.
int closeness(std::string_view range, std::string_view type) {
  if (equal_ignoring_case(range, type)) return 3;
  if (range == "*/*") return 1;
  bool const any_minor = range.ends_with("/*") && type.starts_with(range.substr(0, range.size() - 1));
  return any_minor ? 2 : 0;
}

/// The weight of the closest range.
int weight_for(std::string_view accept, std::string_view type) {
  int weight = 0;
  int best = 0;
  ListMembers ranges(accept);
  while (auto const range = ranges.next()) {
    int const fit = closeness(without_parameters(*range), type);
    if (fit <= best) continue;
    best = fit;
    weight = weight_of(*range);
  }
  return weight;
}

}  // namespace

int weight_of(std::string_view member) {
  std::size_t semicolon = member.find(';');
  while (semicolon != std::string_view::npos) {
    member.remove_prefix(semicolon + 1);
    semicolon = member.find(';');
    std::string_view const parameter = grammar::trim(member.substr(0, semicolon));
    if (equal_ignoring_case(parameter.substr(0, 2), "q=")) return parse_weight(parameter.substr(2));
  }
  return 1000;
}

bool prefers_text(std::string_view accept) {
  int const json =
      std::max(weight_for(accept, "application/problem+json"), weight_for(accept, "application/json"));
  return weight_for(accept, "text/plain") > json;
}

}  // namespace candor::http
