#include "candor/proxy/router.hpp"

#include <algorithm>

namespace candor {

namespace {

std::string lower(std::string_view text) {
  std::string out{text};
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
  return out;
}

/// HOST[:PORT] without its port, and without the dot at the end of a name that is whole; an IPv6 address
/// keeps its brackets.
std::string_view bare(std::string_view host) {
  auto const colon = host.rfind(':');
  auto const bracket = host.rfind(']');
  bool const has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || bracket < colon);
  if (has_port) host = host.substr(0, colon);
  if (host.ends_with('.')) host.remove_suffix(1);
  return host;
}

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
  if (!path.starts_with(prefix) || has_dot_segments(path)) return false;
  return path.size() == prefix.size() || prefix.ends_with('/') || path[prefix.size()] == '/';
}

/// Any of a field's lines, as they stand.
bool has_field(http::Fields const& fields, FieldMatchSettings const& wanted) {
  return std::any_of(fields.begin(), fields.end(), [&wanted](http::Field const& field) {
    return http::equal_ignoring_case(field.name, wanted.name) &&
           (!wanted.value || field.value == *wanted.value);
  });
}

}  // namespace

bool matches(MatchSettings const& match, http::RequestHead const& head) {
  auto const is_host = [host = bare(head.host)](std::string const& wanted) {
    return http::equal_ignoring_case(host, bare(wanted));
  };
  if (!match.hosts.empty() && std::none_of(match.hosts.begin(), match.hosts.end(), is_host)) return false;
  auto const& methods = match.methods;
  if (!methods.empty() && std::find(methods.begin(), methods.end(), head.method_text) == methods.end()) {
    return false;
  }
  // A tunnel's target has no path.
  bool const has_path = head.method != http::Method::connect;
  if (match.path_prefix && !(has_path && has_prefix(head.path(), *match.path_prefix))) return false;
  return std::all_of(match.headers.begin(), match.headers.end(),
                     [&head](auto const& wanted) { return has_field(head.fields, wanted); });
}

Router::Router(std::vector<UpstreamSettings> const& upstreams, std::vector<RouteSettings> routes)
    : routes_(std::move(routes)) {
  for (std::size_t i = 0; i < upstreams.size(); ++i) {
    by_name_.emplace(upstreams[i].name, i);
    by_host_.emplace(lower(upstreams[i].name), i);
    for (auto const& host : upstreams[i].hosts) by_host_.emplace(lower(bare(host)), i);
  }
}

std::optional<std::size_t> Router::route(http::RequestHead const& head) const {
  for (auto const& route : routes_) {
    if (matches(route.match, head)) return by_name_.at(route.upstream);
  }
  auto const found = by_host_.find(lower(bare(head.host)));
  if (found == by_host_.end()) return std::nullopt;
  return found->second;
}

}  // namespace candor
