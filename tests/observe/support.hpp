// One worker, one upstream and the requests that a test makes of it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "candor/proxy/exchange.hpp"

namespace candor::observe::testing {

inline UpstreamSettings payments() {
  UpstreamSettings settings;
  settings.name = "payments";
  settings.endpoints = {{"payments-1:8080"}, {"payments-2:8080"}};
  return settings;
}

inline std::shared_ptr<Upstream> make_upstream(UpstreamSettings settings = payments(),
                                               std::uint32_t index = 0) {
  return std::make_shared<Upstream>(std::move(settings), index, 1);
}

/// A worker's surroundings at 2024-05-01T12:00:00Z.
struct World {
  std::shared_ptr<Upstream> upstream = make_upstream();
  Instant const start{100s};
  Scheduler scheduler{start, WallClock{start, WallTime{std::chrono::seconds{1714564800}}}};
  Rng rng{1};
  Observer nobody;
  CancelScope caller;
  http::RequestHead head;
  http::ReplayBody body;

  World() {
    head.method_text = "POST";
    head.method = http::Method::post;
    head.target = "/charge?card=4111";
  }

  /// A request that began when it was made.
  std::unique_ptr<Exchange> request(std::uint64_t id = 42) {
    return std::make_unique<Exchange>(RequestId{id}, upstream->route_of(head), head, body,
                                      WorkerContext{scheduler, rng, nobody}, caller);
  }

  void pass(Duration d) { scheduler.advance(scheduler.now() + d); }
};

inline AttemptRecord attempt(unsigned number, Instant started, Duration took, Outcome outcome,
                             std::uint16_t status, std::uint32_t endpoint = 0) {
  return {.number = number,
          .endpoint = EndpointId{endpoint},
          .started = started,
          .settled = started + took,
          .outcome = outcome,
          .status = status};
}

}  // namespace candor::observe::testing
