// The scenarios of the design, as far as the policies alone can show them: each attempt takes no time, or
// what the test says; whole pipelines are rehearsed in the simulation.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "candor/core/rng.hpp"
#include "candor/resilience/backoff.hpp"
#include "candor/resilience/budget.hpp"
#include "candor/resilience/health.hpp"
#include "candor/resilience/retry.hpp"
#include "resilience/driver.hpp"
#include "support/effort.hpp"

namespace candor {
namespace {

using test::Driver;
using test::failed;
using test::start;

std::uint64_t const seeds = test::of_all(200, 40);
constexpr Duration pace = 10ms;  // 100 rps

TEST(Scenario1, AnUpstreamDeadWith503sIsBotheredLessAndLess) {
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    Driver d{{}, 1, seed};
    d.have_a_healthy_history();
    auto const died = d.now;
    auto const before = d.ledger().started;
    EXPECT_EQ(d.fail_until_open(), 5U);
    std::uint64_t in_a_minute = 0;
    for (; d.now < died + 600s; d.now += pace) {
      d.attempt(failed());
      if (d.now < died + 60s) in_a_minute = d.ledger().started - before;
    }
    EXPECT_LE(in_a_minute, 65U) << "seed " << seed;
    EXPECT_GE(in_a_minute, 45U) << "seed " << seed;
    EXPECT_LE(d.ledger().started - before, 125U) << "seed " << seed;
  }
}

TEST(Scenario2, ClassicFiveWithThreeAttemptsEndsWithinTheSecondRequest) {
  BreakerSettings breaker;
  breaker.trip.evidence.reset();
  breaker.trip.consecutive_failures = 5;
  Driver d{breaker};
  RetrySettings const retry;
  Budget budget{retry.budget};
  Rng rng{1};
  std::vector<unsigned> attempts_of;
  while (d.state() == CircuitState::closed) {
    AttemptHistory history{.failure = FailureKind::status, .status = 503, .idempotent = true};
    for (bool more = true; more;) {
      d.attempt(failed(), ++history.attempts);
      auto decision = decide(retry, history, d.state(), 10s, budget, d.now, rng);
      if (auto* again = std::get_if<RetryAfter>(&decision)) {
        d.now += again->delay;
        std::move(again->token).spend(d.now);
      } else {
        more = false;
      }
    }
    attempts_of.push_back(history.attempts);
  }
  EXPECT_EQ(attempts_of, (std::vector<unsigned>{3, 2}));
  EXPECT_EQ(d.ledger().started, 5U);
}

TEST(Scenario3, OneOfTwoHundredRequestsProbesAndIsNotRetried) {
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    Driver d{{}, 1, seed};
    d.fail_until_open();
    d.sit_out_the_window();
    auto const before = d.ledger().started;
    std::vector<Permit> admitted;
    for (int i = 0; i < 200; ++i) {
      if (auto permit = d.ask()) admitted.push_back(std::move(*permit));
    }
    ASSERT_EQ(admitted.size(), 1U);
    EXPECT_TRUE(admitted[0].probe());
    EXPECT_EQ(d.health.snapshot(d.now).refusals, 199U);
    std::move(admitted[0]).settle(failed(), d.now, 503);
    EXPECT_EQ(d.ledger().started - before, 1U);

    Budget budget{{}};
    Rng rng{seed};
    auto const decision = decide(
        {}, {.attempts = 1, .failure = FailureKind::status, .status = 503, .probe = true, .idempotent = true},
        d.state(), 10s, budget, d.now, rng);
    EXPECT_EQ(std::get<GiveUp>(decision).reason, RetryDenied::circuit);
  }
}

TEST(Scenario4, TheProbesCallerHangsUpAndTheNextRequestProbes) {
  Driver d;
  d.fail_until_open();
  d.sit_out_the_window();
  for (int i = 0; i < 1000; ++i) {
    auto const probe = d.admit();  // dropped: its caller has left
    EXPECT_TRUE(probe.probe());
  }
  EXPECT_EQ(d.state(), CircuitState::half_open);
  EXPECT_TRUE(d.attempt(Outcome::success()));
  EXPECT_EQ(d.state(), CircuitState::ramping);
}

TEST(Scenario5, ThirtyPercentRandomFailuresOpenNothing) {
  unsigned opened = 0;
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    Rng rng{seed};
    Driver d{{}, 1, seed};
    for (; d.now < start + 60s; d.now += pace) d.attempt(rng.chance(0.3) ? failed() : Outcome::success());
    opened += d.health.transitions().empty() ? 0U : 1U;
  }
  EXPECT_LE(opened, 2U);
}

TEST(Scenario6, OpensThoughEveryCallerGotItsAnswer) {
  Driver d;
  unsigned attempts = 0;
  while (d.state() == CircuitState::closed && attempts < 100) {
    unsigned const number = attempts % 3 + 1;
    d.attempt(number == 3 ? Outcome::success() : failed(), number);
    ++attempts;
  }
  EXPECT_LE(attempts, 30U);
}

TEST(Scenario7, TenAttemptsFromBeforeTheOpeningSayNothingInHalfOpen) {
  Driver d;
  std::vector<Permit> old;
  for (int i = 0; i < 10; ++i) old.push_back(d.admit());
  d.fail_until_open();
  d.sit_out_the_window();
  auto probe = d.admit();
  auto const before = d.health.snapshot(d.now);
  ASSERT_EQ(before.state, CircuitState::half_open);
  for (auto& permit : old) std::move(permit).settle(Outcome::success(), d.now, 200);
  auto const after = d.health.snapshot(d.now);
  EXPECT_EQ(after.state, CircuitState::half_open);
  EXPECT_EQ(after.generation, before.generation);
  EXPECT_EQ(after.probes_in_flight, 1U);
  EXPECT_EQ(after.window, before.window);
  EXPECT_EQ(after.run, before.run);
  EXPECT_EQ(after.ledger.stale, before.ledger.stale + 10);
  EXPECT_EQ(after.ledger.success, before.ledger.success + 10);
  EXPECT_TRUE(after.ledger.balanced());
}

TEST(Scenario8, NothingIsAdmittedBeforeTheWindowIsOver) {
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    Driver d{{}, 1, seed};
    d.fail_until_open();
    auto const until = d.now + d.health.retry_after(d.now);
    EXPECT_GE(until - d.now, 80ms);
    for (; d.now < until; d.now += 1ms) ASSERT_FALSE(d.ask());
    d.now = until - Duration{1};
    ASSERT_FALSE(d.ask());
    d.now = until;
    ASSERT_TRUE(d.ask());
  }
}

TEST(Scenario9, ABrownOutOpensBeforeItsFirstSlowAnswerIsBack) {
  Driver d;
  d.have_a_healthy_history();
  struct Slow {
    Permit permit;
    Instant due;
  };
  std::vector<Slow> in_flight;
  auto const onset = d.now;
  std::size_t marked = 0;
  for (; d.state() == CircuitState::closed; d.now += pace) {
    in_flight.push_back({d.admit(), d.now + 500ms});
    while (marked < in_flight.size() && in_flight[marked].due <= d.now)
      in_flight[marked++].permit.mark_slow(d.now);
    ASSERT_LT(d.now, onset + 2s);
  }
  EXPECT_LE(d.now - onset, 750ms);
}

/// 5 rps always answered 503, among 95 rps that are answered well; how often the circuit opens in a minute.
std::size_t openings_by_a_poisoned_route(std::uint64_t seed, bool random_arrivals) {
  struct Attempt {
    Instant at;
    std::uint64_t request;
    unsigned number;
    bool poisoned;
  };
  Rng rng{seed};
  std::vector<Attempt> attempts;
  std::uint64_t request = 0;
  for (auto at = start; at < start + 60s; ++request) {
    bool const poisoned = random_arrivals ? rng.chance(0.05) : request % 20 == 0;
    auto when = at;
    for (unsigned number = 1; number <= (poisoned ? 3U : 1U); ++number) {
      attempts.push_back({when, request, number, poisoned});
      when += backoff({}, number, {}, rng);
    }
    at += random_arrivals ? from_seconds(-std::log(1 - rng.unit()) / 100) : pace;
  }
  std::sort(attempts.begin(), attempts.end(), [](auto const& a, auto const& b) { return a.at < b.at; });
  Driver d{{}, 1, seed};
  for (auto const& attempt : attempts) {
    d.now = attempt.at;
    d.request = attempt.request;
    auto permit = d.health.admit({.request = RequestId{attempt.request}, .number = attempt.number}, d.now);
    if (permit) std::move(*permit).settle(attempt.poisoned ? failed() : Outcome::success(), d.now);
  }
  auto const records = d.health.transitions();
  return static_cast<std::size_t>(std::count_if(records.begin(), records.end(), [](auto const& record) {
    return record.transition.from == CircuitState::closed;
  }));
}

TEST(Scenario12, OnePoisonedRouteOpensNothing) {
  std::size_t openings = 0;
  for (std::uint64_t seed = 0; seed < seeds; ++seed) openings += openings_by_a_poisoned_route(seed, false);
  EXPECT_EQ(openings, 0U);
}

TEST(Scenario12, AtRandomThreeOfThemInARowAreAHazardOfManyMinutes) {
  std::size_t openings = 0;
  for (std::uint64_t seed = 0; seed < seeds; ++seed) openings += openings_by_a_poisoned_route(seed, true);
  EXPECT_LE(openings, seeds / 10);  // of as many minutes
}

TEST(Scenario13, ARetryAfterThatDoesNotFitIsAnsweredAtOnce) {
  Budget budget{{}};
  Rng rng{1};
  auto const decision = decide({},
                               {.attempts = 1,
                                .failure = FailureKind::overload,
                                .status = 503,
                                .retry_after = 30s,
                                .idempotent = true},
                               CircuitState::closed, 2s, budget, start, rng);
  EXPECT_EQ(std::get<GiveUp>(decision).reason, RetryDenied::deadline);
  EXPECT_DOUBLE_EQ(budget.available(start), 30);
}

TEST(Scenario15, RecoveryIsNoticedInProportionToTheOutage) {
  for (auto const outage : {Duration{10s}, Duration{30s}, Duration{100s}, Duration{600s}}) {
    for (std::uint64_t seed = 0; seed < seeds / 4; ++seed) {
      Driver d{{}, 1, seed};
      d.have_a_healthy_history();
      auto const died = d.now;
      for (; d.now < died + outage; d.now += pace) d.attempt(failed());
      while (!d.attempt(Outcome::success())) d.now += pace;
      auto const noticed = d.now - died - outage;
      EXPECT_LE(noticed, std::min(outage * 13 / 100 + 200ms, Duration{12500ms})) << "seed " << seed;
      // One ramp later all of it gets in again.
      auto const ramp = std::min((d.now - died) / 10, Duration{5s});
      for (auto const end = d.now + ramp + 2 * pace; d.now < end; d.now += pace)
        d.attempt(Outcome::success());
      EXPECT_EQ(d.state(), CircuitState::closed) << "seed " << seed;
    }
  }
}

TEST(Scenario18, ABlipCostsLittleMoreThanItself) {
  double total = 0;
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    Driver d{{}, 1, seed};
    d.have_a_healthy_history();
    auto const begin = d.now;
    int lost = 0;
    for (; d.now < begin + 5s; d.now += pace) {
      bool const bad = d.now < begin + 200ms;
      bool const admitted = d.attempt(bad ? failed() : Outcome::success());
      lost += bad || !admitted ? 1 : 0;
    }
    EXPECT_LE(lost, 30 + 4) << "seed " << seed;
    total += lost;
    EXPECT_EQ(d.state(), CircuitState::closed);
  }
  EXPECT_LE(total / static_cast<double>(seeds), 30);
}

}  // namespace
}  // namespace candor
