#include "candor/resilience/health.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "candor/core/rng.hpp"
#include "resilience/driver.hpp"

namespace candor {
namespace {

using test::classic;
using test::Driver;
using test::failed;

TEST(Health, OpensAtTheFifthFailureFromAHealthyHistory) {
  Driver d;
  d.have_a_healthy_history();
  EXPECT_EQ(d.fail_until_open(), 5U);
}

TEST(Health, OpensAtTheSeventhFailureWhenCold) {
  Driver d;
  EXPECT_EQ(d.fail_until_open(), 7U);
}

TEST(Health, OneRequestsOwnRetriesNeverOpenIt) {
  Driver d{classic(5)};
  d.attempt(failed());
  for (unsigned number = 2; number <= 50; ++number) d.attempt(failed(), number);
  EXPECT_EQ(d.state(), CircuitState::closed);
  d.attempt(failed());
  EXPECT_EQ(d.state(), CircuitState::open);
}

TEST(Health, OverloadNeitherExtendsARunNorHealsIt) {
  Driver d{classic(5)};
  d.fail(4);
  for (int i = 0; i < 100; ++i) d.attempt(failed(FailureKind::overload));
  EXPECT_EQ(d.state(), CircuitState::closed);
  EXPECT_EQ(d.health.snapshot(d.now).run, 4U);
  d.fail(1);
  EXPECT_EQ(d.state(), CircuitState::open);
}

TEST(Health, OverloadCountsInTheRatio) {
  Driver d;
  for (int i = 0; i < 19; ++i) d.attempt(failed(FailureKind::overload));
  EXPECT_EQ(d.state(), CircuitState::closed);
  d.attempt(failed(FailureKind::overload));
  EXPECT_EQ(d.state(), CircuitState::open);
  EXPECT_EQ(d.health.transitions().front().transition.why.rule, Rule::evidence_ratio);
}

TEST(Health, ExcludedAndAbandonedSayNothing) {
  Driver d{classic(5)};
  d.fail(4);
  for (int i = 0; i < 50; ++i) {
    d.attempt(Outcome::excluded());
    d.attempt(Outcome::abandoned());
  }
  auto const snapshot = d.health.snapshot(d.now);
  EXPECT_EQ(snapshot.run, 4U);
  EXPECT_EQ(snapshot.window.settled, 4U);
  EXPECT_EQ(snapshot.state, CircuitState::closed);
}

TEST(Health, TheWindowBeforeARunDoesNotHoldTheRun) {
  Driver d;
  d.succeed(40);
  d.fail(4);
  EXPECT_EQ(d.state(), CircuitState::closed);
  EXPECT_EQ(d.fail_until_open() + 4, 7U);  // 0 of 40 before it, not 4 of 44
}

TEST(Health, ARatesMinimumMayBeReachedByASuccess) {
  BreakerSettings settings;
  settings.trip.evidence.reset();
  settings.trip.failure_rate = FailureRateSettings{.ratio = 0.5, .minimum_attempts = 10};
  Driver d{settings};
  d.fail(5);
  d.succeed(4);
  EXPECT_EQ(d.state(), CircuitState::closed);
  d.succeed(1);
  EXPECT_EQ(d.state(), CircuitState::open);
}

TEST(Health, ASuccessDoesNotOpenByEvidence) {
  Driver d;
  for (int i = 0; i < 19; ++i) d.attempt(failed(FailureKind::overload));
  d.succeed(1);
  d.attempt(Outcome::success(), 2);
  EXPECT_EQ(d.state(), CircuitState::closed);
}

TEST(Health, StrainOpensThoughEveryRequestIsAnswered) {
  BreakerSettings settings;
  settings.trip.evidence.reset();
  settings.trip.strain_rate = StrainRateSettings{.ratio = 0.5, .minimum_requests = 20};
  Driver d{settings};
  for (int i = 0; i < 19; ++i) {
    d.attempt(failed());
    d.attempt(Outcome::success(), 2);
  }
  EXPECT_EQ(d.state(), CircuitState::closed);
  d.attempt(failed());
  d.attempt(Outcome::success(), 2);
  EXPECT_EQ(d.state(), CircuitState::open);
}

TEST(Health, SwitchedOffItKeepsTheAccountAndNeverOpens) {
  BreakerSettings settings;
  settings.enabled = false;
  Driver d{settings};
  d.fail(1000);
  auto permit = d.admit();
  permit.mark_slow(d.now);
  EXPECT_EQ(d.state(), CircuitState::closed);
  EXPECT_EQ(d.ledger().failed(), 1000U);
  EXPECT_EQ(d.ledger().slow, 1U);
}

TEST(Permit, DroppedItIsAbandoned) {
  Driver d;
  { auto const permit = d.admit(); }
  EXPECT_EQ(d.ledger().abandoned, 1U);
  EXPECT_EQ(d.ledger().in_flight, 0U);
}

TEST(Permit, KnowsItsAttempt) {
  Driver d{{}, 4};
  auto const permit =
      *d.health.admit({.request = RequestId{7}, .number = 3, .endpoint = EndpointId{2}}, d.now);
  EXPECT_EQ(permit.number(), 3U);
  EXPECT_EQ(permit.endpoint(), EndpointId{2});
  EXPECT_EQ(permit.started(), d.now);
  EXPECT_FALSE(permit.probe());
}

TEST(Permit, MovedItSettlesOnce) {
  Driver d;
  {
    auto first = d.admit();
    auto second = std::move(first);
    Permit third{std::move(second)};
    std::move(third).settle(Outcome::success(), d.now);
  }
  EXPECT_EQ(d.ledger().started, 1U);
  EXPECT_EQ(d.ledger().success, 1U);
  EXPECT_TRUE(d.ledger().balanced());
}

TEST(Permit, AssignedToItAbandonsWhatItHeld) {
  Driver d;
  {
    auto permit = d.admit();
    permit = d.admit();
    EXPECT_EQ(d.ledger().abandoned, 1U);
    EXPECT_EQ(d.ledger().in_flight, 1U);
    auto& self = permit;
    permit = std::move(self);
    EXPECT_EQ(d.ledger().in_flight, 1U);
    std::move(permit).settle(Outcome::success(), d.now);
  }
  EXPECT_EQ(d.ledger().success, 1U);
  EXPECT_TRUE(d.ledger().balanced());
}

TEST(Ledgers, BalanceAtEveryMomentPerEndpointAndInAll) {
  Driver d{{}, 3};
  Rng rng{11};
  std::vector<Permit> open;
  std::vector<std::uint64_t> sent(3);
  Outcome const outcomes[] = {Outcome::success(), failed(), failed(FailureKind::overload),
                              Outcome::excluded(), Outcome::abandoned()};
  for (int i = 0; i < 20'000; ++i) {
    d.now += rng.between({}, 20ms);
    auto const endpoint = static_cast<std::uint32_t>(rng.below(3));
    if (auto permit = d.health.admit({.request = RequestId{rng.below(50)},
                                      .number = static_cast<unsigned>(1 + rng.below(3)),
                                      .endpoint = EndpointId{endpoint}},
                                     d.now)) {
      ++sent[endpoint];
      open.push_back(std::move(*permit));
    }
    while (!open.empty() && rng.chance(0.55)) {
      std::swap(open[rng.below(open.size())], open.back());
      if (rng.chance(0.2)) open.back().mark_slow(d.now);
      if (rng.chance(0.95)) std::move(open.back()).settle(outcomes[rng.below(5)], d.now);
      open.pop_back();
    }
    if (i % 50 != 0) continue;
    auto const snapshot = d.health.snapshot(d.now);
    ASSERT_TRUE(snapshot.ledger.balanced());
    ASSERT_EQ(snapshot.ledger.in_flight, open.size());
    Ledger sum;
    for (std::size_t e = 0; e < 3; ++e) {
      auto const& one = snapshot.endpoints[e].ledger;
      ASSERT_TRUE(one.balanced());
      ASSERT_EQ(one.started, sent[e]);
      sum.started += one.started;
      sum.success += one.success;
      sum.slow += one.slow;
      sum.stale += one.stale;
    }
    ASSERT_EQ(sum.started, snapshot.ledger.started);
    ASSERT_EQ(sum.success, snapshot.ledger.success);
    ASSERT_EQ(sum.slow, snapshot.ledger.slow);
    ASSERT_EQ(sum.stale, snapshot.ledger.stale);
  }
  EXPECT_GT(d.health.snapshot(d.now).ledger.stale, 0U);
  EXPECT_GT(d.health.snapshot(d.now).generation, 10U);
}

TEST(Probe, AbandonedOrExcludedFreesItsSlotAtOnce) {
  for (auto const outcome : {Outcome::abandoned(), Outcome::excluded()}) {
    Driver d;
    d.fail_until_open();
    d.sit_out_the_window();
    for (int i = 0; i < 10; ++i) {
      auto probe = d.admit();
      EXPECT_TRUE(probe.probe());
      EXPECT_FALSE(d.ask());
      std::move(probe).settle(outcome, d.now);
    }
    EXPECT_EQ(d.health.snapshot(d.now).probes[static_cast<std::size_t>(outcome.kind())], 10U);
    EXPECT_EQ(d.state(), CircuitState::half_open);
    EXPECT_TRUE(d.attempt(Outcome::success()));
    EXPECT_EQ(d.state(), CircuitState::ramping);
  }
}

TEST(Refusals, AreCountedAndAreNoAttempts) {
  Driver d;
  d.fail_until_open();
  auto const started = d.ledger().started;
  for (int i = 0; i < 42; ++i) {
    auto const refused = d.ask();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().get<Refusal>(), Refusal::circuit_open);
    EXPECT_EQ(refused.error().detail, "circuit_open");
  }
  EXPECT_EQ(d.health.snapshot(d.now).refusals, 42U);
  EXPECT_EQ(d.ledger().started, started);
}

TEST(Recovery, WhatWasSeenBeforeTheRampIsForgotten) {
  Driver d;
  d.fail_until_open();
  d.sit_out_the_window();
  d.attempt(Outcome::success());
  auto const snapshot = d.health.snapshot(d.now);
  EXPECT_EQ(snapshot.window, WindowSums{});
  EXPECT_EQ(snapshot.run, 0U);
}

TEST(Recovery, EachRunStartsAnewThoughTheProbeWasARetry) {
  for (auto const& settings : {BreakerSettings{}, classic(5)}) {
    Driver d{settings};
    d.fail_until_open();
    d.sit_out_the_window();
    d.attempt(Outcome::success(), 2);
    ASSERT_EQ(d.state(), CircuitState::ramping);
    for (unsigned failures = 0; failures < 4;) failures += d.attempt(failed()) ? 1U : 0U;
    EXPECT_EQ(d.state(), CircuitState::ramping);
  }
}

TEST(Snapshot, AgreesWithTheStateThatIsReadWithoutTheLock) {
  Driver d;
  Rng rng{3};
  for (int i = 0; i < 20'000; ++i, d.now += 10ms) {
    d.attempt(rng.chance(i / 1000 % 2 ? 0.9 : 0.05) ? failed() : Outcome::success());
    ASSERT_EQ(d.health.snapshot(d.now).state, d.health.state());
  }
  EXPECT_GT(d.health.snapshot(d.now).generation, 10U);
}

TEST(LateBreaks, AreCountedApart) {
  Driver d;
  d.succeed(1);
  d.health.late_break();
  d.health.late_break();
  auto const snapshot = d.health.snapshot(d.now);
  EXPECT_EQ(snapshot.late_breaks, 2U);
  EXPECT_EQ(snapshot.ledger.success, 1U);
  EXPECT_EQ(snapshot.ledger.failed(), 0U);
}

TEST(Jitter, TheSameSeedGivesTheSameWindows) {
  auto windows = [](std::uint64_t seed) {
    Driver d{{}, 1, seed};
    std::vector<Duration> lengths;
    d.fail_until_open();
    for (int i = 0; i < 20; ++i) {
      lengths.push_back(d.health.retry_after(d.now));
      d.sit_out_the_window();
      d.attempt(failed());
    }
    return lengths;
  };
  EXPECT_EQ(windows(1), windows(1));
  EXPECT_NE(windows(1), windows(2));
}

}  // namespace
}  // namespace candor
