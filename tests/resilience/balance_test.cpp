// What every policy has to do: pick whom it may, in the shares that are due, and by priority.
#include "candor/resilience/balance.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "resilience/allocations.hpp"
#include "resilience/endpoints.hpp"

namespace candor {
namespace {

using test::all_policies;
using test::Endpoints;
using test::misfit;
using test::Picker;
using test::start;
using Policy = BalanceSettings::Policy;
using Endpoint = std::optional<std::size_t>;

// The seeds are fixed, so it is the same every time. A policy that is wrong is off by hundreds.
constexpr double fits = 7;

class EachPolicy : public ::testing::TestWithParam<Policy> {};
INSTANTIATE_TEST_SUITE_P(Balance, EachPolicy, ::testing::ValuesIn(all_policies), [](auto const& tested) {
  switch (tested.param) {
    case Policy::round_robin: return "RoundRobin";
    case Policy::least_request: return "LeastRequest";
    case Policy::peak_ewma: return "PeakEwma";
    case Policy::ring_hash: return "RingHash";
  }
  return "";
});

TEST_P(EachPolicy, OfNoneIsNone) {
  Picker picker{GetParam()};
  EXPECT_EQ(picker.pick(), std::nullopt);
  EXPECT_EQ(picker.pick({.hash = 7}), std::nullopt);
}

TEST_P(EachPolicy, OfOneIsThatOneWheneverItIsAvailable) {
  Picker picker{GetParam(), Endpoints{1}};
  for (bool const available : {true, false, true, false, true}) {
    picker.endpoints.all[0].available = available;
    auto const expected = available ? Endpoint{0} : std::nullopt;
    EXPECT_EQ(picker.pick(), expected);
    EXPECT_EQ(picker.pick({.hash = 7}), expected);
    EXPECT_EQ(picker.pick_but({0}), expected) << "the only one is tried again";
  }
}

TEST_P(EachPolicy, EqualOnesHaveEqualShares) {
  Picker picker{GetParam(), Endpoints{7}};
  EXPECT_LT(misfit(picker.counts(70'000), {1, 1, 1, 1, 1, 1, 1}), fits);
}

TEST_P(EachPolicy, TheSharesAreThoseOfTheWeights) {
  Picker picker{GetParam()};
  for (auto const weight : {1, 2, 3, 10}) picker.endpoints.add(weight);
  EXPECT_LT(misfit(picker.counts(70'000), {1, 2, 3, 10}), fits);
}

TEST_P(EachPolicy, ExtremeWeightsLeaveTheLightestItsShare) {
  Picker picker{GetParam()};
  picker.endpoints.add(1);
  picker.endpoints.add(1000);
  auto const counts = picker.counts(100'100);
  EXPECT_NEAR(counts[0], 100, 60);
}

TEST_P(EachPolicy, NobodyWhoIsAwayIsEverPicked) {
  Rng chance{3};
  Picker picker{GetParam(), Endpoints{9}};
  for (int i = 0; i < 20'000; ++i) {
    auto& endpoint = picker.endpoints.all[chance.below(9)];
    if (chance.chance(0.3)) endpoint.available = !endpoint.available;
    bool const somebody = std::any_of(picker.endpoints.all.begin(), picker.endpoints.all.end(),
                                      [](auto const& one) { return one.available; });
    auto const picked = chance.chance(0.5) ? picker.pick({.hash = chance.next()}) : picker.pick();
    ASSERT_EQ(picked.has_value(), somebody) << i;
    if (picked) {
      ASSERT_TRUE(picker.endpoints.all[*picked].available) << i;
    }
  }
}

TEST_P(EachPolicy, TheSharesOfThoseAwayAreSplitByWeight) {
  Picker picker{GetParam()};
  for (auto const weight : {5, 1, 1, 5, 1}) picker.endpoints.add(weight);
  picker.endpoints.all[0].available = picker.endpoints.all[3].available = false;
  auto const counts = picker.counts(30'000);
  EXPECT_LT(misfit(counts, {0, 1, 1, 0, 1}), fits);
}

TEST_P(EachPolicy, OneThatIsBackHasItsShareAgain) {
  Picker picker{GetParam(), Endpoints{5}};
  picker.endpoints.all[2].available = false;
  EXPECT_EQ(picker.counts(1000)[2], 0);
  picker.endpoints.all[2].available = true;
  EXPECT_LT(misfit(picker.counts(50'000), {1, 1, 1, 1, 1}), fits);
}

TEST_P(EachPolicy, AmongManyOneThatIsBackIsNoticedAfterTwoPicks) {
  Picker picker{GetParam(), Endpoints{1000}};
  picker.endpoints.all[500].available = false;
  while (picker.pick({.hash = picker.rng.next()}) != Endpoint{}) {
    if (picker.endpoints.reads > 4000) break;  // by now everybody has been looked at
  }
  picker.endpoints.all[500].available = true;
  (void)picker.pick();
  (void)picker.pick();
  for (auto& one : picker.endpoints.all) one.available = false;
  picker.endpoints.all[500].available = true;
  EXPECT_EQ(picker.pick(), Endpoint{500});
}

TEST_P(EachPolicy, OnesThatWereTriedAreAvoidedWhileThereIsAnother) {
  Picker picker{GetParam(), Endpoints{4}};
  std::vector<std::size_t> const tried{0, 2};
  EXPECT_LT(misfit(picker.counts(20'000, tried), {0, 1, 0, 1}), fits);
  for (std::uint64_t hash = 0; hash < 200; ++hash) {
    auto const picked = picker.pick({.hash = mixed(hash), .tried = tried});
    EXPECT_TRUE(picked == Endpoint{1} || picked == Endpoint{3});
  }
  EXPECT_LT(misfit(picker.counts(40'000), {1, 1, 1, 1}), fits) << "nothing is held against them";
}

TEST_P(EachPolicy, AllTriedTheyAreTriedAgain) {
  Picker picker{GetParam(), Endpoints{3}};
  std::vector<std::size_t> const tried{2, 0, 1, 0};
  EXPECT_LT(misfit(picker.counts(30'000, tried), {1, 1, 1}), fits);
  picker.endpoints.all[1].available = false;
  EXPECT_LT(misfit(picker.counts(30'000, tried), {1, 0, 1}), fits);
}

TEST_P(EachPolicy, TheOnlyOneNotTriedIsFoundAsSoonAsItIsBack) {
  Picker picker{GetParam(), Endpoints{3}};
  picker.endpoints.all[1].available = false;
  (void)picker.counts(100);
  EXPECT_NE(picker.pick_but({0, 2}), Endpoint{1});
  picker.endpoints.all[1].available = true;
  EXPECT_EQ(picker.pick_but({0, 2}), Endpoint{1});
}

TEST_P(EachPolicy, OneThatWasTriedAndHasLeftIsNoMatter) {
  Picker picker{GetParam(), Endpoints{2}};
  EXPECT_TRUE(picker.pick_but({17}).has_value());
  EXPECT_EQ(picker.pick_but({17, 1}), Endpoint{0});
}

TEST_P(EachPolicy, AMemberThatJoinsOrLeavesIsNoticed) {
  Picker picker{GetParam(), Endpoints{2}};
  (void)picker.counts(10);
  picker.endpoints.add();
  EXPECT_LT(misfit(picker.counts(30'000), {1, 1, 1}), fits);
  picker.endpoints.all.pop_back();
  EXPECT_LT(misfit(picker.counts(20'000), {1, 1}), fits);
  picker.endpoints.all[0].weight = 3;
  picker.balancer.members_changed(picker.endpoints);
  auto const counts = picker.counts(20'000);
  EXPECT_GT(counts[0], 2.7 * counts[1]);
}

TEST_P(EachPolicy, ACircuitThatRampsHasAsMuchAsItsRampGives) {
  Picker picker{GetParam(), Endpoints{3}};
  picker.endpoints.all[1].share = 0.2;
  EXPECT_LT(misfit(picker.counts(66'000), {1, 0.2, 1}), fits);
  picker.endpoints.all[1].share = 1;
  EXPECT_LT(misfit(picker.counts(66'000), {1, 1, 1}), fits);
}

TEST_P(EachPolicy, ANewOneComesInWithATenthAndGrowsToTheWhole) {
  Picker picker{GetParam(), Endpoints{4}, 10s};
  picker.endpoints.all[3].since = start;
  EXPECT_LT(misfit(picker.counts(31'000), {1, 1, 1, 0.1}), fits);
  picker.now += 5s;
  EXPECT_LT(misfit(picker.counts(35'500), {1, 1, 1, 0.55}), fits);
  picker.now += 5s;
  EXPECT_LT(misfit(picker.counts(40'000), {1, 1, 1, 1}), fits);
}

TEST_P(EachPolicy, NewOnesAloneShareEverything) {
  Picker picker{GetParam(), Endpoints{2}, 10s};
  for (auto& endpoint : picker.endpoints.all) endpoint.since = start;
  for (int i = 0; i < 100; ++i, picker.now += 150ms)
    EXPECT_TRUE(picker.pick({.hash = mixed(picker.rng.next())}));
  EXPECT_LT(misfit(picker.counts(20'000), {1, 1}), fits);
}

TEST(RampShare, GrowsFromATenthToTheWhole) {
  EXPECT_DOUBLE_EQ(ramp_share(10s, 0s), 0.1);
  EXPECT_DOUBLE_EQ(ramp_share(10s, 5s), 0.55);
  EXPECT_DOUBLE_EQ(ramp_share(10s, 10s), 1);
  EXPECT_DOUBLE_EQ(ramp_share(10s, 1h), 1);
  EXPECT_DOUBLE_EQ(ramp_share(10s, -1s), 0.1);
  EXPECT_DOUBLE_EQ(ramp_share(0s, 0s), 1);
  EXPECT_DOUBLE_EQ(ramp_share(0s, -1s), 1);
}

// Priorities.

TEST_P(EachPolicy, TheLaterGroupHasNothingWhileTheFirstIsWell) {
  Picker picker{GetParam()};
  for (unsigned const priority : {7U, 0U, 7U, 0U, 0U}) picker.endpoints.add(1, priority);
  EXPECT_LT(misfit(picker.counts(30'000), {0, 1, 0, 1, 1}), fits);
  for (std::uint64_t hash = 0; hash < 500; ++hash) {
    auto const picked = *picker.pick({.hash = mixed(hash)});
    EXPECT_EQ(picker.endpoints.all[picked].priority, 0U);
  }
}

TEST_P(EachPolicy, WhatAGroupCannotTakeSpillsToTheNext) {
  Picker picker{GetParam()};
  for (int i = 0; i < 10; ++i) picker.endpoints.add(1, 0);
  for (int i = 0; i < 2; ++i) picker.endpoints.add(1, 1);
  auto const kept = [&](int away) {
    for (int i = 0; i < 10; ++i) picker.endpoints.all[static_cast<std::size_t>(i)].available = i >= away;
    (void)picker.counts(100);
    auto const counts = picker.counts(20'000);
    return std::accumulate(counts.begin(), counts.begin() + 10, 0.0) / 20'000;
  };
  EXPECT_EQ(kept(0), 1);
  EXPECT_EQ(kept(2), 1);
  EXPECT_NEAR(kept(3), 0.98, 0.005);
  EXPECT_NEAR(kept(5), 0.7, 0.015);
  EXPECT_NEAR(kept(9), 0.14, 0.015);
  EXPECT_EQ(kept(10), 0);
  EXPECT_EQ(kept(0), 1);
}

TEST_P(EachPolicy, TheLastGroupWithSomebodyTakesWhatRemains) {
  Picker picker{GetParam()};
  for (unsigned const priority : {0U, 0U, 1U, 1U, 2U, 2U}) picker.endpoints.add(1, priority);
  for (std::size_t const away : {0U, 2U}) picker.endpoints.all[away].available = false;
  (void)picker.counts(100);
  EXPECT_LT(misfit(picker.counts(30'000), {0, 0.7, 0, 0.3, 0, 0}), fits);
  picker.endpoints.all[3].available = false;
  (void)picker.counts(100);
  EXPECT_LT(misfit(picker.counts(30'000), {0, 0.7, 0, 0, 0.15, 0.15}), fits);
  for (std::size_t const away : {4U, 5U}) picker.endpoints.all[away].available = false;
  (void)picker.counts(100);
  EXPECT_EQ(picker.counts(1000)[1], 1000) << "there is nobody to spill to";
}

TEST_P(EachPolicy, ALaterGroupComesBeforeOneThatWasTried) {
  Picker picker{GetParam()};
  picker.endpoints.add(1, 0);
  picker.endpoints.add(1, 3);
  EXPECT_EQ(picker.counts(100)[0], 100);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(picker.pick_but({0}), Endpoint{1});
  EXPECT_EQ(picker.counts(100)[0], 100);
}

TEST(Balance, UnderSpillAKeyStaysInItsGroup) {
  Picker picker{Policy::ring_hash};
  for (unsigned const priority : {0U, 0U, 1U, 1U}) picker.endpoints.add(1, priority);
  picker.endpoints.all[0].available = false;
  (void)picker.counts(100);
  std::size_t spilled = 0;
  for (std::uint64_t hash = 0; hash < 10'000; ++hash) {
    auto const picked = picker.pick({.hash = mixed(hash)});
    ASSERT_EQ(picker.pick({.hash = mixed(hash)}), picked);
    spilled += *picked >= 2 ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(spilled), 3000, 200);
}

// The cost.

TEST(Balance, WithTwoChoicesAPickReadsTwoEndpointsHoweverManyThereAreAndOneMoreWhileAnyIsAway) {
  for (auto const policy : {Policy::least_request, Policy::peak_ewma}) {
    for (std::size_t const count : {10U, 1000U, 5000U}) {
      Picker picker{policy, Endpoints{count}};
      auto const reads_of_thousand = [&picker] {
        picker.endpoints.reads = 0;
        (void)picker.counts(1000);
        return picker.endpoints.reads;
      };
      (void)picker.pick();
      EXPECT_EQ(reads_of_thousand(), 2000U);
      picker.endpoints.all[3].available = false;
      (void)picker.counts(2 * count);
      EXPECT_NEAR(static_cast<double>(reads_of_thousand()), 3000, 1);
      picker.endpoints.all[3].available = true;
      (void)picker.counts(4 * count);
      EXPECT_EQ(reads_of_thousand(), 2000U) << "it was noticed that it is back";
    }
  }
}

TEST(Balance, AGroupIsLeftForTheNextThoughThoseThatAreAwayAreNeverDrawn) {
  // Keys that all belong to the first endpoint of their group.
  Picker picker{Policy::ring_hash, Endpoints{4}};
  picker.endpoints.add(1, 1);
  std::vector<std::uint64_t> keys;
  for (std::uint64_t i = 0; keys.size() < 200; ++i) {
    auto const key = stable_hash(std::to_string(i));
    if (picker.pick({.hash = key}) == 0U) keys.push_back(key);
  }
  for (std::size_t i = 1; i < 4; ++i) picker.endpoints.all[i].available = false;
  auto const at_the_next = [&] {
    return std::count_if(keys.begin(), keys.end(),
                         [&](auto key) { return picker.pick({.hash = key}) == 4U; });
  };
  (void)at_the_next();
  // It keeps 1.4 * 1/4 of them.
  EXPECT_NEAR(static_cast<double>(at_the_next()), 130, 25);
}

TEST(Balance, APickReadsFewEvenWhenMostAreAway) {
  Picker picker{Policy::least_request, Endpoints{1000}};
  for (std::size_t i = 0; i < 990; ++i) picker.endpoints.all[i].available = false;
  (void)picker.counts(100);
  picker.endpoints.reads = 0;
  (void)picker.counts(1000);
  EXPECT_LE(picker.endpoints.reads, 4000U);
}

TEST_P(EachPolicy, APickAllocatesNothing) {
  Picker picker{GetParam(), Endpoints{20}, 10s};
  for (std::size_t i = 0; i < 20; ++i) picker.endpoints.all[i].priority = static_cast<unsigned>(i % 3);
  picker.balancer.members_changed(picker.endpoints);
  std::vector<std::size_t> const tried{1, 5};
  auto const before = test::allocations();
  for (std::uint64_t i = 0; i < 5000; ++i) {
    picker.now += 10ms;
    picker.endpoints.all[picker.rng.below(20)].available = picker.rng.chance(0.6);
    (void)picker.pick({.hash = mixed(i)});
    (void)picker.pick({.tried = tried});
  }
  EXPECT_EQ(test::allocations(), before);
}

TEST_P(EachPolicy, TheSameSeedGivesTheSamePicks) {
  Picker one{GetParam(), Endpoints{6}};
  Picker other{GetParam(), Endpoints{6}};
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(one.pick(), other.pick());
}

}  // namespace
}  // namespace candor
