// A health model of several endpoints in the hand of a test: attempts that end at once, on virtual time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "resilience/driver.hpp"

namespace candor::test {

/// Endpoints of which some fail.
struct Several {
  explicit Several(std::size_t count, EjectSettings eject = {})
      : Several(std::vector<EndpointShare>(count), eject) {}
  explicit Several(std::vector<EndpointShare> shares, EjectSettings eject = {})
      : health({.breaker = {}, .eject = eject, .endpoints = std::move(shares)}, 1) {
    health.listen([this](Transition const& transition) { transitions.push_back(transition); });
  }

  Result<Permit> ask(AttemptContext context = {}) {
    context.request = RequestId{++requests};
    return health.admit(context, now);
  }
  /// One attempt that ends at once; where it went.
  std::optional<std::uint32_t> attempt(AttemptContext const& context = {}) {
    auto permit = ask(context);
    if (!permit) return std::nullopt;
    auto const where = permit->endpoint().value;
    std::move(*permit).settle(ill.contains(where) ? Outcome::failed(how) : Outcome::success(), now);
    return where;
  }
  std::map<std::uint32_t, unsigned> attempts(unsigned times, Duration apart = 1ms) {
    std::map<std::uint32_t, unsigned> where;
    for (unsigned i = 0; i < times; ++i, now += apart) {
      if (auto const endpoint = attempt()) ++where[*endpoint];
    }
    return where;
  }
  [[nodiscard]] std::set<std::uint32_t> ejected() const {
    std::set<std::uint32_t> places;
    for (auto const& endpoint : health.snapshot(now).endpoints) {
      if (endpoint.state != CircuitState::closed) places.insert(endpoint.id.value);
    }
    return places;
  }

  Health health;
  Instant now = start;
  std::uint64_t requests = 0;
  std::set<std::uint32_t> ill;
  FailureKind how = FailureKind::status;
  std::vector<Transition> transitions;
};

}  // namespace candor::test
