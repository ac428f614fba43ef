// One upstream, shared by all workers. Its health, budget and queue are thread-safe; the rest does not
// change.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "candor/proxy/attempt_queue.hpp"
#include "candor/proxy/settings.hpp"
#include "candor/resilience/budget.hpp"
#include "candor/resilience/health.hpp"
#include "candor/resilience/stable_hash.hpp"

namespace candor {

class Upstream {
 public:
  Upstream(UpstreamSettings what, std::uint32_t place, std::uint64_t seed)
      : settings(std::move(what)),
        index(place),
        health(health_settings(settings), seed),
        budget(settings.retry.budget) {
    if (!settings.limit.queue) return;
    queue.emplace(*settings.limit.queue, 1, health);
    health.listen_for_room([this] { queue->look_for_room(); });
  }
  Upstream(Upstream const&) = delete;
  Upstream& operator=(Upstream const&) = delete;

  UpstreamSettings const settings;
  std::uint32_t const index;  ///< its place in the config; the metrics' shards are laid out by it
  Health health;
  Budget budget;
  std::optional<AttemptQueue> queue{};  ///< of attempts that wait for room; absent: none does

  [[nodiscard]] std::string const& name() const { return settings.name; }

 private:
  static Health::Settings health_settings(UpstreamSettings const& settings) {
    std::vector<EndpointShare> endpoints;
    for (auto const& each : settings.endpoints) {
      endpoints.push_back(
          {.weight = each.weight, .priority = each.priority, .key = stable_hash(each.address)});
    }
    return {.breaker = settings.breaker,
            .eject = settings.eject,
            .balance = settings.balance,
            .budget = settings.retry.budget,
            .limit = settings.limit,
            .throttle = settings.throttle,
            .endpoints = std::move(endpoints)};
  }
};

}  // namespace candor
