// The connects that open circuits wait for: when one is due, whom it asks, what its result ends.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "resilience/several.hpp"

namespace candor {
namespace {

using test::Several;

/// Somebody makes the checks; then these refuse connections, until the upstream's circuit is open.
void open_by_failures_to_connect(Several& s, std::set<std::uint32_t> const& ill) {
  s.health.sense();
  s.how = FailureKind::connect;
  s.ill = ill;
  while (s.health.state() == CircuitState::closed) s.attempt();
}

TEST(Sensing, WhatFailuresToConnectHaveOpenedWaitsForAConnectCheckAndNoRequestProbes) {
  Several s{1};
  open_by_failures_to_connect(s, {0});
  auto const opened = s.now;
  unsigned checks = 0;
  while (s.now < opened + 5min) {
    auto const due = s.health.next_check();
    ASSERT_TRUE(due);
    auto const age = *due - opened;
    ASSERT_GT(*due, s.now);
    ASSERT_LE(*due - s.now, std::clamp(age / 10, Duration{100ms}, Duration{2s}));
    s.now = *due;
    EXPECT_FALSE(s.ask()) << "no request finds out";
    auto check = s.health.take_check(s.now);
    ASSERT_TRUE(check);
    EXPECT_FALSE(s.health.take_check(s.now)) << "one at a time";
    EXPECT_FALSE(s.health.next_check());
    std::move(*check).settle(false, s.now);
    ++checks;
  }
  EXPECT_EQ(s.health.state(), CircuitState::open);
  auto const snapshot = s.health.snapshot(s.now);
  EXPECT_EQ(snapshot.endpoints[0].checks.bad, checks);
  EXPECT_EQ(snapshot.ledger.started, 7U) << "checks are no attempts";

  s.now = *s.health.next_check();
  std::move(*s.health.take_check(s.now)).settle(true, s.now);
  EXPECT_FALSE(s.health.next_check());
  auto const probe = s.ask();
  ASSERT_TRUE(probe);
  EXPECT_TRUE(probe->probe());
  EXPECT_EQ(s.transitions.back().why.rule, Rule::check_success);
}

TEST(Sensing, AnythingElseIsLeftToProbes) {
  Several s{1};
  s.health.sense();
  s.ill = {0};
  while (s.health.state() == CircuitState::closed) s.attempt();
  EXPECT_FALSE(s.health.next_check());
}

TEST(Sensing, ACheckThatNobodyMakesOrFinishesKeepsNothingOpenForEver) {
  for (bool const taken : {false, true}) {
    Several s{1};
    open_by_failures_to_connect(s, {0});
    s.now = *s.health.next_check();
    auto check = taken ? s.health.take_check(s.now) : std::nullopt;
    s.now += 10s;
    EXPECT_TRUE(s.ask());
  }
}

TEST(Sensing, TheWaitIsNotOverWhileACheckIsUnderWay) {
  Several s{1};
  open_by_failures_to_connect(s, {0});
  s.now = *s.health.next_check();
  auto check = s.health.take_check(s.now);
  ASSERT_TRUE(check);
  s.now += 500ms;
  ASSERT_FALSE(s.ask());
  EXPECT_EQ(s.health.retry_after(s.now), 100ms) << "it may end at any moment, but hasn't yet";
  std::move(*check).settle(true, s.now);
  EXPECT_EQ(s.health.retry_after(s.now), Duration{}) << "the next request is the probe";
}

TEST(Sensing, ADroppedCheckIsNoResultAndAnotherBecomesDue) {
  Several s{1};
  open_by_failures_to_connect(s, {0});
  s.now = *s.health.next_check();
  { auto const dropped = s.health.take_check(s.now); }
  EXPECT_EQ(s.health.snapshot(s.now).endpoints[0].checks.abandoned, 1U);
  EXPECT_TRUE(s.health.next_check());
}

TEST(Sensing, ChecksAnEjectedEndpointAndItsReturnIsProbedFirst) {
  Several s{4};
  s.health.sense();
  s.how = FailureKind::connect;
  s.ill = {3};
  s.attempts(60, 100us);
  ASSERT_EQ(s.ejected(), (std::set<std::uint32_t>{3}));
  s.now += 9s;
  EXPECT_EQ(s.attempts(20, 1us).count(3), 0U);
  auto check = s.health.take_check(s.now);
  ASSERT_TRUE(check);
  EXPECT_EQ(check->endpoint(), EndpointId{3});
  std::move(*check).settle(true, s.now);
  EXPECT_EQ(s.attempt(), 3U);
}

TEST(Sensing, TheUpstreamsProbeGoesWhereACheckFoundItWell) {
  Several s{5};
  open_by_failures_to_connect(s, {0, 1, 2, 3, 4});
  s.now = *s.health.next_check();
  auto check = s.health.take_check(s.now);
  ASSERT_TRUE(check);
  auto const well = check->endpoint();
  std::move(*check).settle(true, s.now);
  auto const probe = s.ask();
  ASSERT_TRUE(probe);
  EXPECT_TRUE(probe->probe());
  EXPECT_EQ(probe->endpoint(), well);
}

/// Two endpoints that take no connection: the first one is ejected, and the upstream's circuit is open.
struct TwoDead : Several {
  TwoDead() : Several{2} {
    health.sense();
    how = FailureKind::connect;
    ill = {dead.value};
    while (ejected().empty()) attempt();
    ill = {dead.value, other.value};
    while (health.state() == CircuitState::closed) attempt();
    now += 100ms;
  }
  /// Whom it asks.
  CheckPermit take(EndpointId whom) {
    auto check = health.take_check(now);
    EXPECT_TRUE(check);
    EXPECT_EQ(check->endpoint(), whom);
    return std::move(*check);
  }
  static constexpr EndpointId dead{0};
  static constexpr EndpointId other{1};
};

TEST(Sensing, WhatIsDueCanBeTakenWhileEveryEndpointIsBeingAsked) {
  TwoDead two;
  auto own = two.take(two.dead);
  auto const of_the_upstream = two.take(two.other);
  std::move(own).settle(false, two.now);
  two.now += 200ms;
  auto const again = two.take(two.dead);
  EXPECT_FALSE(two.health.take_check(two.now));
  EXPECT_FALSE(two.health.next_check()) << "whoever waits for it would turn for ever";
}

TEST(Sensing, TheUpstreamsCheckWaitsForAnEndpointThatIsFree) {
  TwoDead two;
  auto own = two.take(two.dead);
  two.health.set_endpoints({{two.dead, {}}}, two.now);
  ASSERT_EQ(two.health.snapshot(two.now).endpoints[0].state, CircuitState::closed) << "too few are left";
  EXPECT_FALSE(two.health.take_check(two.now));
  EXPECT_FALSE(two.health.next_check());
  std::move(own).settle(false, two.now);
  EXPECT_LE(two.health.next_check().value(), two.now);
  EXPECT_TRUE(two.health.take_check(two.now));
}

TEST(Sensing, TheUpstreamAsksNoEndpointThatIsHeldOpen) {
  TwoDead two;
  two.health.hold(two.other, Hold::open, two.now);
  auto const own = two.take(two.dead);
  EXPECT_FALSE(two.health.take_check(two.now));
  EXPECT_FALSE(two.health.next_check());
}

TEST(Sensing, OneThatIsHeldOpenMeanwhileEndsNothingAndGetsNoProbe) {
  TwoDead asked;
  auto const own = asked.take(asked.dead);
  auto of_the_upstream = asked.take(asked.other);
  asked.health.hold(asked.other, Hold::open, asked.now);
  std::move(of_the_upstream).settle(true, asked.now);
  EXPECT_FALSE(asked.ask()) << "where that takes connections nobody may go";

  TwoDead found;
  auto const another = found.take(found.dead);
  std::move(found.take(found.other)).settle(true, found.now);
  found.health.hold(found.other, Hold::open, found.now);
  auto const probe = found.ask();
  EXPECT_FALSE(probe && probe->endpoint() == found.other);
}

TEST(Sensing, TheUpstreamIsAskedForOnceAtATimeWhateverElseSettles) {
  Several s{5};
  s.health.sense();
  s.how = FailureKind::connect;
  s.ill = {0};
  while (s.ejected().empty()) s.attempt();
  s.ill = {0, 1, 2, 3, 4};
  while (s.health.state() == CircuitState::closed) s.attempt();
  s.now += 100ms;
  std::vector<CheckPermit> taken;
  while (auto check = s.health.take_check(s.now)) taken.push_back(std::move(*check));
  ASSERT_EQ(taken.size(), s.ejected().size() + 1) << "the last one for the upstream";
  auto const own = taken.front().endpoint();
  std::move(taken.front()).settle(false, s.now);
  s.now += 200ms;
  auto const again = s.health.take_check(s.now);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->endpoint(), own);
  EXPECT_FALSE(s.health.take_check(s.now)) << "the upstream's is still in flight";
}

}  // namespace
}  // namespace candor
