// What the checks of an upstream's settings do to its circuits, and to nothing else.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <vector>

#include "resilience/driver.hpp"

namespace candor {
namespace {

using test::failed;
using test::start;

/// A health model whose endpoints are checked each second, all at the same instant.
struct Checked {
  explicit Checked(std::size_t count, EjectSettings eject = {}, BreakerSettings breaker = {})
      : health({.breaker = breaker, .eject = eject, .endpoints = std::vector<EndpointShare>(count)}, 1) {
    health.sense();
    health.listen([this](Transition const& transition) { transitions.push_back(transition); });
    for (std::size_t i = 0; i < count; ++i) courses.emplace_back(pace, now);
  }

  void check(std::uint32_t endpoint) {
    courses[endpoint].begun(now, rng);
    auto permit = health.begin_check(EndpointId{endpoint}, now);
    bool const good = !ill.contains(endpoint);
    std::move(permit).settle(good, now);
    health.checked(EndpointId{endpoint}, courses[endpoint].settled(good, now), now);
  }
  /// So many rounds, with the first endpoint ill from now on.
  void find_ill(unsigned times) {
    ill = {0};
    checks(times);
  }
  /// One round of them, then a second passes.
  void checks(unsigned rounds = 1) {
    for (unsigned i = 0; i < rounds; ++i, now += 1s) {
      for (std::uint32_t e = 0; e < courses.size(); ++e) check(e);
    }
  }
  /// Attempts that fail where it is ill; where they went.
  std::map<std::uint32_t, unsigned> attempts(unsigned times, Duration apart = 1ms) {
    std::map<std::uint32_t, unsigned> where;
    for (unsigned i = 0; i < times; ++i, now += apart) {
      auto permit = health.admit({.request = {++requests}}, now);
      if (!permit) continue;
      auto const endpoint = permit->endpoint().value;
      ++where[endpoint];
      std::move(*permit).settle(ill.contains(endpoint) ? failed(how) : Outcome::success(), now);
    }
    return where;
  }
  [[nodiscard]] HealthSnapshot snapshot() const { return health.snapshot(now); }
  [[nodiscard]] std::set<std::uint32_t> ejected() const {
    std::set<std::uint32_t> places;
    for (auto const& endpoint : snapshot().endpoints) {
      if (endpoint.state == CircuitState::open) places.insert(endpoint.id.value);
    }
    return places;
  }

  CheckPaceSettings pace{.jitter = 0};
  Rng rng{1};
  Health health;
  Instant now = start;
  std::vector<CheckCourse> courses;
  std::uint64_t requests = 0;
  std::set<std::uint32_t> ill;
  FailureKind how = FailureKind::status;
  std::vector<Transition> transitions;
};

TEST(Checks, AnEndpointFoundIllIsEjectedBeforeAnyRequestFailsThere) {
  Checked c{3};
  c.ill = {1};
  c.checks(2);
  EXPECT_TRUE(c.ejected().empty()) << "two bad ones are no verdict";
  c.checks(1);
  EXPECT_EQ(c.ejected(), (std::set<std::uint32_t>{1}));
  ASSERT_EQ(c.transitions.size(), 1U);
  EXPECT_EQ(c.transitions[0].endpoint, EndpointId{1});
  EXPECT_EQ(c.transitions[0].why.rule, Rule::check_failure);
  EXPECT_EQ(c.transitions[0].why.value, 3);
  EXPECT_EQ(c.transitions[0].why.threshold, 3);
  EXPECT_FALSE(c.attempts(60).contains(1));
  EXPECT_EQ(c.snapshot().ledger.failed(), 0U);
}

TEST(Checks, NoRequestProbesWhileTheyFailAndTheNextOneDoesOnceTheyFindItWell) {
  Checked c{3};
  c.ill = {1};
  c.checks(3);
  for (int i = 0; i < 60; ++i) {
    c.checks(1);
    EXPECT_FALSE(c.attempts(6).contains(1));
  }
  EXPECT_TRUE(c.snapshot().endpoints[1].awaits_checks);
  c.ill.clear();
  c.checks(1);
  EXPECT_FALSE(c.attempts(6).contains(1)) << "one good check is no verdict";
  c.checks(1);
  EXPECT_FALSE(c.snapshot().endpoints[1].awaits_checks);
  auto const probe = c.health.admit({.request = {++c.requests}}, c.now);
  ASSERT_TRUE(probe);
  EXPECT_EQ(probe->endpoint(), EndpointId{1});
  EXPECT_TRUE(probe->probes_endpoint());
  EXPECT_EQ(c.transitions.back().why.rule, Rule::check_success);
}

TEST(Checks, AtMostTheCapIsEjectedAndTheLastOneNever) {
  Checked five{5};
  five.ill = {0, 1, 2};
  five.checks(10);
  EXPECT_EQ(five.ejected().size(), 2U);
  EXPECT_EQ(five.health.state(), CircuitState::closed) << "two are found well";
  Checked two{2};
  two.ill = {0, 1};
  two.checks(10);
  EXPECT_EQ(two.ejected().size(), 1U);
}

TEST(Checks, WhenAllAreFoundIllTheUpstreamsCircuitOpens) {
  for (std::size_t const count : {1, 2, 5}) {
    Checked c{count};
    for (std::uint32_t i = 0; i < count; ++i) c.ill.insert(i);
    c.checks(2);
    EXPECT_EQ(c.health.state(), CircuitState::closed);
    c.checks(1);
    EXPECT_EQ(c.health.state(), CircuitState::open);
    EXPECT_EQ(c.transitions.back().why.rule, Rule::check_failure);
    c.checks(30);
    EXPECT_TRUE(c.attempts(100).empty()) << "nothing probes";
    for (std::uint32_t e = 0; e < count; ++e) c.check(e);
    EXPECT_EQ(c.snapshot().retry_after, 1s) << "until the next check";
  }
}

TEST(Checks, TheUpstreamsProbeGoesWhereTheyFoundItWell) {
  Checked c{4};
  c.ill = {0, 1, 2, 3};
  c.checks(5);
  c.ill = {0, 1, 3};
  c.checks(2);
  auto const probe = c.health.admit({.request = {++c.requests}}, c.now);
  ASSERT_TRUE(probe);
  EXPECT_TRUE(probe->probe());
  EXPECT_EQ(probe->endpoint(), EndpointId{2});
}

TEST(Checks, WhatFailedAttemptsHaveOpenedWaitsForThemFromTheFirstBadOneOn) {
  Checked c{1};
  c.ill = {0};
  c.attempts(20, 1ms);
  ASSERT_EQ(c.health.state(), CircuitState::open);
  c.checks(1);
  EXPECT_TRUE(c.snapshot().awaits_checks);
  auto const before = c.snapshot().ledger.started;
  for (int i = 0; i < 30; ++i) {
    c.checks(1);
    c.attempts(5);
  }
  EXPECT_EQ(c.snapshot().ledger.started, before);
  c.ill.clear();
  c.checks(2);
  EXPECT_EQ(c.attempts(1).size(), 1U) << "and long before a window of a tenth of the outage could end";
}

TEST(Checks, OnesThatNoticedNothingOfTheOutageDontEndItsWindows) {
  Checked c{1};
  c.checks(5);
  c.ill = {0};
  for (int i = 0; i < 200; ++i, c.now += 10ms) c.attempts(1, {});
  ASSERT_EQ(c.health.state(), CircuitState::open);
  c.ill.clear();  // for the checks alone: the requests fail on
  auto probes = c.snapshot().ledger.started;
  for (int second = 0; second < 60; ++second) {
    c.checks(1);
    auto permit = c.health.admit({.request = {++c.requests}}, c.now);
    if (permit) std::move(*permit).settle(failed(), c.now);
  }
  probes = c.snapshot().ledger.started - probes;
  EXPECT_LE(probes, 25U) << "patience is proportional, whatever a health check without insight says";
}

TEST(Checks, BadOnesEndTheConnectsThatAnOpenCircuitWaitsFor) {
  Checked c{1};
  c.ill = {0};
  c.how = FailureKind::connect;
  c.attempts(20);
  ASSERT_TRUE(c.health.next_check());
  c.checks(1);
  EXPECT_FALSE(c.health.next_check()) << "that it takes connections again would say less";
}

TEST(Checks, BadOnesEndTheProbingOfAnEndpointFoundIll) {
  Checked c{2};
  c.checks(1);
  c.ill = {0};
  while (c.ejected().empty()) c.attempts(1);
  c.now += c.snapshot().endpoints[0].retry_after;
  { auto const inconclusive = c.health.admit({.request = {++c.requests}}, c.now); }
  ASSERT_EQ(c.snapshot().endpoints[0].state, CircuitState::half_open);
  c.checks(3);
  EXPECT_EQ(c.snapshot().endpoints[0].state, CircuitState::open);
  EXPECT_EQ(c.transitions.back().why.rule, Rule::check_failure);
  EXPECT_EQ(c.snapshot().endpoints[0].ejections, 1U) << "it was out all the while";
  c.check(0);
  EXPECT_FALSE(c.attempts(100, 1ms).contains(0));
}

TEST(Checks, ABadOneKeepsRequestsFromProbingWhatIsHalfOpen) {
  Checked c{2};
  c.checks(1);
  c.ill = {0};
  while (c.ejected().empty()) c.attempts(1);
  c.now += c.snapshot().endpoints[0].retry_after;
  { auto const inconclusive = c.health.admit({.request = {++c.requests}}, c.now); }
  c.check(0);
  auto const doubted = c.snapshot().endpoints[0];
  ASSERT_EQ(doubted.state, CircuitState::half_open);
  EXPECT_EQ(doubted.standing, Standing::doubted);
  EXPECT_TRUE(doubted.awaits_checks);
  EXPECT_EQ(doubted.retry_after, 1s) << "until the next check";
  EXPECT_FALSE(c.attempts(100, 1ms).contains(0));
  c.ill.clear();
  c.checks(2);
  EXPECT_EQ(c.attempts(1).count(0), 1U) << "well again";
}

TEST(Checks, ABadOneKeepsRequestsFromProbingAnUpstreamThatIsHalfOpen) {
  Checked c{1};
  c.ill = {0};
  c.attempts(20, 1ms);
  c.now += c.snapshot().retry_after;
  { auto const inconclusive = c.health.admit({.request = {++c.requests}}, c.now); }
  ASSERT_EQ(c.health.state(), CircuitState::half_open);
  c.check(0);
  EXPECT_TRUE(c.attempts(100, 1ms).empty());
  c.now += 13s;
  EXPECT_EQ(c.attempts(1).size(), 1U) << "but not for ever, as they have ceased";
}

TEST(Checks, TheWaitIsNotOverBeforeOneThatIsMissedHasShownSomething) {
  Checked c{1};
  c.find_ill(5);
  c.now += 2s;
  ASSERT_TRUE(c.attempts(1, {}).empty());
  EXPECT_EQ(c.snapshot().retry_after, 100ms) << "soon, but not with the next request";
}

TEST(Checks, ThatCeaseKeepNothingOpenForEver) {
  Checked c{1};
  c.find_ill(3);
  EXPECT_TRUE(c.attempts(1).empty());
  c.now += 9s;
  EXPECT_TRUE(c.attempts(1).empty());
  c.now += 4s;
  EXPECT_EQ(c.attempts(1).size(), 1U) << "the next one should have shown something 10s ago";
}

TEST(Checks, ThatHaveCeasedLeaveAnOpenCircuitItsWindows) {
  Checked c{1};
  c.find_ill(60);
  c.now += 1min;
  ASSERT_EQ(c.attempts(1, {}).size(), 1U);
  EXPECT_EQ(c.health.state(), CircuitState::open);
  EXPECT_FALSE(c.snapshot().awaits_checks) << "they show nothing any more";
  EXPECT_GT(c.snapshot().retry_after, 1s);
  EXPECT_TRUE(c.attempts(100, 1ms).empty()) << "not each request probes";
}

TEST(Checks, ThatHaveCeasedLeaveAnEjectedEndpointItsWindows) {
  Checked c{2};
  c.find_ill(60);
  c.now += 1min;
  EXPECT_EQ(c.attempts(100, 1ms).at(0), 1U) << "one probe, and its window is longer than that";
}

TEST(Checks, ACircuitThatOpensWhileTheyFindItIllWaitsForThemAtOnce) {
  Checked c{1};
  c.ill = {0};
  c.check(0);
  c.attempts(7);
  ASSERT_EQ(c.health.state(), CircuitState::open);
  EXPECT_TRUE(c.snapshot().awaits_checks);
  c.now += 500ms;
  EXPECT_TRUE(c.attempts(1).empty());
}

TEST(Checks, AHoldIsStronger) {
  Checked c{2};
  c.health.hold(Hold::closed, c.now);
  c.health.hold(EndpointId{0}, Hold::closed, c.now);
  c.ill = {0, 1};
  c.checks(5);
  EXPECT_EQ(c.health.state(), CircuitState::closed);
  EXPECT_FALSE(c.ejected().contains(0));
  c.health.hold(std::nullopt, c.now);
  c.checks(1);
  EXPECT_EQ(c.health.state(), CircuitState::open) << "given back, it goes by them again";
}

TEST(Checks, WhatAnOperatorHoldsOpenIsNobodyToWaitFor) {
  Checked c{2};
  c.health.hold(EndpointId{0}, Hold::open, c.now);
  c.ill = {1};
  c.checks(3);
  EXPECT_EQ(c.health.state(), CircuitState::open) << "the only one left is ill";
}

TEST(Checks, OfWhatAnOperatorHoldsOpenSayNothingOfTheUpstream) {
  Checked c{2};
  c.health.hold(EndpointId{0}, Hold::open, c.now);
  c.ill = {1};
  c.checks(20);
  ASSERT_EQ(c.health.state(), CircuitState::open);
  c.check(0);
  EXPECT_TRUE(c.snapshot().awaits_checks) << "though they find well the one that is held";
  EXPECT_TRUE(c.attempts(10).empty());
}

TEST(Checks, TheUpstreamsProbeGoesNowhereThatIsHeldOpenMeanwhile) {
  Checked c{2};
  c.ill = {0, 1};
  c.checks(5);
  c.ill = {1};
  c.checks(2);
  c.health.hold(EndpointId{0}, Hold::open, c.now);
  auto const probe = c.health.admit({.request = {++c.requests}}, c.now);
  EXPECT_FALSE(probe && probe->endpoint() == EndpointId{0});
}

TEST(Checks, OpenNothingWhereTheBreakerIsOff) {
  BreakerSettings off;
  off.enabled = false;
  Checked c{1, {}, off};
  c.find_ill(10);
  EXPECT_EQ(c.attempts(50).at(0), 50U);
}

TEST(Checks, AreCountedOnceAndAreNoAttempts) {
  Checked c{2};
  c.ill = {1};
  c.checks(10);
  { auto const dropped = c.health.begin_check(EndpointId{0}, c.now); }
  auto const snapshot = c.snapshot();
  EXPECT_EQ(snapshot.endpoints[0].checks.good, 10U);
  EXPECT_EQ(snapshot.endpoints[0].checks.abandoned, 1U);
  EXPECT_EQ(snapshot.endpoints[1].checks.bad, 10U);
  EXPECT_EQ(snapshot.endpoints[1].standing, Standing::ill);
  EXPECT_EQ(snapshot.ledger.started, 0U);
  EXPECT_EQ(snapshot.window.attempts(), 0U);
  EXPECT_EQ(snapshot.run, 0U);
  EXPECT_TRUE(c.health.recent_attempts().empty());
}

/// Failing endpoints of which some may be tried all the same.
struct Left : Checked {
  explicit Left(std::size_t count, EjectSettings::WhenAllEjected what)
      : Checked(count, {.when_all_ejected = what}) {}
  /// The first one is ejected by its failures, all the others by hand.
  void take_all_out() {
    ill = {0};
    while (ejected().empty()) attempts(1);
    for (std::uint32_t i = 1; i < courses.size(); ++i) health.hold(EndpointId{i}, Hold::open, now);
  }
};

using WhenAll = EjectSettings::WhenAllEjected;

TEST(WhenAllEjected, TheAttemptIsRefusedUnlessItIsToBeTriedAnyway) {
  Left refusing{3, WhenAll::refuse};
  refusing.take_all_out();
  auto const refused =
      refusing.health.admit({.request = {++refusing.requests}, .expendable = false}, refusing.now);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().get<Refusal>(), Refusal::no_endpoint);

  Left trying{3, WhenAll::try_anyway};
  trying.take_all_out();
  auto const tried = trying.health.admit({.request = {++trying.requests}, .expendable = false}, trying.now);
  ASSERT_TRUE(tried);
  EXPECT_EQ(tried->endpoint(), EndpointId{0}) << "the others are held open by hand";
  EXPECT_FALSE(tried->probes_endpoint());
}

TEST(WhenAllEjected, WhatIsTriedAnywayHasNoVoteOnTheEndpointsCircuit) {
  Left l{2, WhenAll::try_anyway};
  l.take_all_out();
  l.ill.clear();
  l.attempts(1, {});
  EXPECT_EQ(l.ejected(), (std::set<std::uint32_t>{0, 1})) << "its window runs on";
}

TEST(WhenAllEjected, AnOperatorsHoldIsKept) {
  Left l{2, WhenAll::try_anyway};
  for (std::uint32_t i = 0; i < 2; ++i) l.health.hold(EndpointId{i}, Hold::open, l.now);
  EXPECT_TRUE(l.attempts(10).empty());
}

TEST(WhenAllEjected, AnEndpointThatIsLeftGetsEverything) {
  Left l{3, WhenAll::try_anyway};
  l.ill = {1};
  l.checks(3);
  EXPECT_FALSE(l.attempts(100).contains(1));
}

TEST(WhenAllEjected, TheUpstreamsCircuitIsAskedFirst) {
  Left l{2, WhenAll::try_anyway};
  l.ill = {0, 1};
  l.checks(3);
  EXPECT_EQ(l.health.state(), CircuitState::open);
  EXPECT_TRUE(l.attempts(10).empty());
}

}  // namespace
}  // namespace candor
