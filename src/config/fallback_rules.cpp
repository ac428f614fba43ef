#include "fallback_rules.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "place.hpp"
#include "suggest.hpp"

namespace candor::config {

namespace {

UpstreamSettings const* upstream_named(Config const& config, std::string_view name) {
  auto const found = std::find_if(config.upstreams.begin(), config.upstreams.end(),
                                  [name](auto const& upstream) { return upstream.name == name; });
  return found == config.upstreams.end() ? nullptr : &*found;
}

/// The upstream that is asked next; nothing where the way ends.
UpstreamSettings const* after(Config const& config, UpstreamSettings const& upstream) {
  if (!upstream.fallback || !upstream.fallback->upstream) return nullptr;
  return upstream_named(config, *upstream.fallback->upstream);
}

/// From an upstream back to itself: "a, b, a". Empty: its way ends elsewhere.
std::string loop_through(Config const& config, UpstreamSettings const& upstream) {
  std::string way = upstream.name;
  auto const* at = after(config, upstream);
  for (std::size_t steps = 0; at != nullptr && steps < config.upstreams.size(); ++steps) {
    way += ", " + at->name;
    if (at == &upstream) return way;
    at = after(config, *at);
  }
  return {};
}

void check_upstream_named(UpstreamSettings const& upstream, Config const& config, std::string const& path,
                          Report& report) {
  auto const& wanted = upstream.fallback->upstream;
  auto const where = path + ".upstream";
  if (!wanted || report.is_wrong(where)) return;
  if (upstream_named(config, *wanted) == nullptr) {
    std::vector<std::string_view> names;
    for (auto const& each : config.upstreams) {
      if (&each != &upstream) names.push_back(each.name);
    }
    report.add(report.offset_of(where), where,
               "there is no upstream " + *wanted + did_you_mean(*wanted, names));
  } else if (auto const loop = loop_through(config, upstream); !loop.empty()) {
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
    auto const path = join("upstreams", upstream.name) + ".fallback";
    if (!upstream.fallback || report.is_wrong(path)) continue;
    auto const& fallback = *upstream.fallback;
    bool const gives_nothing = !fallback.upstream && !fallback.stale && !fallback.status;
    bool const is_clear = !report.is_wrong(path + ".upstream") && !report.is_wrong(path + ".stale") &&
                          !report.is_wrong(path + ".status");
    if (gives_nothing && is_clear) {
      report.add(report.offset_near(path), path, "it gives nothing: say upstream, stale or status");
      continue;
    }
    if (fallback.on.empty() && !report.is_list_wrong(path + ".on")) {
      report.add(report.offset_near(path + ".on"), path + ".on",
                 "no request gets it; to have no fallback, leave it out");
    }
    check_upstream_named(upstream, config, path, report);
    check_fixed(fallback, path, report);
  }
}

}  // namespace candor::config
