// One upstream, shared by all workers. Its accounts, budget, queues and endpoints are thread-safe; the rest
// does not change.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "candor/http/head.hpp"
#include "candor/proxy/attempt_queue.hpp"
#include "candor/proxy/discovery_status.hpp"
#include "candor/proxy/endpoint_register.hpp"
#include "candor/proxy/route.hpp"
#include "candor/proxy/settings.hpp"
#include "candor/resilience/budget.hpp"
#include "candor/resilience/health.hpp"
#include "candor/resilience/stable_hash.hpp"

namespace candor {

class Upstream {
 public:
  Upstream(UpstreamSettings what, std::uint32_t place, std::uint64_t seed);
  Upstream(Upstream const&) = delete;
  Upstream& operator=(Upstream const&) = delete;

  UpstreamSettings const settings;
  std::uint32_t const index;            ///< its place in the config; the metrics' shards are laid out by it
  EndpointRegister endpoints;           ///< which there are
  DiscoveryStatus discovery;            ///< where they come from
  Health health;                        ///< the account of all routes but those with a circuit of their own
  Budget budget;                        ///< of all routes: how many retries the upstream may cost
  std::optional<AttemptQueue> queue{};  ///< of attempts that wait for room in that account; absent: none does

  /// Lets attempts go to those endpoints that the register has now, and to no others. After each change of
  /// it, by whoever changed it.
  void use_endpoints(Instant now);

  [[nodiscard]] std::string const& name() const { return settings.name; }

  /// Its own comes first, then those of the configuration, in their order.
  [[nodiscard]] std::deque<Route>& routes() { return routes_; }
  [[nodiscard]] std::deque<Route> const& routes() const { return routes_; }
  /// Of the requests that no other route takes.
  [[nodiscard]] Route& own_route() { return routes_.front(); }
  [[nodiscard]] Route const& own_route() const { return routes_.front(); }
  /// The one that takes this request: the first that matches, else its own.
  [[nodiscard]] Route& route_of(http::RequestHead const& head);

  /// Visits each account with the route whose it is, the shared one first. An attempt goes to one of them: so
  /// together they hold what the upstream itself has seen, and its endpoints have the same ids in each.
  template <class Visit>
  void each_account(Visit const& visit) {
    for (auto& route : routes_) {
      if (route.has_account()) visit(route);
    }
  }
  template <class Visit>
  void each_account(Visit const& visit) const {
    for (auto const& route : routes_) {
      if (route.has_account()) visit(route);
    }
  }

 private:
  /// What a route with a circuit of its own has for itself.
  struct OwnAccount {
    OwnAccount(Health::Settings settings, std::uint64_t seed) : health(std::move(settings), seed) {}
    Health health;
    std::optional<AttemptQueue> queue{};
  };

  [[nodiscard]] Route::Share shared();
  void add_route(RouteSettings const& what, std::uint64_t seed);

  std::deque<OwnAccount> own_accounts_;
  std::size_t lanes_ = 0;  // of the shared queue that have been given to a route
  std::deque<Route> routes_;
};

}  // namespace candor
