#include "candor/resilience/retry.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string_view>
#include <vector>

#include "resilience/driver.hpp"

namespace candor {
namespace {

using test::start;

// A failed attempt that is worth another one, and all that decide() looks at.
struct Case {
  RetrySettings settings{};
  AttemptHistory history{.attempts = 1, .failure = FailureKind::status, .status = 503, .idempotent = true};
  CircuitState circuit = CircuitState::closed;
  Duration left = 10s;
  Budget budget{BudgetSettings{}};
  Rng rng{1};

  RetryDecision decide() { return candor::decide(settings, history, circuit, left, budget, start, rng); }
  std::optional<RetryDenied> denied() {
    auto const decision = decide();
    auto const* give_up = std::get_if<GiveUp>(&decision);
    return give_up ? std::optional{give_up->reason} : std::nullopt;
  }
  Duration delay() {
    auto const decision = decide();
    return std::get<RetryAfter>(decision).delay;
  }
  void use_up_the_budget() {
    while (auto token = budget.take(start)) std::move(*token).spend(start);
  }
};

TEST(Decide, GoesOnWhenNothingSpeaksAgainstIt) {
  Case c;
  auto const decision = c.decide();
  auto const* again = std::get_if<RetryAfter>(&decision);
  ASSERT_TRUE(again);
  EXPECT_LE(again->delay, 25ms);
}

TEST(Decide, GivesTheFirstReasonInItsOrder) {
  struct Obstacle {
    RetryDenied reason;
    std::function<void(Case&)> put_up;
  };
  std::vector<Obstacle> const obstacles{
      {RetryDenied::attempts, [](Case& c) { c.history.attempts = 3; }},
      {RetryDenied::condition, [](Case& c) { c.history.status = 500; }},
      {RetryDenied::not_replayable, [](Case& c) { c.history.idempotent = false; }},
      {RetryDenied::body_too_large, [](Case& c) { c.history.body_replayable = false; }},
      {RetryDenied::circuit, [](Case& c) { c.circuit = CircuitState::open; }},
      {RetryDenied::tier, [](Case& c) { c.history.retried_below = true; }},
      {RetryDenied::budget, [](Case& c) { c.use_up_the_budget(); }},
      {RetryDenied::deadline, [](Case& c) { c.left = Duration{}; }},
  };
  // The limit and the throttle speak up when it is due, not when it is decided.
  ASSERT_EQ(obstacles.size() + 2, retry_denials);
  for (std::size_t first = 0; first < obstacles.size(); ++first) {
    Case c;
    for (std::size_t i = first; i < obstacles.size(); ++i) obstacles[i].put_up(c);
    EXPECT_EQ(c.denied(), obstacles[first].reason) << name(obstacles[first].reason);
    Case alone;
    obstacles[first].put_up(alone);
    EXPECT_EQ(alone.denied(), obstacles[first].reason) << name(obstacles[first].reason) << " alone";
  }
}

TEST(Decide, CountsAttemptsNotRetries) {
  Case c;
  for (c.history.attempts = 1; c.history.attempts < 3; ++c.history.attempts) EXPECT_FALSE(c.denied());
  EXPECT_EQ(c.denied(), RetryDenied::attempts);
  c.settings.attempts = 1;
  c.history.attempts = 1;
  EXPECT_EQ(c.denied(), RetryDenied::attempts);
}

TEST(Decide, KnowsTheConditionsByDefault) {
  Case c;
  for (auto const kind : all_failure_kinds) {
    c.history.failure = kind;
    c.history.status = 0;
    bool const listed = kind == FailureKind::connect || kind == FailureKind::reset ||
                        kind == FailureKind::timeout || kind == FailureKind::overload;
    EXPECT_EQ(c.denied(), listed ? std::nullopt : std::optional{RetryDenied::condition}) << name(kind);
  }
  c.history.failure = FailureKind::status;
  for (std::uint16_t status = 500; status < 600; ++status) {
    c.history.status = status;
    bool const listed = status >= 502 && status <= 504;
    EXPECT_EQ(c.denied(), listed ? std::nullopt : std::optional{RetryDenied::condition}) << status;
  }
}

TEST(Decide, AStatusIsNoConditionForWhatBrokeBehindIt) {
  EXPECT_FALSE(is_listed(RetryConditions{}, FailureKind::truncated, 503));
  EXPECT_FALSE(is_listed(RetryConditions{.kinds = {}}, FailureKind::overload, 503));
  EXPECT_TRUE(is_listed(RetryConditions{.kinds = {}}, FailureKind::status, 503));
}

TEST(Decide, AsksWhoMayBeSentTwice) {
  struct Known {
    Replay replay;
    bool nothing, idempotent, keyed;
  };
  for (auto const& known :
       {Known{Replay::never, false, false, false}, Known{Replay::idempotent, false, true, false},
        Known{Replay::with_key, false, true, true}, Known{Replay::always, true, true, true}}) {
    Case c;
    c.settings.replay = known.replay;
    c.history.idempotent = false;
    EXPECT_EQ(!c.denied(), known.nothing);
    c.history.keyed = true;
    EXPECT_EQ(!c.denied(), known.keyed);
    c.history.keyed = false;
    c.history.idempotent = true;
    EXPECT_EQ(!c.denied(), known.idempotent);
  }
}

TEST(Decide, WhatNeverLeftUsIsNotSentTwice) {
  for (auto const replay : {Replay::never, Replay::idempotent, Replay::with_key, Replay::always}) {
    Case c;
    c.settings.replay = replay;
    c.history.idempotent = false;
    c.history.untouched = true;
    EXPECT_FALSE(c.denied());
    c.history.body_replayable = false;
    EXPECT_EQ(c.denied(), RetryDenied::body_too_large);
  }
}

TEST(Decide, OnlyAClosedOrRampingCircuitIsRetried) {
  Case c;
  c.circuit = CircuitState::ramping;
  EXPECT_FALSE(c.denied());
  c.circuit = CircuitState::half_open;
  EXPECT_EQ(c.denied(), RetryDenied::circuit);
}

TEST(Decide, AProbeIsNeverRetriedWhateverTheCircuitSaysByNow) {
  Case c;
  c.history.probe = true;
  for (c.circuit = CircuitState::closed; static_cast<std::size_t>(c.circuit) < circuit_states;
       c.circuit = static_cast<CircuitState>(static_cast<int>(c.circuit) + 1)) {
    EXPECT_EQ(c.denied(), RetryDenied::circuit) << name(c.circuit);
  }
}

TEST(Decide, RetryAfterReplacesAShorterWait) {
  Case c;
  c.history.retry_after = 3s;
  EXPECT_EQ(c.delay(), 3s);
}

TEST(Decide, AShorterRetryAfterShortensNothing) {
  Case c;
  c.settings.backoff.jitter = BackoffSettings::Jitter::none;
  c.history.retry_after = 1ms;
  EXPECT_EQ(c.delay(), 25ms);
  c.history.retry_after = Duration{-5s};  // a date that has passed
  EXPECT_EQ(c.delay(), 25ms);
}

TEST(Decide, TheWaitGrowsWithTheAttempts) {
  Case c;
  c.settings.attempts = 10;
  c.settings.backoff.jitter = BackoffSettings::Jitter::none;
  c.history.attempts = 3;
  EXPECT_EQ(c.delay(), 100ms);
}

TEST(Decide, AWaitThatDoesNotFitIsNotWaitedOutAndCostsNothing) {
  Case c;
  c.history.failure = FailureKind::overload;
  c.history.retry_after = 30s;
  c.left = 2s;
  for (int i = 0; i < 100; ++i) EXPECT_EQ(c.denied(), RetryDenied::deadline);
  EXPECT_DOUBLE_EQ(c.budget.available(start), 30);
}

TEST(Decide, AWaitThatTakesAllThatIsLeftDoesNotFit) {
  Case c;
  c.history.retry_after = 2s;
  c.left = 2s;
  EXPECT_EQ(c.denied(), RetryDenied::deadline);
  c.left = 2s + Duration{1};
  EXPECT_FALSE(c.denied());
}

TEST(Decide, TakesATokenAndTheDecisionHoldsIt) {
  Case c;
  {
    auto decision = c.decide();
    EXPECT_DOUBLE_EQ(c.budget.available(start), 29);
    std::move(std::get<RetryAfter>(decision).token).spend(start);
  }
  EXPECT_DOUBLE_EQ(c.budget.available(start), 29);
  { auto const dropped = c.decide(); }
  EXPECT_DOUBLE_EQ(c.budget.available(start), 29);
}

TEST(Decide, AsksTheBudgetOnlyWhenAllBeforeItSaysYes) {
  Case c;
  c.circuit = CircuitState::open;
  for (int i = 0; i < 100; ++i) EXPECT_EQ(c.denied(), RetryDenied::circuit);
  EXPECT_DOUBLE_EQ(c.budget.available(start), 30);
}

TEST(Decide, TheSameSeedDecidesTheSame) {
  Case one;
  Case other;
  for (int i = 0; i < 100; ++i) EXPECT_EQ(one.delay(), other.delay());
}

TEST(RetryDenied, ReasonsHaveNamesOfTheirOwn) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < retry_denials; ++i) names.insert(name(static_cast<RetryDenied>(i)));
  EXPECT_EQ(names.size(), retry_denials);
  EXPECT_FALSE(names.contains(""));
}

}  // namespace
}  // namespace candor
