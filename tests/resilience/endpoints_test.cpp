// Endpoints with circuits of their own: who is ejected, who gets the next attempt, how one comes back.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <vector>

#include "resilience/driver.hpp"

namespace candor {
namespace {

using test::failed;
using test::start;

/// A health model of several endpoints, of which some fail.
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

TEST(Ejection, OneDeadEndpointIsOutAfterAtMostSevenAttemptsAndTheOthersDoItsWork) {
  Several s{5};
  s.ill = {2};
  auto const first = s.attempts(100);
  EXPECT_LE(first.at(2), 7U);
  EXPECT_EQ(s.ejected(), (std::set<std::uint32_t>{2}));
  EXPECT_EQ(s.health.state(), CircuitState::closed) << "four of five are well";
  EXPECT_EQ(s.health.snapshot(s.now).endpoints[2].ejections, 1U);
}

TEST(Ejection, TellsWhoseCircuitItWas) {
  Several s{3};
  s.ill = {1};
  s.attempts(60);
  ASSERT_FALSE(s.transitions.empty());
  EXPECT_EQ(s.transitions[0].endpoint, EndpointId{1});
  EXPECT_EQ(s.transitions[0].to, CircuitState::open);
  EXPECT_TRUE(s.health.transitions().empty()) << "not the upstream's";
  EXPECT_EQ(s.health.ejections().at(0).transition.endpoint, EndpointId{1});
}

TEST(Ejection, AtMostHalfAreOutAndTheUpstreamsCircuitDecidesAboutTheRest) {
  Several s{5};
  s.ill = {0, 1, 2, 3};
  while (s.health.state() == CircuitState::closed && s.requests < 1000) s.attempts(1);
  EXPECT_EQ(s.ejected().size(), 2U);
  EXPECT_EQ(s.health.state(), CircuitState::open);
  EXPECT_LE(s.requests, 64U);
}

TEST(Ejection, TheUpstreamIsNotJudgedWhileAnEndpointThatIsWellMayTakeOver) {
  // A zone of five is gone, and they stand side by side: in turn, their failures are one long run.
  Several s{10};
  s.attempts(1000);
  s.ill = {3, 4, 5, 6, 7};
  s.attempts(300);
  EXPECT_EQ(s.ejected(), (std::set<std::uint32_t>{3, 4, 5, 6, 7}));
  EXPECT_EQ(s.health.state(), CircuitState::closed);
  EXPECT_TRUE(s.health.transitions().empty());
}

TEST(Ejection, TheLastOneStaysAndTheUpstreamsCircuitOpens) {
  Several s{2};
  s.ill = {0, 1};
  s.attempts(200, 100us);
  EXPECT_LE(s.ejected().size(), 1U);
  EXPECT_NE(s.health.state(), CircuitState::closed);
  Several one_ill{2};
  one_ill.ill = {1};
  one_ill.attempts(200, 100us);
  EXPECT_EQ(one_ill.ejected(), (std::set<std::uint32_t>{1})) << "one of two may be out";
  EXPECT_EQ(one_ill.health.state(), CircuitState::closed);
  Several alone{1};
  alone.ill = {0};
  alone.attempts(200, 100us);
  EXPECT_TRUE(alone.ejected().empty());
  EXPECT_NE(alone.health.state(), CircuitState::closed);
}

TEST(Ejection, TheCapIsConfigurableAndItCanBeSwitchedOff) {
  Several most{10, {.cap = 0.8}};
  most.ill = {0, 1, 2, 3, 4, 5, 6, 7};
  most.attempts(3000, 100us);
  EXPECT_EQ(most.ejected().size(), 8U);
  Several off{5, {.enabled = false}};
  off.ill = {2};
  auto const where = off.attempts(500);
  EXPECT_EQ(where.at(2), 100U);
  EXPECT_TRUE(off.ejected().empty());
}

TEST(Ejection, AWholeGroupMayBeOutWhileAnotherOneStandsBehindIt) {
  Several s{{{.priority = 0}, {.priority = 0}, {.priority = 0}, {.priority = 1}}};
  s.ill = {0, 1, 2};
  s.attempts(1000, 100us);
  EXPECT_EQ(s.ejected(), (std::set<std::uint32_t>{0, 1, 2}));
}

TEST(Ejection, ManyRequestsThatFailEverywhereOpenTheUpstreamNotItsEndpoints) {
  Several s{5};
  s.attempts(1000);
  s.ill = {0, 1, 2, 3, 4};
  unsigned attempts = 0;
  while (s.health.state() == CircuitState::closed) {
    s.attempt();
    ++attempts;
  }
  EXPECT_EQ(attempts, 5U) << "they are one run of the upstream's";
  EXPECT_TRUE(s.ejected().empty());
}

TEST(Choice, GoesElsewhereAfterAFailure) {
  Several s{3};
  for (int i = 0; i < 30; ++i) {
    auto const first = *s.attempt();
    EndpointId const tried[] = {EndpointId{first}};
    EXPECT_NE(s.attempt({.number = 2, .tried = tried}), first);
  }
}

TEST(Choice, WhenAllHaveBeenTriedGoesToAnyButTheLast) {
  Several s{2};
  EndpointId const tried[] = {EndpointId{0}, EndpointId{1}};
  for (int i = 0; i < 10; ++i) EXPECT_EQ(s.attempt({.number = 3, .tried = tried}), 0U);
  Several alone{1};
  EndpointId const only[] = {EndpointId{0}};
  EXPECT_EQ(alone.attempt({.number = 2, .tried = only}), 0U);
}

TEST(EndpointProbe, TakesTheNextRequestThatMayBeSentAgain) {
  Several s{3};
  s.ill = {1};
  s.attempts(60);
  ASSERT_EQ(s.ejected(), (std::set<std::uint32_t>{1}));
  s.now += s.health.snapshot(s.now).endpoints[1].retry_after;
  EXPECT_NE(s.attempt({.expendable = false}), 1U) << "there will be a better one";
  auto probe = s.ask();
  ASSERT_TRUE(probe);
  EXPECT_EQ(probe->endpoint(), EndpointId{1});
  EXPECT_TRUE(probe->probes_endpoint());
  EXPECT_FALSE(probe->probe()) << "not the upstream's: another attempt may follow it";
  EXPECT_NE(s.attempt(), 1U) << "one probe at a time";
  std::move(*probe).settle(Outcome::success(), s.now);
  s.ill.clear();
  s.attempts(100, 50ms);
  EXPECT_TRUE(s.ejected().empty());
}

TEST(EndpointProbe, AfterASecondTakesAnyRequest) {
  Several s{3};
  s.ill = {1};
  s.attempts(60);
  s.now += s.health.snapshot(s.now).endpoints[1].retry_after + 1s;
  EXPECT_EQ(s.attempt({.expendable = false}), 1U);
}

TEST(EndpointProbe, AbandonedItIsNoVerdictAndTheNextRequestProbes) {
  Several s{3};
  s.ill = {1};
  s.attempts(60);
  s.now += s.health.snapshot(s.now).endpoints[1].retry_after;
  for (int i = 0; i < 5; ++i) {
    auto const probe = s.ask();
    ASSERT_TRUE(probe);
    EXPECT_EQ(probe->endpoint(), EndpointId{1});
  }
}

TEST(Sensing, WhatFailuresToConnectHaveOpenedWaitsForAConnectCheckAndNoRequestProbes) {
  Several s{1};
  s.health.sense();
  s.how = FailureKind::connect;
  s.ill = {0};
  while (s.health.state() == CircuitState::closed) s.attempt();
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
    s.health.sense();
    s.how = FailureKind::connect;
    s.ill = {0};
    while (s.health.state() == CircuitState::closed) s.attempt();
    s.now = *s.health.next_check();
    auto check = taken ? s.health.take_check(s.now) : std::nullopt;
    s.now += 10s;
    EXPECT_TRUE(s.ask());
  }
}

TEST(Sensing, ADroppedCheckIsNoResultAndAnotherBecomesDue) {
  Several s{1};
  s.health.sense();
  s.how = FailureKind::connect;
  s.ill = {0};
  while (s.health.state() == CircuitState::closed) s.attempt();
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
  s.health.sense();
  s.how = FailureKind::connect;
  s.ill = {0, 1, 2, 3, 4};
  while (s.health.state() == CircuitState::closed) s.attempt();
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

TEST(HoldingByHand, OpenRefusesAllAndGivenBackItProbes) {
  Several s{1};
  s.attempts(10);
  s.health.hold(Hold::open, s.now);
  auto const refused = s.ask();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().get<Refusal>(), Refusal::held);
  s.now += 1h;
  EXPECT_FALSE(s.ask());
  EXPECT_EQ(s.health.snapshot(s.now).held, Hold::open);
  s.health.hold(std::nullopt, s.now);
  auto const probe = s.ask();
  ASSERT_TRUE(probe);
  EXPECT_TRUE(probe->probe());
}

TEST(HoldingByHand, ClosedAdmitsAllWhateverTheRulesSay) {
  Several s{1};
  s.ill = {0};
  while (s.health.state() == CircuitState::closed) s.attempt();
  s.health.hold(Hold::closed, s.now);
  EXPECT_EQ(s.attempts(500).at(0), 500U);
  EXPECT_EQ(s.health.state(), CircuitState::closed);
  s.health.hold(std::nullopt, s.now);
  s.attempts(10);
  EXPECT_EQ(s.health.state(), CircuitState::open) << "its rules judge again";
}

TEST(HoldingByHand, AnEndpointToo) {
  Several s{3};
  s.health.hold(EndpointId{1}, Hold::open, s.now);
  EXPECT_EQ(s.attempts(60).count(1), 0U);
  s.now += 1h;
  EXPECT_EQ(s.attempts(60).count(1), 0U) << "no probe either";
  s.health.hold(EndpointId{1}, std::nullopt, s.now);
  EXPECT_EQ(s.attempt(), 1U);
}

TEST(HoldingByHand, AnEndpointHeldOpenCountsAmongThoseThatAreOut) {
  Several s{5};
  s.health.hold(EndpointId{1}, Hold::open, s.now);
  s.health.hold(EndpointId{2}, Hold::open, s.now);
  s.ill = {3};
  s.attempts(100);
  EXPECT_EQ(s.ejected(), (std::set<std::uint32_t>{1, 2})) << "half of them are out already";
}

TEST(HoldingByHand, AnEndpointHeldClosedIsNotEjected) {
  Several s{5};
  s.ill = {2};
  s.health.hold(EndpointId{2}, Hold::closed, s.now);
  EXPECT_EQ(s.attempts(500).at(2), 100U);
  EXPECT_TRUE(s.ejected().empty());
}

TEST(HoldingByHand, TheOnlyEndpointHeldOpenLeavesNobody) {
  Several s{1};
  s.health.hold(EndpointId{0}, Hold::open, s.now);
  auto const refused = s.ask();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().get<Refusal>(), Refusal::no_endpoint);
  s.health.hold(EndpointId{0}, std::nullopt, s.now);
  EXPECT_EQ(s.attempt(), 0U);
}

TEST(HoldingByHand, AnEndpointGivenBackWhereNoneJudgeIsClosedAtOnce) {
  for (std::size_t const count : {1, 3}) {
    Several s{count, {.enabled = count > 1 ? false : true}};
    s.health.hold(EndpointId{0}, Hold::open, s.now);
    s.now += 1s;
    s.health.hold(EndpointId{0}, std::nullopt, s.now);
    EXPECT_TRUE(s.ejected().empty()) << "nobody would probe it";
    EXPECT_EQ(s.transitions.back().to, CircuitState::closed);
    EXPECT_EQ(s.transitions.back().why.rule, Rule::given_back);
    EXPECT_EQ(s.attempts(30).size(), count) << "it takes its part, and no more than that";
  }
}

TEST(HoldingByHand, AnEndpointThatIsLeftAloneMeanwhileIsClosedToo) {
  Several held{2};
  held.health.hold(EndpointId{0}, Hold::open, held.now);
  held.health.set_endpoints({{EndpointId{0}, {}}}, held.now);
  EXPECT_EQ(held.health.snapshot(held.now).endpoints[0].held, Hold::open);
  held.health.hold(EndpointId{0}, std::nullopt, held.now);
  EXPECT_TRUE(held.ejected().empty());

  Several given_back{2};
  given_back.health.hold(EndpointId{0}, Hold::open, given_back.now);
  given_back.health.hold(EndpointId{0}, std::nullopt, given_back.now);
  EXPECT_EQ(given_back.ejected().count(0), 1U) << "the next attempt is its probe";
  given_back.health.set_endpoints({{EndpointId{0}, {}}}, given_back.now);
  EXPECT_TRUE(given_back.ejected().empty());
}

TEST(HoldingByHand, OutcomesOfBeforeAreStale) {
  Several s{1};
  auto before = s.ask();
  s.health.hold(Hold::open, s.now);
  std::move(*before).settle(failed(), s.now);
  EXPECT_EQ(s.health.snapshot(s.now).ledger.stale, 1U);
}

TEST(Endpoints, ThatWereLeftInWhileTheirUpstreamWasIllBeginAnewWithIt) {
  Several s{4};
  s.ill = {0, 1, 2, 3};
  while (s.health.state() == CircuitState::closed) s.attempt();
  s.ill.clear();
  for (int i = 0; i < 2000 && s.health.state() != CircuitState::closed; ++i, s.now += 10ms) s.attempt();
  ASSERT_EQ(s.health.state(), CircuitState::closed);
  for (auto const& endpoint : s.health.snapshot(s.now).endpoints) {
    EXPECT_EQ(endpoint.window.failed, 0U);
  }
}

}  // namespace
}  // namespace candor
