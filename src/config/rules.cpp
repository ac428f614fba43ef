#include "rules.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "check_rules.hpp"
#include "endpoint_rules.hpp"
#include "fallback_rules.hpp"
#include "format.hpp"
#include "place.hpp"
#include "route_rules.hpp"
#include "scope.hpp"
#include "shadow_rules.hpp"
#include "source.hpp"
#include "treatment_rules.hpp"

namespace candor::config {

namespace {

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

bool is_loopback(std::string const& host) {
  return host == "localhost" || host == "::1" || (is_ipv4(host) && host.starts_with("127."));
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
  check_endpoint_list(upstream.endpoints, path + ".endpoints", report);
  check_discover(upstream, path, report);
  check_balance(upstream.balance, path + ".balance", report);
  check_treatment(as_a_route(upstream), Scope{report, path});
  check_checks(upstream, path, report);
  if (upstream.shadow) check_shadow(*upstream.shadow, as_a_route(upstream), true, path, report);
  check_routes(upstream, path, report);
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

/// A bound that is as it would be anyway says nothing wrong.
void check_dns(DnsSettings const& dns, Report& report) {
  in_order<Duration>(Scope{report, "dns"}, "", {"least_ttl", dns.least_ttl}, {"most_ttl", dns.most_ttl});
  if (!dns.refresh) return;
  auto const is_in_vain = [&report](std::string const& path, bool is_said) {
    if (!is_said || report.is_wrong(path)) return;
    report.add(report.offset_near(path), path, "it changes nothing: dns.refresh goes before every TTL");
  };
  is_in_vain("dns.least_ttl", dns.least_ttl != DnsSettings{}.least_ttl);
  is_in_vain("dns.most_ttl", dns.most_ttl != DnsSettings{}.most_ttl);
}

/// The port asks nobody who he is.
void check_admin(AdminSettings const& admin, Report& report) {
  if (!admin.changes || !admin.listen || admin.listen->empty()) return;
  if (report.is_wrong("admin.listen") || report.is_wrong("admin.changes")) return;
  if (is_loopback(host_and_port(*admin.listen).host)) return;
  report.add(report.offset_near("admin.changes"), "admin.changes",
             "whoever reaches " + *admin.listen +
                 " could hold circuits: listen on a loopback address, or leave it out");
}

void check_limits(LimitSettings const& limits, Report& report) {
  in_order<Bytes>(Scope{report, "limits"}, "", {"target", limits.target}, {"head", limits.head});
}

}  // namespace

void settle_defaults(Config& config, Report const& report) {
  for (auto& upstream : config.upstreams) {
    auto const path = join("upstreams", upstream.name);
    auto const retry = path + ".retry";
    if (!report.offset_of(retry + ".on")) {
      std::erase_if(upstream.retry.on.statuses,
                    [&](std::uint16_t status) { return !is_failure(upstream.classify, status); });
    }
    auto& budget = upstream.retry.budget;
    settle_limit(upstream.limit, join("upstreams", upstream.name) + ".limit.adaptive", report);
    bool const is_narrower = budget.stretch && *budget.stretch < budget.ratio;
    if (is_narrower && !report.offset_of(retry + ".budget.stretch")) budget.stretch.reset();
    settle_shadow(upstream.shadow, upstream.retry, path, report);
    settle_routes(upstream, path, report);
  }
}

void check_rules(Config const& config, Report& report) {
  for (auto const& upstream : config.upstreams) check_upstream(upstream, config, report);
  check_addresses(config, report);
  check_loops(config, report);
  check_hosts(config, report);
  check_signposts(config, report);
  check_fallbacks(config, report);
  check_connections(config, report);
  check_dns(config.net.dns, report);
  check_admin(config.admin, report);
  check_limits(config.net.limits, report);
}

}  // namespace candor::config
