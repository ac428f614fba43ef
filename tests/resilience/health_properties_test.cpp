// What holds of the health model whatever happens: random settings, endpoints, outcomes, marks, checks and
// holds.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "resilience/driver.hpp"
#include "support/effort.hpp"

namespace candor {
namespace {

using test::start;

std::uint64_t const seeds = test::of_all(200, 40);

/// One random life of a health model, and what must hold at each step of it.
class Life {
 public:
  explicit Life(std::uint64_t seed) : rng_(seed), settings_(drawn(rng_)), health_(settings_, seed) {
    if (rng_.chance(0.5)) health_.sense();
    if (rng_.chance(0.5)) courses_.assign(settings_.endpoints.size(), CheckCourse{pace_, start});
    health_.listen([this](Transition const& transition) { changed_ = changed_ || !transition.endpoint; });
  }

  void live(unsigned steps) {
    for (unsigned i = 0; i < steps && !testing::Test::HasFailure(); ++i) {
      now_ += rng_.chance(0.02) ? rng_.between({}, 15s) : rng_.between({}, 20ms);
      if (rng_.chance(0.002)) weather_ = rng_.unit();
      step();
      check();
    }
  }

  /// All is well from now on: it must be closed again in the end, with every endpoint that there are requests
  /// for; one that stands by has nothing to show its ramp with, but is ejected no longer.
  void recover() {
    health_.hold(std::nullopt, now_);
    for (auto& permit : open_) std::move(permit).settle(Outcome::success(), now_);
    open_.clear();
    auto const is_closed = [this] {
      auto const snapshot = health_.snapshot(now_);
      bool all = snapshot.state == CircuitState::closed;
      for (std::size_t i = 0; i < snapshot.endpoints.size(); ++i) {
        auto const state = snapshot.endpoints[i].state;
        all = all && (state == CircuitState::closed || (stands_by(i) && state == CircuitState::ramping));
      }
      return all;
    };
    for (unsigned i = 0; i < 20'000 && !is_closed(); ++i) {
      now_ += 10ms;
      while (auto check = health_.take_check(now_)) std::move(*check).settle(true, now_);
      for (std::uint32_t e = 0; e < courses_.size(); ++e) check_endpoint(e, true);
      if (auto permit = admit()) std::move(*permit).settle(Outcome::success(), now_);
    }
    EXPECT_TRUE(is_closed()) << "there is always a way back";
  }

  [[nodiscard]] std::uint64_t stale() const { return health_.snapshot(now_).ledger.stale; }

 private:
  static Health::Settings drawn(Rng& rng) {
    Health::Settings settings;
    settings.endpoints.resize(1 + rng.below(6));
    for (auto& endpoint : settings.endpoints) {
      endpoint.weight = static_cast<unsigned>(1 + rng.below(3));
      endpoint.priority = static_cast<unsigned>(rng.below(2));
    }
    settings.breaker.probe = {.in_flight = static_cast<unsigned>(1 + rng.below(3)),
                              .successes = static_cast<unsigned>(1 + rng.below(3))};
    if (rng.chance(0.5)) settings.breaker.trip.consecutive_failures = static_cast<unsigned>(1 + rng.below(8));
    if (rng.chance(0.5)) settings.breaker.trip.slow_rate = SlowRateSettings{};
    settings.balance.policy = static_cast<BalanceSettings::Policy>(rng.below(4));
    settings.eject.cap = rng.unit();
    if (rng.chance(0.5)) settings.limit.attempts = 1 + rng.below(30);
    if (rng.chance(0.3)) settings.limit.adaptive = AdaptiveLimitSettings{.least = 1 + rng.below(4)};
    if (rng.chance(0.3)) settings.throttle = ThrottleSettings{};
    return settings;
  }

  Result<Permit> admit() {
    // A run spans at least two requests, and a request has at most three attempts.
    if (rng_.chance(0.7)) ++request_;
    return health_.admit({.request = {request_},
                          .number = static_cast<unsigned>(1 + rng_.below(3)),
                          .hash = rng_.next(),
                          .expendable = rng_.chance(0.7)},
                         now_);
  }

  static std::uint64_t refusals(HealthSnapshot const& snapshot) {
    return snapshot.refusals + snapshot.limit.refusals +
           (snapshot.throttle ? snapshot.throttle->refusals : 0);
  }

  /// Is there a better group than its own?
  [[nodiscard]] bool stands_by(std::size_t which) const {
    return std::any_of(settings_.endpoints.begin(), settings_.endpoints.end(), [&](auto const& other) {
      return other.priority < settings_.endpoints[which].priority;
    });
  }

  void step() {
    if (rng_.chance(0.55) || open_.empty()) {
      auto const before = health_.snapshot(now_);
      auto permit = admit();
      auto const after = health_.snapshot(now_);
      EXPECT_EQ(after.ledger.started, before.ledger.started + (permit ? 1U : 0U))
          << "a refusal is no attempt";
      EXPECT_EQ(refusals(after), refusals(before) + (permit ? 0U : 1U));
      auto const refusal = permit ? std::nullopt : permit.error().get<Refusal>();
      if (refusal == Refusal::limit) {
        EXPECT_GE(after.ledger.in_flight, after.limit.attempts);
        EXPECT_EQ(after.probes_in_flight, before.probes_in_flight);
        EXPECT_TRUE(lets_through(after.state)) << "else the circuit is the reason";
      }
      if (permit && !permit->probe()) {
        EXPECT_LT(before.ledger.in_flight, std::max(before.limit.attempts, after.limit.attempts));
      }
      if (permit) open_.push_back(std::move(*permit));
      return;
    }
    std::swap(open_[rng_.below(open_.size())], open_.back());
    auto& permit = open_.back();
    if (rng_.chance(0.1)) return permit.mark_slow(now_);
    if (rng_.chance(0.01)) return health_.hold(rng_.chance(0.5) ? Hold::open : Hold::closed, now_);
    if (rng_.chance(0.05)) return health_.hold(std::nullopt, now_);
    if (rng_.chance(0.1)) {
      if (auto check = health_.take_check(now_)) std::move(*check).settle(rng_.chance(0.3), now_);
      return;
    }
    if (!courses_.empty() && rng_.chance(0.1)) {
      auto const before = health_.snapshot(now_);
      check_endpoint(static_cast<std::uint32_t>(rng_.below(courses_.size())), rng_.chance(0.4));
      auto const after = health_.snapshot(now_);
      EXPECT_EQ(after.ledger.started, before.ledger.started) << "a check is no attempt";
      EXPECT_LE(after.window.attempts(), before.window.attempts());
      EXPECT_LE(after.run, before.run);
      return;
    }
    auto const before = health_.snapshot(now_);
    changed_ = false;
    if (rng_.chance(0.9)) std::move(permit).settle(outcome(), now_);
    open_.pop_back();
    auto const after = health_.snapshot(now_);
    if (after.ledger.stale > before.ledger.stale) {
      EXPECT_FALSE(changed_) << "no state is changed by a stale outcome";
      EXPECT_EQ(after.generation, before.generation);
    }
  }

  void check_endpoint(std::uint32_t endpoint, bool good) {
    courses_[endpoint].begun(now_, rng_);
    auto check = health_.begin_check(EndpointId{endpoint}, now_);
    std::move(check).settle(good, now_);
    health_.checked(EndpointId{endpoint}, courses_[endpoint].settled(good, now_), now_);
  }

  Outcome outcome() {
    if (rng_.chance(0.05)) return Outcome::excluded();
    if (rng_.chance(0.05)) return Outcome::abandoned();
    if (!rng_.chance(weather_)) return Outcome::success();
    return Outcome::failed(all_failure_kinds[rng_.below(failure_kinds)]);
  }

  void check() const {
    auto const snapshot = health_.snapshot(now_);
    EXPECT_TRUE(snapshot.ledger.balanced());
    EXPECT_EQ(snapshot.ledger.in_flight, open_.size());
    EXPECT_LE(snapshot.probes_in_flight, settings_.breaker.probe.in_flight);
    auto const probes = static_cast<std::size_t>(
        std::count_if(open_.begin(), open_.end(), [](Permit const& permit) { return permit.probe(); }));
    EXPECT_GE(probes, snapshot.probes_in_flight) << "whoever has a slot holds a permit";
    Ledger sum;
    std::size_t away = 0;
    for (auto const& endpoint : snapshot.endpoints) {
      EXPECT_TRUE(endpoint.ledger.balanced());
      sum.started += endpoint.ledger.started;
      sum.success += endpoint.ledger.success;
      away += endpoint.state == CircuitState::open || endpoint.state == CircuitState::half_open ? 1U : 0U;
    }
    EXPECT_EQ(sum.started, snapshot.ledger.started);
    EXPECT_EQ(sum.success, snapshot.ledger.success);
    EXPECT_LT(away, snapshot.endpoints.size()) << "the last one is never ejected";
  }

  Rng rng_;
  Health::Settings const settings_;
  Health health_;
  Instant now_ = start;
  std::uint64_t request_ = 0;
  CheckPaceSettings const pace_{};
  std::vector<CheckCourse> courses_;  // by endpoint; none where nobody checks
  double weather_ = 0.1;
  bool changed_ = false;
  std::vector<Permit> open_;
};

TEST(HealthProperties, HoldWhateverHappens) {
  std::uint64_t stale = 0;
  for (std::uint64_t seed = 1; seed <= seeds && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Life life{seed};
    life.live(2'000);
    stale += life.stale();
    life.recover();
  }
  EXPECT_GT(stale, 0U);
}

}  // namespace
}  // namespace candor
