// An upstream whose attempts a test plays out on virtual time.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "candor/admin/account.hpp"

namespace candor::admin::testing {

/// Starts at 12:41:00 UTC on 1 May 2024, a thousand seconds into the process.
class Play {
 public:
  explicit Play(BreakerSettings breaker = {},
                std::vector<std::string> const& endpoints = {"payments-1:8080", "payments-2:8080"},
                // By default it is the upstream's circuit that is explained.
                EjectSettings eject = {.enabled = false}) {
    UpstreamSettings settings;
    settings.name = "payments";
    for (auto const& endpoint : endpoints) settings.endpoints.push_back({endpoint});
    settings.breaker = std::move(breaker);
    settings.eject = eject;
    // Windows of exactly their length: the texts say how long the wait is.
    settings.breaker.open.jitter = 0;
    upstream_ = std::make_shared<Upstream>(std::move(settings), 0, 1);
  }

  /// Anew, with a route that has an account of its own.
  void split_off(std::string name) {
    auto settings = upstream_->settings;
    auto& route = settings.routes.emplace_back(as_a_route(settings));
    route.name = std::move(name);
    route.circuit = RouteCircuit::own;
    upstream_ = std::make_shared<Upstream>(std::move(settings), 0, 1);
  }

  /// Anew, watched by these rules.
  void watch_by(ShadowSettings shadow) {
    auto settings = upstream_->settings;
    settings.shadow = std::move(shadow);
    upstream_ = std::make_shared<Upstream>(std::move(settings), 0, 1);
  }

  struct What {
    std::string_view method = "GET";
    std::string_view path = "/items";
    std::uint32_t endpoint = 0;
    unsigned number = 1;
    Duration took = 10ms;
    bool of_route = false;  ///< of the one that was split off
  };

  /// Of a request of its own, unless `number` says that it is the last one's.
  Permit admit(What const& what) {
    if (what.number == 1) ++request_;
    auto& health = what.of_route ? upstream_->routes().back().health : upstream_->health;
    return std::move(health
                         .admit({.request = {request_},
                                 .number = what.number,
                                 .endpoint = EndpointId{what.endpoint},
                                 .method = what.method,
                                 .path = what.path},
                                now)
                         .value());
  }

  void settle(What const& what, Outcome outcome, std::uint16_t status = 0) {
    auto permit = admit(what);
    now += what.took;
    std::move(permit).settle(outcome, now, status);
  }
  void good(What const& what, int times = 1) {
    for (int i = 0; i < times; ++i) settle(what, Outcome::success(), 200);
  }
  void bad(What const& what, FailureKind kind, std::uint16_t status = 0, int times = 1) {
    for (int i = 0; i < times; ++i) settle(what, Outcome::failed(kind), status);
  }
  /// Whether it was refused.
  bool refused() { return !upstream_->health.admit({.request = {++request_}}, now); }

  void pass(Duration d) { now += d; }

  [[nodiscard]] Account account() const { return read_account(upstream_->own_route(), now, wall); }
  [[nodiscard]] std::shared_ptr<Upstream> const& upstream() const { return upstream_; }

  Instant now{1000s};
  WallClock wall{Instant{1000s}, WallTime{std::chrono::seconds{1714567260}}};

 private:
  std::shared_ptr<Upstream> upstream_;
  std::uint64_t request_ = 0;
};

}  // namespace candor::admin::testing
