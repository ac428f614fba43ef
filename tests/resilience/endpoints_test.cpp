// Endpoints with circuits of their own: who is ejected, who gets the next attempt, how one comes back.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <vector>

#include "resilience/driver.hpp"
#include "resilience/several.hpp"

namespace candor {
namespace {

using test::failed;
using test::Several;

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
  Several none{5, {.cap = 0}};
  none.ill = {2};
  none.attempts(500);
  EXPECT_TRUE(none.ejected().empty());
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

TEST(EndpointProbe, TakesOneWhoseFailureWouldNotBeSeenForWhatItIs) {
  Several s{3};
  s.ill = {1};
  s.attempts(60);
  s.now += s.health.snapshot(s.now).endpoints[1].retry_after;
  RetryConditions const others{.kinds = {FailureKind::connect}, .statuses = {}};
  EXPECT_NE(s.attempt({.retried_on = &others}), 1U) << "its caller would get that failure";
  RetryConditions const usual{.kinds = {FailureKind::status}, .statuses = {}};
  EXPECT_EQ(s.attempt({.retried_on = &usual}), 1U);
}

TEST(EndpointProbe, TakesAnyRequestWhereNobodyElseWould) {
  Several s{2};
  s.ill = {1};
  s.attempts(60);
  ASSERT_EQ(s.ejected(), (std::set<std::uint32_t>{1}));
  s.health.hold(EndpointId{0}, Hold::open, s.now);
  s.now += s.health.snapshot(s.now).endpoints[1].retry_after;
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
