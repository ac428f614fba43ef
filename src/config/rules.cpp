#include "rules.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "check_rules.hpp"
#include "fallback_rules.hpp"
#include "format.hpp"
#include "place.hpp"
#include "scalar_text.hpp"
#include "source.hpp"
#include "suggest.hpp"

namespace candor::config {

namespace {

std::string item(std::string const& path, std::size_t index) {
  return path + "[" + std::to_string(index) + "]";
}

/// A value and its key, for comparing it with a neighbour's.
template <class T>
struct Setting {
  std::string_view key;
  T value;
};

/// `lower` must not be above `upper`; both keys stand under `path`. Told at the one that the file speaks of.
template <class T>
void in_order(Report& report, std::string const& path, Setting<T> lower, Setting<T> upper) {
  auto const lower_path = join(path, lower.key);
  auto const upper_path = join(path, upper.key);
  if (lower.value <= upper.value || report.is_wrong(lower_path) || report.is_wrong(upper_path)) return;
  auto const shown = [&report](Setting<T> const& setting, std::string const& where) {
    auto const given = report.offset_of(where).has_value();
    return std::string(setting.key) + ", " + text_of(setting.value) + (given ? "" : " by default");
  };
  if (auto const offset = report.offset_of(lower_path)) {
    report.add(offset, lower_path, text_of(lower.value) + " is above " + shown(upper, upper_path));
  } else {
    report.add(report.offset_near(upper_path), upper_path,
               text_of(upper.value) + " is below " + shown(lower, lower_path));
  }
}

void check_timeouts(TimeoutSettings const& timeouts, std::string const& path, Report& report) {
  Setting<Duration> const connect{"connect", timeouts.connect};
  Setting<Duration> const attempt{"attempt", timeouts.attempt};
  Setting<Duration> const request{"request", timeouts.request};
  in_order(report, path, connect, attempt);
  in_order(report, path, attempt, request);
  if (timeouts.total) in_order(report, path, request, {"total", *timeouts.total});
}

void check_deadline_header(TimeoutSettings const& timeouts, std::string const& path, Report& report) {
  if (!timeouts.deadline_header || report.is_wrong(path)) return;
  auto const& header = *timeouts.deadline_header;
  if (is_reserved(header.name) && !report.is_wrong(path + ".name")) {
    report.add(report.offset_near(path + ".name"), path + ".name", header.name + " says something else");
  }
  bool const is_grpc = same_field(header.name, "grpc-timeout");
  if (is_grpc && header.format != DeadlineFormat::grpc && !report.is_wrong(path + ".format")) {
    report.add(report.offset_near(path + ".format"), path + ".format", "grpc-timeout is written as grpc");
  }
}

bool is_failure(ClassifySettings const& classify, std::uint16_t status) {
  auto const& failures = classify.failure_statuses;
  return std::any_of(failures.begin(), failures.end(),
                     [status](StatusRange range) { return range.first <= status && status <= range.last; });
}

void check_retry(UpstreamSettings const& upstream, std::string const& upstream_path, Report& report) {
  auto const path = upstream_path + ".retry";
  auto const& retry = upstream.retry;
  in_order<Duration>(report, path + ".backoff", {"base", retry.backoff.base}, {"cap", retry.backoff.cap});
  auto const& budget = retry.budget;
  if (budget.stretch && report.offset_of(path + ".budget.stretch")) {
    in_order<double>(report, path + ".budget", {"ratio", budget.ratio}, {"stretch", *budget.stretch});
  }
  auto const on = path + ".on";
  if (!report.offset_of(on) || report.is_list_wrong(upstream_path + ".breaker.failure_statuses")) return;
  for (auto const status : retry.on.statuses) {
    if (status == 429) {
      report.add(report.offset_of(on), on, "429 is never a status failure: list \"overload\"");
    } else if (!is_failure(upstream.classify, status)) {
      report.add(report.offset_of(on), on, std::to_string(status) + " is not among breaker.failure_statuses");
    }
  }
}

void check_hedge(UpstreamSettings const& upstream, std::string const& upstream_path, Report& report) {
  auto const path = upstream_path + ".retry.hedge";
  if (!upstream.retry.hedge || report.is_wrong(path)) return;
  auto const& hedge = *upstream.retry.hedge;
  auto const after = path + ".after";
  auto const attempt = upstream_path + ".timeouts.attempt";
  bool const is_clear = !report.is_wrong(after) && !report.is_wrong(path + ".quantile");
  if (!hedge.after && !hedge.quantile && is_clear) {
    report.add(report.offset_near(path), path, "it never goes out: say after or quantile");
  }
  if (upstream.retry.attempts == 1) {
    report.add(report.offset_near(path), path, "it is a second attempt, and retry.attempts is 1");
  }
  if (upstream.retry.replay == Replay::never) {
    report.add(report.offset_near(path), path, "it sends a request again, and retry.replay is never");
  }
  if (hedge.after && *hedge.after >= upstream.timeouts.attempt && is_clear && !report.is_wrong(attempt)) {
    auto const by_default = report.offset_of(attempt) ? "" : " by default";
    report.add(report.offset_of(after), after,
               "an attempt ends before that: timeouts.attempt is " + text_of(upstream.timeouts.attempt) +
                   by_default);
  }
}

void check_breaker(UpstreamSettings const& upstream, std::string const& path, Report& report) {
  auto const& breaker = upstream.breaker;
  in_order<Duration>(report, path + ".open", {"first", breaker.open.first}, {"cap", breaker.open.cap});
  auto const& trip = breaker.trip;
  auto const trip_path = path + ".trip";
  if (trip.slow_rate && !breaker.slow_after && !report.is_wrong(path + ".slow_after")) {
    auto const slow_rate = trip_path + ".slow_rate";
    report.add(report.offset_near(slow_rate), slow_rate,
               "no attempt is ever slow without breaker.slow_after");
  }
  if (!trip.evidence && !trip.consecutive_failures && !trip.failure_rate && !trip.slow_rate &&
      !trip.strain_rate) {
    report.add(report.offset_near(trip_path), trip_path,
               "no rule is left; to have no breaker, say enabled: false");
  }
}

void check_queue(UpstreamSettings const& upstream, std::string const& path, Report& report) {
  auto const queue_timeout = path + ".limit.queue_timeout";
  auto const offset = report.offset_of(queue_timeout);
  if (!offset || report.is_wrong(queue_timeout) || report.is_wrong(path + ".limit.queue")) return;
  auto const& timeouts = upstream.timeouts;
  if (!upstream.limit.queue) {
    report.add(offset, queue_timeout, "nothing waits without a limit.queue");
  } else if (upstream.limit.queue_timeout >= timeouts.request &&
             !report.is_wrong(path + ".timeouts.request")) {
    report.add(offset, queue_timeout,
               "a request ends before that: timeouts.request is " + text_of(timeouts.request));
  }
}

void check_limit(AttemptLimitSettings const& limit, std::string const& path, Report& report) {
  if (!limit.adaptive || report.is_wrong(path + ".adaptive")) return;
  auto const& adaptive = *limit.adaptive;
  auto const within = path + ".adaptive";
  auto const number = [](std::size_t count) { return static_cast<std::int64_t>(count); };
  in_order<std::int64_t>(report, within, {"least", number(adaptive.least)},
                         {"first", number(adaptive.first)});
  auto const first = within + ".first";
  if (adaptive.first <= limit.attempts || report.is_wrong(first) || report.is_wrong(path + ".attempts"))
    return;
  auto const at = report.offset_of(first) ? first : path + ".attempts";
  report.add(report.offset_near(at), at,
             "the limit begins at adaptive.first, " + std::to_string(adaptive.first) +
                 ", and is never above attempts, " + std::to_string(limit.attempts));
}

void check_slow_after(UpstreamSettings const& upstream, std::string const& path, Report& report) {
  auto const slow_after = path + ".breaker.slow_after";
  auto const attempt = path + ".timeouts.attempt";
  if (!upstream.breaker.slow_after || *upstream.breaker.slow_after < upstream.timeouts.attempt) return;
  if (report.is_wrong(slow_after) || report.is_wrong(attempt)) return;
  auto const by_default = report.offset_of(attempt) ? "" : " by default";
  report.add(report.offset_of(slow_after), slow_after,
             "an attempt ends before it is slow: timeouts.attempt is " + text_of(upstream.timeouts.attempt) +
                 by_default);
}

void check_endpoints(UpstreamSettings const& upstream, std::string const& path, Report& report) {
  auto const list = path + ".endpoints";
  std::set<std::string> seen;
  for (std::size_t i = 0; i < upstream.endpoints.size(); ++i) {
    auto const& address = upstream.endpoints[i].address;
    auto const where = item(list, i);
    auto const address_path = where + ".address";
    if (address.empty() || report.is_wrong(where) || report.is_wrong(address_path)) continue;
    if (!seen.insert(canonical_address(address)).second) {
      report.add(report.offset_near(address_path), where,
                 "the endpoint " + address + " stands in the list twice");
    }
  }
}

void check_balance(BalanceSettings const& balance, std::string const& path, Report& report) {
  auto const hash_header = path + ".hash_header";
  bool const hashes = balance.policy == BalanceSettings::Policy::ring_hash;
  if (hashes == balance.hash_header.has_value() || report.is_wrong(hash_header)) return;
  if (report.is_wrong(path) || report.is_wrong(path + ".policy")) return;
  if (hashes) {
    report.add(report.offset_near(hash_header), path, "ring_hash needs a hash_header");
  } else {
    report.add(report.offset_near(hash_header), hash_header, "only the policy ring_hash reads it");
  }
}

/// Something that may be said once only, and where it was said.
struct Claim {
  std::vector<std::string> takes;  ///< what others can't have any more
  std::vector<std::string> wants;  ///< what nobody else may have taken
  std::string shown;               ///< as the file spells it
  std::string path;
  std::string owner;  ///< claims of one owner don't clash; empty: they do
};

/// A path and where the file speaks of it.
std::string with_line(std::string const& path, Report const& report) {
  auto const offset = report.offset_of(path);
  return path + (offset ? " in line " + report.line(*offset) : std::string(" by default"));
}

/// The later of two clashing claims, in the order of the file, is the wrong one.
void no_clash(std::vector<Claim> claims, Report& report) {
  std::erase_if(claims, [&report](Claim const& claim) { return report.is_wrong(claim.path); });
  std::stable_sort(claims.begin(), claims.end(), [&report](Claim const& a, Claim const& b) {
    return report.offset_of(a.path) < report.offset_of(b.path);
  });
  std::map<std::string, Claim const*> first;
  for (auto const& claim : claims) {
    auto const clashing = std::find_if(claim.wants.begin(), claim.wants.end(), [&](std::string const& key) {
      auto const found = first.find(key);
      return found != first.end() && (claim.owner.empty() || claim.owner != found->second->owner);
    });
    if (clashing != claim.wants.end()) {
      auto const& other = *first.at(*clashing);
      report.add(report.offset_near(claim.path), claim.path,
                 claim.shown + " is taken: " + with_line(other.path, report));
    }
    for (auto const& key : claim.takes) first.emplace(key, &claim);
  }
}

// Of a valid host: a name's last part is never all digits.
bool is_ipv4(std::string const& host) {
  return std::all_of(host.begin(), host.end(), [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
}

/// A place to listen: one port of one address, or of all addresses that a wildcard stands for.
Claim port_claim(std::string const& address, std::string path) {
  auto const [host, number] = host_and_port(address);
  auto const port = " " + std::to_string(number);
  auto const own = (host == "localhost" ? "127.0.0.1" : host) + port;
  Claim claim{.takes = {own}, .wants = {own}, .shown = address, .path = std::move(path), .owner = {}};
  auto const of_family = [&](char const* family, char const* wildcard) {
    claim.takes.push_back(family + port);
    claim.wants.push_back((host == wildcard ? family : wildcard) + port);
  };
  if (is_ipv4(own.substr(0, own.size() - port.size()))) {
    of_family("IPv4", "0.0.0.0");
    claim.wants.push_back("::" + port);
  } else if (host.find(':') != std::string::npos) {
    of_family("IPv6", "::");
    // The wildcard of IPv6 takes the callers of IPv4 as well.
    if (host == "::") claim.wants.push_back("IPv4" + port);
  }
  return claim;
}

void check_addresses(Config const& config, Report& report) {
  std::vector<Claim> claims;
  auto const claim = [&claims](std::string const& address, std::string path) {
    if (is_unix(address)) {
      auto const place = host_and_port(address).host;
      claims.push_back(
          {.takes = {place}, .wants = {place}, .shown = address, .path = std::move(path), .owner = {}});
      return;
    }
    // Of port 0 everybody gets another one.
    if (!address.empty() && host_and_port(address).port != 0) {
      claims.push_back(port_claim(address, std::move(path)));
    }
  };
  if (config.admin.listen) claim(*config.admin.listen, "admin.listen");
  for (std::size_t i = 0; i < config.listeners.size(); ++i) {
    claim(config.listeners[i].listen, item("listeners", i) + ".listen");
  }
  for (auto const& upstream : config.upstreams) {
    if (upstream.listen) claim(*upstream.listen, join("upstreams", upstream.name) + ".listen");
  }
  no_clash(std::move(claims), report);
}

void check_hosts(Config const& config, Report& report) {
  std::vector<Claim> claims;
  for (auto const& upstream : config.upstreams) {
    auto const path = join("upstreams", upstream.name);
    auto const claim = [&](std::string const& host, std::string where) {
      auto const key = canonical_host(host);
      claims.push_back({.takes = {key},
                        .wants = {key},
                        .shown = "the host " + host,
                        .path = std::move(where),
                        .owner = upstream.name});
    };
    claim(upstream.name, path);
    for (std::size_t i = 0; i < upstream.hosts.size(); ++i)
      claim(upstream.hosts[i], item(path + ".hosts", i));
  }
  no_clash(std::move(claims), report);
}

/// Whether a connection to the one arrives at the other. What a name stands for nobody knows before it is
/// looked up; but localhost stands for this machine.
bool leads_to(HostAndPort const& endpoint, HostAndPort const& listen) {
  auto const& to = endpoint.host;
  auto const& at = listen.host;
  if (endpoint.port != listen.port) return false;
  if (to == at) return true;
  auto const is_any = [](std::string const& host) { return host == "0.0.0.0" || host == "::"; };
  // Where localhost leads; so does the wildcard, as an address to connect to.
  auto const is_usual = [](std::string const& host) {
    return host == "localhost" || host == "127.0.0.1" || host == "::1";
  };
  bool const to_this_machine = is_usual(to) || is_any(to) || (is_ipv4(to) && to.starts_with("127."));
  if (is_any(at)) return to_this_machine;
  bool const by_name = to == "localhost" || at == "localhost";
  return is_usual(at) && (is_any(to) || (by_name && is_usual(to)));
}

/// A place where Candor listens.
struct Listening {
  HostAndPort at;
  std::string path;
};

void add_listening(std::vector<Listening>& places, std::string const& address, std::string path,
                   Report const& report) {
  if (address.empty() || report.is_wrong(path)) return;
  places.push_back({host_and_port(address), std::move(path)});
}

/// What an upstream is sent must not come back, to be sent to it again.
void check_loops(Config const& config, Report& report) {
  std::vector<Listening> shared;
  for (std::size_t i = 0; i < config.listeners.size(); ++i) {
    add_listening(shared, config.listeners[i].listen, item("listeners", i) + ".listen", report);
  }
  for (auto const& upstream : config.upstreams) {
    auto const path = join("upstreams", upstream.name);
    std::vector<Listening> own;
    if (upstream.listen) add_listening(own, *upstream.listen, path + ".listen", report);
    for (std::size_t i = 0; i < upstream.endpoints.size(); ++i) {
      auto const& address = upstream.endpoints[i].address;
      auto const where = item(path + ".endpoints", i);
      if (address.empty() || report.is_wrong(where) || report.is_wrong(where + ".address")) continue;
      auto const leads_there = [to = host_and_port(address)](Listening const& place) {
        return leads_to(to, place.at);
      };
      for (auto const* places : {&own, &shared}) {
        auto const loop = std::find_if(places->begin(), places->end(), leads_there);
        if (loop == places->end()) continue;
        report.add(report.offset_near(where + ".address"), where,
                   "the endpoint " + address +
                       " would lead back to Candor, in a loop: " + with_line(loop->path, report));
        break;
      }
    }
  }
}

void check_upstream(UpstreamSettings const& upstream, Config const& config, Report& report) {
  auto const path = join("upstreams", upstream.name);
  if (report.is_wrong(path)) return;
  if (!upstream.listen && config.listeners.empty() && !report.is_wrong(path + ".listen") &&
      !report.is_wrong("listeners")) {
    report.add(report.offset_of(path), path, "no caller can reach it: give it a listen, or have a listener");
  }
  check_endpoints(upstream, path, report);
  check_balance(upstream.balance, path + ".balance", report);
  check_timeouts(upstream.timeouts, path + ".timeouts", report);
  check_deadline_header(upstream.timeouts, path + ".timeouts.deadline_header", report);
  check_retry(upstream, path, report);
  check_hedge(upstream, path, report);
  check_breaker(upstream, path + ".breaker", report);
  check_slow_after(upstream, path, report);
  check_limit(upstream.limit, path + ".limit", report);
  check_queue(upstream, path, report);
  check_checks(upstream, path, report);
}

void check_connections(Config const& config, Report& report) {
  for (std::size_t i = 0; i < config.listeners.size(); ++i) {
    auto const& own = config.listeners[i].connections;
    auto const path = item("listeners", i) + ".connections";
    if (!own || *own <= config.net.limits.connections || report.is_wrong(path)) continue;
    report.add(report.offset_of(path), path,
               std::to_string(*own) + " is above limits.connections, " +
                   std::to_string(config.net.limits.connections));
  }
}

/// A route leads to an upstream that there is, and asks for something that there can be.
void check_routes(Config const& config, Report& report) {
  for (std::size_t i = 0; i < config.listeners.size(); ++i) {
    auto const& routes = config.listeners[i].routes;
    for (std::size_t k = 0; k < routes.size(); ++k) {
      auto const path = item(item("listeners", i) + ".routes", k);
      auto const& match = routes[k].match;
      bool const asks_nothing =
          match.hosts.empty() && match.methods.empty() && !match.path_prefix && match.headers.empty();
      if (asks_nothing && !report.is_wrong(path + ".match")) {
        report.add(report.offset_near(path + ".match"), path + ".match", "it asks for nothing");
      }
      auto const to = path + ".upstream";
      bool const known =
          std::any_of(config.upstreams.begin(), config.upstreams.end(),
                      [&](auto const& upstream) { return upstream.name == routes[k].upstream; });
      if (known || routes[k].upstream.empty() || report.is_wrong(to)) continue;
      std::vector<std::string_view> names;
      for (auto const& upstream : config.upstreams) names.push_back(upstream.name);
      report.add(report.offset_of(to), to,
                 "there is no upstream " + routes[k].upstream + did_you_mean(routes[k].upstream, names));
    }
  }
}

/// What a file does not say of an adaptive limit gives way to what it does say.
void settle_limit(AttemptLimitSettings& limit, std::string const& path, Report const& report) {
  if (!limit.adaptive) return;
  auto& adaptive = *limit.adaptive;
  bool const says_least = report.offset_of(path + ".least").has_value();
  bool const says_first = report.offset_of(path + ".first").has_value();
  if (!says_first) adaptive.first = std::min(adaptive.first, limit.attempts);
  if (!says_first && says_least) adaptive.first = std::max(adaptive.first, adaptive.least);
  if (!says_least) adaptive.least = std::min(adaptive.least, adaptive.first);
}

}  // namespace

void settle_defaults(Config& config, Report const& report) {
  for (auto& upstream : config.upstreams) {
    auto const retry = join("upstreams", upstream.name) + ".retry";
    if (!report.offset_of(retry + ".on")) {
      std::erase_if(upstream.retry.on.statuses,
                    [&](std::uint16_t status) { return !is_failure(upstream.classify, status); });
    }
    auto& budget = upstream.retry.budget;
    settle_limit(upstream.limit, join("upstreams", upstream.name) + ".limit.adaptive", report);
    bool const is_narrower = budget.stretch && *budget.stretch < budget.ratio;
    if (is_narrower && !report.offset_of(retry + ".budget.stretch")) budget.stretch.reset();
  }
}

void check_rules(Config const& config, Report& report) {
  for (auto const& upstream : config.upstreams) check_upstream(upstream, config, report);
  check_addresses(config, report);
  check_loops(config, report);
  check_hosts(config, report);
  check_routes(config, report);
  check_fallbacks(config, report);
  check_connections(config, report);
  in_order<Bytes>(report, "limits", {"target", config.net.limits.target}, {"head", config.net.limits.head});
}

}  // namespace candor::config
