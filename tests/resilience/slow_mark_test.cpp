// Slow marks, as the health model reads them.
#include <gtest/gtest.h>

#include <vector>

#include "candor/resilience/health.hpp"
#include "resilience/driver.hpp"

namespace candor {
namespace {

using test::classic;
using test::Driver;
using test::failed;

TEST(SlowMark, CountsInFlightAsAFailureDoes) {
  Driver d;
  d.have_a_healthy_history();
  std::vector<Permit> slow;
  for (int i = 0; i < 5; ++i) slow.push_back(d.admit());
  for (int i = 0; i < 4; ++i) slow[static_cast<std::size_t>(i)].mark_slow(d.now);
  EXPECT_EQ(d.state(), CircuitState::closed);
  slow[4].mark_slow(d.now);
  EXPECT_EQ(d.state(), CircuitState::open);
  EXPECT_EQ(d.ledger().in_flight, 5U);
}

TEST(SlowMark, IsPutOnce) {
  Driver d;
  auto permit = d.admit();
  for (int i = 0; i < 10; ++i) permit.mark_slow(d.now);
  EXPECT_EQ(d.ledger().slow, 1U);
  EXPECT_EQ(d.health.snapshot(d.now).window.marked, 1U);
}

TEST(SlowMark, AFailureAfterItsMarkDoesNotCountTwice) {
  Driver d{classic(100)};
  auto permit = d.admit();
  permit.mark_slow(d.now);
  std::move(permit).settle(failed(FailureKind::timeout), d.now);
  auto const snapshot = d.health.snapshot(d.now);
  EXPECT_EQ(snapshot.run, 1U);
  EXPECT_EQ(snapshot.window.evidence_attempts(), 1U);
  EXPECT_EQ(snapshot.window.evidence_failures(), 1U);
}

TEST(SlowMark, AMarkedAttemptThatEndsWellHealsNoRun) {
  Driver d{classic(100)};
  d.fail(3);
  auto permit = d.admit();
  permit.mark_slow(d.now);
  EXPECT_EQ(d.health.snapshot(d.now).run, 4U);
  std::move(permit).settle(Outcome::success(), d.now);
  EXPECT_EQ(d.health.snapshot(d.now).run, 4U);
  d.succeed(1);
  EXPECT_EQ(d.health.snapshot(d.now).run, 0U);
}

TEST(SlowMark, IsNoFailureForTheClassicRun) {
  Driver d{classic(5)};
  for (int i = 0; i < 10; ++i) {
    auto permit = d.admit();
    permit.mark_slow(d.now);
    std::move(permit).settle(Outcome::success(), d.now);
  }
  EXPECT_EQ(d.state(), CircuitState::closed);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(d.state(), CircuitState::closed);
    auto permit = d.admit();
    permit.mark_slow(d.now);
    std::move(permit).settle(failed(FailureKind::timeout),
                             d.now);  // but what fails after its mark has failed
  }
  EXPECT_EQ(d.state(), CircuitState::open);
}

TEST(SlowMark, OpensByTheSlowRate) {
  BreakerSettings settings;
  settings.trip.evidence.reset();
  settings.trip.slow_rate = SlowRateSettings{.ratio = 0.5, .minimum_attempts = 20};
  Driver d{settings};
  d.succeed(10);
  std::vector<Permit> slow;
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(d.state(), CircuitState::closed);
    slow.push_back(d.admit());
    slow.back().mark_slow(d.now);
  }
  EXPECT_EQ(d.state(), CircuitState::open);
}

TEST(SlowMark, ThoseThatHaveEjectedAnEndpointSayNothingOfTheOthers) {
  Health::Settings settings;
  settings.endpoints.resize(3);
  settings.shadow = BreakerSettings{};
  Health health{settings, 1};
  std::vector<Permit> slow;
  while (health.snapshot(test::start).endpoints[0].state == CircuitState::closed) {
    ASSERT_LT(slow.size(), 100U);
    slow.push_back(
        std::move(*health.admit({.request = {slow.size() + 1}, .endpoint = EndpointId{0}}, test::start)));
    slow.back().mark_slow(test::start);
  }
  auto const snapshot = health.snapshot(test::start);
  EXPECT_EQ(snapshot.state, CircuitState::closed);
  EXPECT_EQ(snapshot.run, 0U);
  EXPECT_EQ(snapshot.window.marked, 0U);
  EXPECT_EQ(snapshot.shadow->run, 0U);
  EXPECT_EQ(snapshot.shadow->window.marked, 0U);
}

TEST(SlowMark, OfAnOlderGenerationHasNoVote) {
  Driver d;
  auto permit = d.admit();
  d.fail_until_open();
  auto const run = d.health.snapshot(d.now).run;
  permit.mark_slow(d.now);
  EXPECT_EQ(d.health.snapshot(d.now).run, run);
  EXPECT_EQ(d.health.snapshot(d.now).window.marked, 0U);
  EXPECT_EQ(d.ledger().slow, 1U);
}

}  // namespace
}  // namespace candor
