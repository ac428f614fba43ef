#include "candor/proxy/upstream.hpp"

#include <algorithm>
#include <utility>

#include "candor/core/rng.hpp"

namespace candor {

namespace {

/// A shadow that says nothing else than the acting rules would only cost.
std::optional<BreakerSettings> shadow_of(RouteSettings const& route) {
  bool const differs = route.shadow && route.shadow->breaker != route.breaker;
  return differs ? std::optional{route.shadow->breaker} : std::nullopt;
}

EndpointShare share_of(EndpointSettings const& endpoint) {
  return {.weight = endpoint.weight, .priority = endpoint.priority, .key = stable_hash(endpoint.address)};
}

Health::Settings health_settings(UpstreamSettings const& settings, RouteSettings const& route) {
  std::vector<EndpointShare> endpoints;
  for (auto const& each : settings.endpoints) endpoints.push_back(share_of(each));
  return {.breaker = route.breaker,
          .eject = settings.eject,
          .balance = settings.balance,
          .budget = settings.retry.budget,
          .limit = route.limit,
          .throttle = route.throttle,
          .endpoints = std::move(endpoints),
          .shadow = shadow_of(route)};
}

RouteSettings own_route_of(UpstreamSettings const& settings) {
  auto own = as_a_route(settings);
  own.shadow = settings.shadow;
  return own;
}

void open_queue(std::optional<AttemptQueue>& queue, AttemptLimitSettings const& limit, std::size_t lanes,
                Health& health) {
  if (!limit.queue) return;
  queue.emplace(*limit.queue, lanes, health);
  health.listen_for_room([&queue] { queue->look_for_room(); });
}

}  // namespace

Upstream::Upstream(UpstreamSettings what, std::uint32_t place, std::uint64_t seed)
    : settings(std::move(what)),
      index(place),
      endpoints(settings.endpoints),
      discovery(settings.discover ? text_of(*settings.discover) : ""),
      health(health_settings(settings, own_route_of(settings)), seed),
      budget(settings.retry.budget) {
  auto const shares = [](RouteSettings const& route) { return route.circuit == RouteCircuit::shared; };
  auto const lanes = 1 + std::count_if(settings.routes.begin(), settings.routes.end(), shares);
  open_queue(queue, settings.limit, static_cast<std::size_t>(lanes), health);
  routes_.emplace_back(*this, own_route_of(settings), 0, std::string{}, shared());
  Rng rng{seed};
  for (auto const& each : settings.routes) add_route(each, rng.next());
}

void Upstream::use_endpoints(Instant now) {
  std::vector<EndpointMember> members;
  for (auto const& entry : endpoints.all()) members.push_back({entry->id, share_of(entry->settings)});
  each_account([&](Route& account) { account.health.set_endpoints(members, now); });
}

/// Each route that shares the account has a lane of its own.
Route::Share Upstream::shared() { return {health, budget, queue ? &*queue : nullptr, lanes_++}; }

void Upstream::add_route(RouteSettings const& what, std::uint64_t seed) {
  // Two that match the same have the same name: then the second gets nothing, but must not count as the
  // first.
  auto called = candor::name(what);
  auto const is_taken = [&called](Route const& route) { return route.name == called; };
  while (std::any_of(routes_.begin(), routes_.end(), is_taken)) called += '+';
  auto const which = static_cast<std::uint32_t>(routes_.size());
  if (what.circuit == RouteCircuit::shared) {
    routes_.emplace_back(*this, what, which, std::move(called), shared());
    return;
  }
  auto& own = own_accounts_.emplace_back(health_settings(settings, what), seed);
  open_queue(own.queue, what.limit, 1, own.health);
  routes_.emplace_back(*this, what, which, std::move(called),
                       Route::Share{own.health, budget, own.queue ? &*own.queue : nullptr});
}

Route& Upstream::route_of(http::RequestHead const& head) {
  auto const found = std::find_if(std::next(routes_.begin()), routes_.end(),
                                  [&head](Route const& route) { return route.takes(head); });
  return found == routes_.end() ? routes_.front() : *found;
}

}  // namespace candor
