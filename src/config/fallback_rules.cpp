#include "fallback_rules.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "place.hpp"
#include "scope.hpp"
#include "suggest.hpp"

namespace candor::config {

namespace {

UpstreamSettings const* upstream_named(Config const& config, std::string_view name) {
  auto const found = std::find_if(config.upstreams.begin(), config.upstreams.end(),
                                  [name](auto const& upstream) { return upstream.name == name; });
  return found == config.upstreams.end() ? nullptr : &*found;
}

/// The upstreams that may be asked next: of it, and of its routes.
std::vector<UpstreamSettings const*> after(Config const& config, UpstreamSettings const& upstream) {
  std::vector<UpstreamSettings const*> next;
  auto const add = [&](std::optional<FallbackSettings> const& fallback) {
    if (!fallback || !fallback->upstream) return;
    if (auto const* named = upstream_named(config, *fallback->upstream)) next.push_back(named);
  };
  add(upstream.fallback);
  for (auto const& route : upstream.routes) add(route.fallback);
  return next;
}

/// From an upstream by way of `first` back to itself, as short as it gets: "a, b, a". Empty: no way leads
/// back.
std::string loop_through(Config const& config, UpstreamSettings const& upstream,
                         UpstreamSettings const& first) {
  struct Step {
    UpstreamSettings const* at;
    std::string way;
  };
  std::deque<Step> steps{{&first, upstream.name + ", " + first.name}};
  std::set<UpstreamSettings const*> seen;
  while (!steps.empty()) {
    auto const [at, way] = steps.front();
    steps.pop_front();
    if (at == &upstream) return way;
    if (!seen.insert(at).second) continue;
    for (auto const* next : after(config, *at)) steps.push_back({next, way + ", " + next->name});
  }
  return {};
}

void check_upstream_named(FallbackSettings const& fallback, UpstreamSettings const& upstream,
                          Config const& config, std::string const& path, Report& report) {
  auto const& wanted = fallback.upstream;
  auto const where = path + ".upstream";
  if (!wanted || report.is_wrong(where)) return;
  auto const* other = upstream_named(config, *wanted);
  if (other == nullptr) {
    std::vector<std::string_view> names;
    for (auto const& each : config.upstreams) {
      if (&each != &upstream) names.push_back(each.name);
    }
    report.add(report.offset_of(where), where,
               "there is no upstream " + *wanted + did_you_mean(*wanted, names));
  } else if (auto const loop = loop_through(config, upstream, *other); !loop.empty()) {
    report.add(report.offset_of(where), where, "fallbacks must not go round in a circle: " + loop);
  }
}

/// What is said of a fixed answer makes one.
void check_fixed(FallbackSettings const& fallback, std::string const& path, Report& report) {
  for (auto const& header : fallback.headers) {
    auto const where = join(path + ".headers", header.name);
    if (report.is_wrong(where)) continue;
    if (same_field(header.name, "Content-Type")) {
      report.add(report.offset_of(where), where, "that is content_type");
    } else if (is_reserved(header.name)) {
      report.add(report.offset_of(where), where, "Candor writes this field itself");
    }
  }
  if (report.is_wrong(path + ".status")) return;
  if (!fallback.status) {
    for (auto const* key : {".content_type", ".headers", ".body"}) {
      auto const where = path + key;
      if (!report.offset_of(where) || report.is_wrong(where)) continue;
      report.add(report.offset_of(where), where, "there is no fixed answer without a status");
    }
    return;
  }
  bool const bodyless = *fallback.status == 204 || *fallback.status == 205 || *fallback.status == 304;
  if (bodyless && !fallback.body.empty() && !report.is_wrong(path + ".body")) {
    report.add(report.offset_of(path + ".body"), path + ".body",
               "an answer of status " + std::to_string(*fallback.status) + " has no body");
  }
}

/// Of an upstream, or of one of its routes.
void check_fallback(FallbackSettings const& fallback, UpstreamSettings const& upstream, Config const& config,
                    std::string const& path, Report& report) {
  bool const gives_nothing = !fallback.upstream && !fallback.stale && !fallback.status;
  bool const is_clear = !report.is_wrong(path + ".upstream") && !report.is_wrong(path + ".stale") &&
                        !report.is_wrong(path + ".status");
  if (gives_nothing && is_clear) {
    report.add(report.offset_near(path), path, "it gives nothing: say upstream, stale or status");
    return;
  }
  if (fallback.on.empty() && !report.is_list_wrong(path + ".on")) {
    report.add(report.offset_near(path + ".on"), path + ".on",
               "no request gets it; to have no fallback, leave it out");
  }
  check_upstream_named(fallback, upstream, config, path, report);
  check_fixed(fallback, path, report);
}

}  // namespace

bool same_field(std::string_view a, std::string_view b) {
  auto const lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&lower](char x, char y) { return lower(x) == lower(y); });
}

bool is_reserved(std::string_view field) {
  static constexpr std::array<std::string_view, 20> reserved{"Host",
                                                             "Connection",
                                                             "Content-Length",
                                                             "Transfer-Encoding",
                                                             "TE",
                                                             "Trailer",
                                                             "Upgrade",
                                                             "Keep-Alive",
                                                             "Proxy-Authorization",
                                                             "Proxy-Authenticate",
                                                             "Proxy-Status",
                                                             "Proxy-Connection",
                                                             "Expect",
                                                             "Via",
                                                             "Max-Forwards",
                                                             "candor-attempt",
                                                             "candor-retry-reason",
                                                             "candor-retry",
                                                             "candor-fallback",
                                                             "Age"};
  return std::any_of(reserved.begin(), reserved.end(),
                     [field](std::string_view each) { return same_field(field, each); });
}

void check_fallbacks(Config const& config, Report& report) {
  for (auto const& upstream : config.upstreams) {
    auto const path = join("upstreams", upstream.name);
    auto const check = [&](std::optional<FallbackSettings> const& fallback, std::string const& where) {
      // One that a route has from its upstream has been judged there.
      if (!fallback || report.is_wrong(where) || !report.offset_of(where)) return;
      check_fallback(*fallback, upstream, config, where, report);
    };
    check(upstream.fallback, path + ".fallback");
    for (std::size_t i = 0; i < upstream.routes.size(); ++i) {
      check(upstream.routes[i].fallback, item(path + ".routes", i) + ".fallback");
    }
  }
}

}  // namespace candor::config
