#include "route_rules.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "candor/core/pattern.hpp"
#include "format.hpp"
#include "scope.hpp"
#include "shadow_rules.hpp"
#include "suggest.hpp"
#include "treatment_rules.hpp"

namespace candor::config {

namespace {

// --- what a request must look like ---

bool asks_nothing(MatchSettings const& match) {
  return match.hosts.empty() && match.methods.empty() && !match.path_prefix && !match.path_regex &&
         match.headers.empty();
}

/// `path`: of the match.
void check_match(MatchSettings const& match, std::string const& path, Report& report) {
  if (report.is_wrong(path)) return;
  if (asks_nothing(match)) report.add(report.offset_near(path), path, "it asks for nothing");
  auto const regex = path + ".path_regex";
  if (!match.path_regex || report.is_wrong(regex)) return;
  auto const pattern = Pattern::compile(*match.path_regex);
  if (auto const* error = std::get_if<std::string>(&pattern)) {
    report.add(report.offset_of(regex), regex, "is no regular expression: " + *error);
  } else if (!std::get<Pattern>(pattern).may_begin_with('/')) {
    report.add(report.offset_of(regex), regex, "no path is like that: paths begin with /");
  }
}

/// Whether every one of these words is among those, or all are.
bool covers(std::vector<std::string> const& those, std::vector<std::string> const& these,
            std::string (*spelt)(std::string_view)) {
  auto const is_among = [&](std::string const& word) {
    return std::any_of(those.begin(), those.end(),
                       [&](std::string const& each) { return spelt(each) == spelt(word); });
  };
  return those.empty() || (!these.empty() && std::all_of(these.begin(), these.end(), is_among));
}

bool is_prefix(std::string_view prefix, std::string_view path) {
  if (!path.starts_with(prefix)) return false;
  return path.size() == prefix.size() || prefix.ends_with('/') || path[prefix.size()] == '/';
}

/// Whether the earlier one, as far as can be seen, takes all that the later one would.
bool takes_all_of(MatchSettings const& earlier, MatchSettings const& later) {
  auto const as_it_is = [](std::string_view word) { return std::string(word); };
  auto const has = [&later](FieldMatchSettings const& wanted) {
    return std::any_of(later.headers.begin(), later.headers.end(), [&wanted](auto const& each) {
      return canonical_host(each.name) == canonical_host(wanted.name) &&
             (!wanted.value || each.value == wanted.value);
    });
  };
  bool const same_paths =
      (!earlier.path_prefix || (later.path_prefix && is_prefix(*earlier.path_prefix, *later.path_prefix))) &&
      (!earlier.path_regex || earlier.path_regex == later.path_regex);
  return same_paths && covers(earlier.hosts, later.hosts, canonical_host) &&
         covers(earlier.methods, later.methods, as_it_is) &&
         std::all_of(earlier.headers.begin(), earlier.headers.end(), has);
}

/// Each route has requests left to take, and a name of its own. `matches`: by index, and where they stand.
void check_reached(std::vector<MatchSettings const*> const& matches, std::string const& list,
                   Report& report) {
  auto const path_of = [&list](std::size_t index) { return item(list, index) + ".match"; };
  auto const is_clear = [&](std::size_t index) {
    return !report.is_section_wrong(path_of(index)) && !asks_nothing(*matches[index]);
  };
  for (std::size_t later = 0; later < matches.size(); ++later) {
    if (!is_clear(later)) continue;
    for (std::size_t earlier = 0; earlier < later; ++earlier) {
      if (!is_clear(earlier) || !takes_all_of(*matches[earlier], *matches[later])) continue;
      report.add(report.offset_near(path_of(later)), path_of(later),
                 "no request gets here: " + item(list, earlier) + " takes them all");
      break;
    }
  }
}

// --- routes of an upstream ---

void check_names(UpstreamSettings const& upstream, std::string const& list, Report& report) {
  auto const& routes = upstream.routes;
  for (std::size_t i = 0; i < routes.size(); ++i) {
    auto const path = item(list, i) + ".name";
    if (!routes[i].name || report.is_wrong(path)) continue;
    auto const same = [&](RouteSettings const& other) { return other.name == routes[i].name; };
    auto const first =
        static_cast<std::size_t>(std::find_if(routes.begin(), routes.end(), same) - routes.begin());
    if (first == i) continue;
    report.add(report.offset_of(path), path,
               "the name " + *routes[i].name + " is taken: " + item(list, first));
  }
}

/// What belongs to a circuit, or to the upstream as a whole, no route can say for itself.
void check_shares(RouteSettings const& route, UpstreamSettings const& upstream, Scope const& scope) {
  if (route.retry.budget != upstream.retry.budget && !scope.is_wrong("retry.budget")) {
    scope.problem("retry.budget", "the budget is the upstream's: all of its routes draw on it");
  }
  if (route.circuit == RouteCircuit::own || scope.is_wrong("circuit")) return;
  auto const must_be_shared = [&scope](std::string_view key, bool is_same) {
    if (is_same || scope.is_wrong(key)) return;
    scope.problem(key,
                  "the circuit is the upstream's, and so are its rules, unless the route says circuit: own");
  };
  auto const& own = route.breaker;
  auto const& shared = upstream.breaker;
  must_be_shared("breaker.enabled", own.enabled == shared.enabled);
  must_be_shared("breaker.window", own.window == shared.window);
  must_be_shared("breaker.trip", own.trip == shared.trip);
  must_be_shared("breaker.open", own.open == shared.open);
  must_be_shared("breaker.probe", own.probe == shared.probe);
  must_be_shared("breaker.ramp", own.ramp == shared.ramp);
  auto const must_be_within = [&scope](std::string_view key, bool is_same) {
    if (is_same || scope.is_wrong(key)) return;
    scope.problem(key,
                  "what is in flight is counted for all routes together, unless this one says circuit: own");
  };
  must_be_within("limit", route.limit == upstream.limit);
  must_be_within("throttle", route.throttle == upstream.throttle);
}

std::vector<MatchSettings const*> matches_of(auto const& routes) {
  std::vector<MatchSettings const*> matches;
  for (auto const& route : routes) matches.push_back(&route.match);
  return matches;
}

}  // namespace

void settle_routes(UpstreamSettings& upstream, std::string const& path, Report const& report) {
  for (std::size_t i = 0; i < upstream.routes.size(); ++i) {
    auto& route = upstream.routes[i];
    auto const where = item(path + ".routes", i);
    // The budget is one. Of a route that speaks of it the rules have to say that it can't.
    if (!report.offset_of(where + ".retry.budget")) route.retry.budget = upstream.retry.budget;
    bool const is_said = report.offset_of(path + ".retry.on") || report.offset_of(where + ".retry.on");
    if (!is_said) {
      std::erase_if(route.retry.on.statuses,
                    [&route](std::uint16_t status) { return !is_failure(route.classify, status); });
    }
    if (!report.offset_of(where + ".limit")) {
      route.limit = upstream.limit;
    } else {
      settle_limit(route.limit, where + ".limit.adaptive", report);
    }
    settle_shadow(route.shadow, route.retry, where, report);
  }
}

void check_routes(UpstreamSettings const& upstream, std::string const& path, Report& report) {
  auto const list = path + ".routes";
  for (std::size_t i = 0; i < upstream.routes.size(); ++i) {
    auto const& route = upstream.routes[i];
    auto const where = item(list, i);
    if (report.is_wrong(where)) continue;
    check_match(route.match, where + ".match", report);
    Scope const scope{report, where, path};
    check_treatment(route, scope);
    check_shares(route, upstream, scope);
    if (route.shadow) {
      check_shadow(*route.shadow, route, route.circuit == RouteCircuit::own, where, report);
    }
  }
  check_reached(matches_of(upstream.routes), list, report);
  check_names(upstream, list, report);
}

void check_signposts(Config const& config, Report& report) {
  std::vector<std::string_view> names;
  for (auto const& upstream : config.upstreams) names.push_back(upstream.name);
  for (std::size_t i = 0; i < config.listeners.size(); ++i) {
    auto const list = item("listeners", i) + ".routes";
    auto const& signposts = config.listeners[i].signposts;
    for (std::size_t k = 0; k < signposts.size(); ++k) {
      auto const path = item(list, k);
      if (report.is_wrong(path)) continue;
      check_match(signposts[k].match, path + ".match", report);
      auto const to = path + ".upstream";
      bool const known = std::find(names.begin(), names.end(), signposts[k].upstream) != names.end();
      if (known || signposts[k].upstream.empty() || report.is_wrong(to)) continue;
      report.add(
          report.offset_of(to), to,
          "there is no upstream " + signposts[k].upstream + did_you_mean(signposts[k].upstream, names));
    }
    check_reached(matches_of(signposts), list, report);
  }
}

}  // namespace candor::config
