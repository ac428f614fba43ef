// Endpoints come and go: who keeps what, what becomes of attempts in flight, and whether the account still
// adds up.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "resilience/driver.hpp"

namespace candor {
namespace {

using test::start;

constexpr EndpointId first{0, 0};
constexpr EndpointId second{1, 0};
constexpr EndpointId third{2, 0};

/// A health model whose endpoints a test changes.
struct Changing {
  explicit Changing(std::size_t count, BalanceSettings balance = {})
      : health(
            {.breaker = {}, .eject = {}, .balance = balance, .endpoints = std::vector<EndpointShare>(count)},
            1) {
    health.listen([this](Transition const& transition) { transitions.push_back(transition); });
  }

  void have(std::vector<EndpointId> const& ids) {
    std::vector<EndpointMember> members;
    for (auto const id : ids) members.push_back({id, {}});
    health.set_endpoints(members, now);
  }
  Result<Permit> ask(std::optional<EndpointId> endpoint = {}) {
    return health.admit({.request = RequestId{++requests}, .endpoint = endpoint}, now);
  }
  EndpointId attempt(Outcome outcome = Outcome::success(), std::optional<EndpointId> endpoint = {}) {
    auto permit = std::move(*ask(endpoint));
    auto const where = permit.endpoint();
    std::move(permit).settle(outcome, now);
    return where;
  }
  std::map<EndpointId, int> attempts(int times) {
    std::map<EndpointId, int> where;
    for (int i = 0; i < times; ++i) ++where[attempt()];
    return where;
  }
  /// Fails there until it is ejected.
  void eject(EndpointId endpoint) {
    while (snapshot(endpoint).state != CircuitState::open) {
      attempt(Outcome::failed(FailureKind::status), endpoint);
      now += 1ms;
    }
  }
  [[nodiscard]] EndpointSnapshot snapshot(EndpointId id) const {
    for (auto const& endpoint : health.snapshot(now).endpoints) {
      if (endpoint.id == id) return endpoint;
    }
    ADD_FAILURE() << "there is no such endpoint";
    return {};
  }

  Health health;
  Instant now = start;
  std::uint64_t requests = 0;
  std::vector<Transition> transitions;
};

/// The upstream's ledger is the sum of its endpoints' and of what those did that have left.
void expect_sum(HealthSnapshot const& snapshot) {
  Ledger sum = snapshot.departed.ledger;
  for (auto const& endpoint : snapshot.endpoints) {
    EXPECT_TRUE(endpoint.ledger.balanced());
    sum += endpoint.ledger;
  }
  EXPECT_TRUE(snapshot.ledger.balanced());
  EXPECT_EQ(sum.started, snapshot.ledger.started);
  EXPECT_EQ(sum.in_flight, snapshot.ledger.in_flight);
  EXPECT_EQ(sum.success, snapshot.ledger.success);
  EXPECT_EQ(sum.failures, snapshot.ledger.failures);
  EXPECT_EQ(sum.excluded, snapshot.ledger.excluded);
  EXPECT_EQ(sum.abandoned, snapshot.ledger.abandoned);
  EXPECT_EQ(sum.slow, snapshot.ledger.slow);
  EXPECT_EQ(sum.stale, snapshot.ledger.stale);
}

TEST(EndpointChanges, OneThatStaysKeepsItsCircuitAndItsLedger) {
  Changing c{4};
  c.eject(second);
  auto const before = c.snapshot(second);
  c.have({third, second, EndpointId{4}});
  auto const after = c.snapshot(second);
  EXPECT_EQ(after.state, CircuitState::open);
  EXPECT_EQ(after.ejections, 1U);
  EXPECT_EQ(after.ledger.started, before.ledger.started);
  expect_sum(c.health.snapshot(c.now));
}

TEST(EndpointChanges, OneThatLeftGetsNoFurtherAttemptAndOneThatCameGetsItsShare) {
  Changing c{2};
  c.attempts(10);
  c.have({first, EndpointId{2}});
  EXPECT_EQ(c.attempts(30), (std::map<EndpointId, int>{{first, 15}, {EndpointId{2}, 15}}));
  EXPECT_EQ(c.ask(second).error().get<Refusal>(), Refusal::no_endpoint);
  EXPECT_EQ(c.health.snapshot(c.now).departed.endpoints, 1U);
  EXPECT_EQ(c.health.snapshot(c.now).departed.ledger.success, 5U);
}

TEST(EndpointChanges, WhatIsInFlightSettlesOnTheOneThatLeftAndHasNoVote) {
  Changing c{1};
  std::vector<Permit> permits;
  for (int i = 0; i < 30; ++i) permits.push_back(std::move(*c.ask()));
  c.have({second});
  EXPECT_EQ(c.health.snapshot(c.now).departed.ledger.in_flight, 30U);
  permits.front().mark_slow(c.now);
  for (auto& permit : permits) std::move(permit).settle(Outcome::failed(FailureKind::reset), c.now);
  auto const snapshot = c.health.snapshot(c.now);
  EXPECT_EQ(snapshot.state, CircuitState::closed) << "it says nothing of the one that is there";
  EXPECT_EQ(snapshot.run, 0U);
  EXPECT_EQ(snapshot.departed.ledger.failed(), 30U);
  EXPECT_EQ(snapshot.departed.ledger.in_flight, 0U);
  EXPECT_EQ(snapshot.departed.ledger.slow, 1U);
  EXPECT_EQ(snapshot.ledger.stale, 30U);
  expect_sum(snapshot);
}

TEST(EndpointChanges, APlaceThatIsUsedAgainIsAnotherEndpoint) {
  Changing c{1};
  auto old = std::move(*c.ask());
  EndpointId const next{0, 1};
  c.have({next});
  auto fresh = std::move(*c.ask());
  EXPECT_EQ(fresh.endpoint(), next);
  std::move(old).settle(Outcome::success(), c.now);
  EXPECT_EQ(c.snapshot(next).ledger.success, 0U);
  EXPECT_EQ(c.snapshot(next).ledger.in_flight, 1U);
  EXPECT_EQ(c.health.snapshot(c.now).departed.ledger.success, 1U);
  std::move(fresh).settle(Outcome::success(), c.now);
  EXPECT_EQ(c.snapshot(next).ledger.success, 1U);
}

TEST(EndpointChanges, ANewOneBeginsWithTheBalancersRamp) {
  Changing c{2, {.policy = BalanceSettings::Policy::least_request, .ramp = 10s}};
  c.now += 1h;
  c.have({first, second, third});
  auto const at_first = c.attempts(3000);
  EXPECT_LT(at_first.at(third), 200) << "about a tenth of a third";
  EXPECT_GT(at_first.at(third), 50);
  c.now += 10s;
  EXPECT_NEAR(c.attempts(3000).at(third), 1000, 120);
}

TEST(EndpointChanges, WithoutAnyEndpointRequestsAreRefusedAndTheNextOneServesThem) {
  Changing c{1};
  c.have({});
  for (int i = 0; i < 30; ++i) EXPECT_EQ(c.ask().error().get<Refusal>(), Refusal::no_endpoint);
  EXPECT_EQ(c.health.state(), CircuitState::closed);
  EXPECT_TRUE(c.health.snapshot(c.now).endpoints.empty());
  c.have({second});
  EXPECT_EQ(c.attempt(), second);
}

TEST(EndpointChanges, TooFewAreLeftForThoseThatAreEjected) {
  Changing c{4};
  c.eject(first);
  c.eject(second);
  c.transitions.clear();
  c.have({first, second});
  EXPECT_EQ(c.snapshot(first).state, CircuitState::closed) << "it has been out for longer";
  EXPECT_EQ(c.snapshot(second).state, CircuitState::open) << "one of two may be";
  ASSERT_EQ(c.transitions.size(), 1U);
  EXPECT_EQ(c.transitions[0].why.rule, Rule::too_few_left);
  EXPECT_EQ(c.transitions[0].endpoint, first);
  c.have({second});
  EXPECT_EQ(c.snapshot(second).state, CircuitState::closed);
  EXPECT_EQ(c.attempt(), second);
}

TEST(EndpointChanges, WhereAllAreOthersTheNextRequestProbesWhateverThoseBeforeHadShown) {
  Changing c{1};
  while (c.health.state() == CircuitState::closed) c.attempt(Outcome::failed(FailureKind::status));
  ASSERT_FALSE(c.ask());
  c.have({first, second});
  EXPECT_FALSE(c.ask()) << "it is still there";
  c.transitions.clear();
  c.have({third});
  EXPECT_EQ(c.health.state(), CircuitState::open) << "until somebody asks";
  auto probe = c.ask();
  ASSERT_TRUE(probe);
  EXPECT_TRUE(probe->probe());
  ASSERT_EQ(c.transitions.size(), 1U);
  EXPECT_EQ(c.transitions[0].why.rule, Rule::all_replaced);
  std::move(*probe).settle(Outcome::success(), c.now);
  EXPECT_EQ(c.health.state(), CircuitState::ramping);
}

TEST(EndpointChanges, WhereAllAreOthersAFailureOfThoseBeforeCountsForNothing) {
  Changing c{1};
  c.attempts(100);
  for (int i = 0; i < 4; ++i) c.attempt(Outcome::failed(FailureKind::status));
  c.have({second});
  for (int i = 0; i < 4; ++i) c.attempt(Outcome::failed(FailureKind::status));
  EXPECT_EQ(c.health.state(), CircuitState::closed) << "a run of four";
}

TEST(EndpointChanges, WhereAllAreOthersWhatAnOperatorHoldsOpenStaysSo) {
  Changing c{1};
  c.health.hold(Hold::open, c.now);
  c.have({second});
  EXPECT_EQ(c.ask().error().get<Refusal>(), Refusal::held);
}

TEST(EndpointChanges, OneThatIsHeldOpenStaysSo) {
  Changing c{3};
  c.health.hold(first, Hold::open, c.now);
  c.have({first, second});
  EXPECT_EQ(c.snapshot(first).held, Hold::open);
  c.health.hold(third, Hold::open, c.now);
  EXPECT_EQ(c.health.snapshot(c.now).endpoints.size(), 2U) << "there is no third to be held";
}

TEST(EndpointChanges, APriorityMayChange) {
  Changing c{2};
  c.health.set_endpoints({{first, {.priority = 1}}, {second, {}}}, c.now);
  EXPECT_EQ(c.attempts(20), (std::map<EndpointId, int>{{second, 20}}));
  c.eject(second);
  EXPECT_EQ(c.attempts(20), (std::map<EndpointId, int>{{first, 20}}));
}

TEST(EndpointChanges, ACheckOfOneThatLeftCountsAndSaysNothingOfTheOthers) {
  Changing c{1};
  c.health.sense();
  for (int i = 0; i < 7; ++i, c.now += 1ms) c.attempt(Outcome::failed(FailureKind::connect));
  ASSERT_EQ(c.health.state(), CircuitState::open);
  c.now = c.health.next_check().value();
  auto check = c.health.take_check(c.now);
  ASSERT_TRUE(check);
  c.have({second});
  std::move(*check).settle(true, c.now);
  EXPECT_EQ(c.health.snapshot(c.now).departed.checks.good, 1U);
  EXPECT_FALSE(c.ask()) << "nobody has looked at the one that is there now";
  auto other = c.health.take_check(c.now);
  ASSERT_TRUE(other) << "so it is due";
  EXPECT_EQ(other->endpoint(), second);
  std::move(*other).settle(true, c.now);
  EXPECT_EQ(c.ask()->endpoint(), second);
}

/// Whoever changes the set, and what attempts may expect of it.
class Fuzz {
 public:
  explicit Fuzz(std::uint64_t seed) : rng_(seed), changing_(3, {.policy = policy(seed)}) {
    for (std::uint32_t i = 0; i < 3; ++i) there_.insert(EndpointId{i});
  }

  void step() {
    changing_.now += from_seconds(rng_.unit() * 0.01);
    switch (rng_.below(10)) {
      case 0: return change();
      case 1:
      case 2:
      case 3: return settle();
      default: return admit();
    }
  }
  void finish() {
    while (!permits_.empty()) settle();
    auto const snapshot = changing_.health.snapshot(changing_.now);
    expect_sum(snapshot);
    EXPECT_EQ(snapshot.ledger.in_flight, 0U);
    EXPECT_EQ(snapshot.ledger.started, admitted_);
  }

 private:
  static BalanceSettings::Policy policy(std::uint64_t seed) {
    return static_cast<BalanceSettings::Policy>(seed % 4);
  }

  void change() {
    // Each place may be free, kept, or another's by now.
    there_.clear();
    for (std::uint32_t place = 0; place < incarnations_.size(); ++place) {
      if (rng_.chance(0.3)) ++incarnations_[place];
      if (rng_.chance(0.6))
        there_.insert(EndpointId{place, incarnations_[place]});
      else
        ++incarnations_[place];
    }
    changing_.have({there_.begin(), there_.end()});
    expect_sum(changing_.health.snapshot(changing_.now));
  }
  void admit() {
    std::vector<EndpointId> tried;
    for (auto const& permit : permits_) tried.push_back(permit.endpoint());
    auto permit = changing_.health.admit({.request = RequestId{++admitted_}, .tried = tried}, changing_.now);
    if (!permit) {
      --admitted_;
      return;
    }
    EXPECT_TRUE(there_.contains(permit->endpoint())) << "it has left";
    permits_.push_back(std::move(*permit));
  }
  void settle() {
    if (permits_.empty()) return;
    auto const which = rng_.below(permits_.size());
    auto permit = std::move(permits_[which]);
    permits_.erase(permits_.begin() + static_cast<std::ptrdiff_t>(which));
    if (rng_.chance(0.1)) permit.mark_slow(changing_.now);
    auto const draw = rng_.below(4);
    auto const outcome = draw == 0   ? Outcome::failed(FailureKind::reset)
                         : draw == 1 ? Outcome::excluded()
                         : draw == 2 ? Outcome::abandoned()
                                     : Outcome::success();
    std::move(permit).settle(outcome, changing_.now);
  }

  Rng rng_;
  Changing changing_;
  std::set<EndpointId> there_;
  std::array<std::uint32_t, 6> incarnations_{};
  std::vector<Permit> permits_;
  std::uint64_t admitted_ = 0;
};

TEST(EndpointChanges, WhateverComesAndGoesTheAccountAddsUpAndNoAttemptBeginsAtOneThatLeft) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(seed);
    Fuzz fuzz{seed};
    for (int i = 0; i < 1000; ++i) fuzz.step();
    fuzz.finish();
  }
}

}  // namespace
}  // namespace candor
