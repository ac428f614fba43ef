// A health model in the hand of a test: one attempt after the other, on virtual time.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "candor/resilience/health.hpp"

namespace candor::test {

/// Where virtual time begins; not at zero, as no machine's does.
inline constexpr Instant start = Instant{} + 1h;

inline Outcome failed(FailureKind kind = FailureKind::status) { return Outcome::failed(kind); }

/// A rule that holds, for those that want one and do not care which.
inline Trip some_trip() { return Trip{.rule = Rule::evidence_run, .value = 5, .threshold = 5}; }

/// Opens at that many failed attempts in a row, and for no other reason.
inline BreakerSettings classic(unsigned failures) {
  BreakerSettings settings;
  settings.trip.evidence.reset();
  settings.trip.consecutive_failures = failures;
  return settings;
}

struct Driver {
  explicit Driver(BreakerSettings what = {}, std::size_t endpoints = 1, std::uint64_t seed = 1)
      : settings(std::move(what)), health(with(settings, endpoints), seed) {}

  static Health::Settings with(BreakerSettings const& breaker, std::size_t endpoints) {
    Health::Settings all;
    all.breaker = breaker;
    all.endpoints.resize(endpoints);
    return all;
  }

  Result<Permit> ask(unsigned number = 1) {
    if (number == 1) ++request;
    return health.admit({.request = RequestId{request}, .number = number, .method = "GET", .path = "/"}, now);
  }
  Permit admit(unsigned number = 1) { return std::move(*ask(number)); }

  /// One attempt that settles at once; false if it was refused.
  bool attempt(Outcome outcome, unsigned number = 1) {
    auto permit = ask(number);
    if (!permit) return false;
    std::move(*permit).settle(outcome, now);
    return true;
  }
  void succeed(unsigned times, Duration apart = {}) {
    for (unsigned i = 0; i < times; ++i, now += apart) attempt(Outcome::success());
  }
  void fail(unsigned times, Duration apart = {}) {
    for (unsigned i = 0; i < times; ++i, now += apart) attempt(failed());
  }
  /// 10s of good traffic at 100 rps.
  void have_a_healthy_history() { succeed(1000, 10ms); }
  /// Fails until the circuit opens; how many attempts that took.
  unsigned fail_until_open() {
    unsigned attempts = 0;
    while (health.state() != CircuitState::open) {
      attempt(failed());
      ++attempts;
    }
    return attempts;
  }
  /// To the end of the open window, to the nanosecond.
  void sit_out_the_window() { now += health.retry_after(now); }

  [[nodiscard]] CircuitState state() const { return health.state(); }
  [[nodiscard]] Ledger ledger() const { return health.snapshot(now).ledger; }

  BreakerSettings settings;
  Health health;
  Instant now = start;
  std::uint64_t request = 0;
};

}  // namespace candor::test
