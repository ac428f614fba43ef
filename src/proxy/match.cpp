#include "candor/proxy/match.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

namespace candor {

namespace {

/// "." and "..", their dots possibly encoded.
bool is_dot_segment(std::string_view segment) {
  std::size_t dots = 0;
  while (!segment.empty()) {
    bool const encoded = segment.starts_with("%2e") || segment.starts_with("%2E");
    if (!encoded && segment.front() != '.') return false;
    segment.remove_prefix(encoded ? 3 : 1);
    ++dots;
  }
  return dots == 1 || dots == 2;
}

bool has_dot_segments(std::string_view path) {
  while (!path.empty()) {
    auto const slash = std::min(path.find('/'), path.size());
    if (is_dot_segment(path.substr(0, slash))) return true;
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return false;
}

bool has_prefix(std::string_view path, std::string_view prefix) {
  if (!path.starts_with(prefix)) return false;
  return path.size() == prefix.size() || prefix.ends_with('/') || path[prefix.size()] == '/';
}

/// Any of a field's lines, as they stand.
bool has_field(http::Fields const& fields, FieldMatchSettings const& wanted) {
  return std::any_of(fields.begin(), fields.end(), [&wanted](http::Field const& field) {
    return http::equal_ignoring_case(field.name, wanted.name) &&
           (!wanted.value || field.value == *wanted.value);
  });
}

std::optional<Pattern> compiled(std::optional<std::string> const& expression) {
  if (!expression) return std::nullopt;
  auto pattern = Pattern::compile(*expression);
  if (auto const* wrong = std::get_if<std::string>(&pattern)) {
    throw std::invalid_argument("not a regular expression: " + *wrong);
  }
  return std::get<Pattern>(std::move(pattern));
}

}  // namespace

std::string_view bare_host(std::string_view host) {
  auto const colon = host.rfind(':');
  auto const bracket = host.rfind(']');
  bool const has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || bracket < colon);
  if (has_port) host = host.substr(0, colon);
  if (host.ends_with('.')) host.remove_suffix(1);
  return host;
}

Match::Match(MatchSettings settings)
    : settings_(std::move(settings)), path_(compiled(settings_.path_regex)) {}

bool Match::takes_host(http::RequestHead const& head) const {
  auto const& hosts = settings_.hosts;
  if (hosts.empty()) return true;
  return std::any_of(hosts.begin(), hosts.end(), [host = bare_host(head.host)](std::string const& wanted) {
    return http::equal_ignoring_case(host, bare_host(wanted));
  });
}

bool Match::takes_path(http::RequestHead const& head) const {
  if (!settings_.path_prefix && !path_) return true;
  // A tunnel's target has no path.
  if (head.method == http::Method::connect) return false;
  auto const path = head.path();
  if (settings_.path_prefix && !has_prefix(path, *settings_.path_prefix)) return false;
  return (!path_ || path_->matches(path)) && !has_dot_segments(path);
}

bool Match::takes(http::RequestHead const& head) const {
  if (!takes_host(head)) return false;
  auto const& methods = settings_.methods;
  if (!methods.empty() && std::find(methods.begin(), methods.end(), head.method_text) == methods.end()) {
    return false;
  }
  return takes_path(head) &&
         std::all_of(settings_.headers.begin(), settings_.headers.end(),
                     [&head](auto const& wanted) { return has_field(head.fields, wanted); });
}

}  // namespace candor
