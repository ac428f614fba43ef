// What each policy has to do besides what all do.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <set>
#include <vector>

#include "candor/resilience/peak_ewma.hpp"
#include "resilience/endpoints.hpp"

namespace candor {
namespace {

using test::Endpoints;
using test::misfit;
using test::Picker;
using test::start;
using Endpoint = std::optional<std::size_t>;
using Policy = BalanceSettings::Policy;

// Round robin.

TEST(RoundRobin, EqualOnesComeInTurn) {
  Picker picker{Policy::round_robin, Endpoints{5}};
  auto const first = *picker.pick();
  for (std::size_t i = 1; i < 100; ++i) EXPECT_EQ(picker.pick(), Endpoint{(first + i) % 5});
}

TEST(RoundRobin, WhereItBeginsIsLeftToChance) {
  std::set<std::size_t> begun;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    begun.insert(*Picker(Policy::round_robin, Endpoints{5}, {}, seed).pick());
  }
  EXPECT_EQ(begun.size(), 5U);
}

TEST(RoundRobin, OneThatIsAwayIsPassedOverAndItsNeighbourHasNoMoreThanTheOthers) {
  Picker picker{Policy::round_robin, Endpoints{4}};
  picker.endpoints.all[1].available = false;
  EXPECT_EQ(picker.counts(300), (std::vector<double>{100, 0, 100, 100}));
}

TEST(RoundRobin, AHeavyOnesTurnsAreSpreadAmongTheOthers) {
  Picker picker{Policy::round_robin};
  for (auto const weight : {5, 1, 1}) picker.endpoints.add(weight);
  unsigned in_a_row = 0;
  unsigned longest = 0;
  for (int i = 0; i < 7000; ++i) {
    in_a_row = picker.pick() == Endpoint{0} ? in_a_row + 1 : 0;
    longest = std::max(longest, in_a_row);
  }
  EXPECT_LE(longest, 4U);
  EXPECT_GE(longest, 2U);
}

TEST(RoundRobin, InEachLapEachHasExactlyItsWeight) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Picker picker{Policy::round_robin, Endpoints{}, {}, seed};
    for (auto const weight : {1, 2, 3, 10}) picker.endpoints.add(weight);
    (void)picker.counts(16 * 4);  // where it began is forgotten
    for (int lap = 0; lap < 10; ++lap) EXPECT_EQ(picker.counts(16), (std::vector<double>{1, 2, 3, 10}));
  }
}

TEST(RoundRobin, AWeightedOneThatWasAwayGetsNothingInArrears) {
  Picker picker{Policy::round_robin};
  for (auto const weight : {3, 1}) picker.endpoints.add(weight);
  picker.endpoints.all[0].available = false;
  EXPECT_EQ(picker.counts(1000)[1], 1000);
  picker.endpoints.all[0].available = true;
  EXPECT_LE(picker.counts(12)[0], 10);
}

// Least request.

TEST(LeastRequest, OfTwoTheLessBusyOneIsPicked) {
  Picker picker{Policy::least_request, Endpoints{2}};
  picker.endpoints.all[0].in_flight = 3;
  picker.endpoints.all[1].in_flight = 2;
  EXPECT_EQ(picker.counts(100)[1], 100);
  picker.endpoints.all[0].in_flight = 1;
  EXPECT_EQ(picker.counts(100)[0], 100);
}

TEST(LeastRequest, BusyIsAMatterOfWeight) {
  Picker picker{Policy::least_request};
  picker.endpoints.add(10).in_flight = 9;
  picker.endpoints.add(1).in_flight = 1;
  EXPECT_EQ(picker.counts(100)[0], 100);
  picker.endpoints.all[0].in_flight = 11;
  EXPECT_EQ(picker.counts(100)[1], 100);
}

TEST(LeastRequest, TheBusiestOfManyIsNeverPicked) {
  Picker picker{Policy::least_request, Endpoints{10}};
  picker.endpoints.all[4].in_flight = 1;
  auto const counts = picker.counts(45'000);
  EXPECT_EQ(counts[4], 0);
  EXPECT_LT(misfit(counts, {1, 1, 1, 1, 0, 1, 1, 1, 1, 1}), 3);
}

/// Each attempt lasts for so many picks; the most that any endpoint ever had in flight.
std::uint32_t most_in_flight(Policy policy, std::size_t endpoints, std::size_t lasts) {
  Picker picker{policy, Endpoints{endpoints}};
  std::deque<std::size_t> in_flight;
  std::uint32_t most = 0;
  for (int i = 0; i < 20'000; ++i) {
    auto const hash = mixed(picker.rng.next());
    auto const picked = *picker.pick({.hash = hash});
    most = std::max(most, ++picker.endpoints.all[picked].in_flight);
    in_flight.push_back(picked);
    if (in_flight.size() <= lasts) continue;
    --picker.endpoints.all[in_flight.front()].in_flight;
    in_flight.pop_front();
  }
  return most;
}

TEST(LeastRequest, TwoChoicesKeepTheFullestNearTheMean) {
  EXPECT_LE(most_in_flight(Policy::least_request, 200, 200), 4U);
  EXPECT_GE(most_in_flight(Policy::ring_hash, 200, 200), 6U) << "as chance would have it";
}

// Peak EWMA.

TEST(PeakEwmaBalance, OfTwoTheQuickerOneIsPickedUntilItIsAsBusyAsItIsQuick) {
  Picker picker{Policy::peak_ewma, Endpoints{2}};
  picker.endpoints.all[0].latency = 0.010;
  picker.endpoints.all[1].latency = 0.035;
  for (std::uint32_t busy = 0; busy < 3; ++busy) {
    picker.endpoints.all[0].in_flight = busy;
    EXPECT_EQ(picker.counts(50)[0], 50);
  }
  picker.endpoints.all[0].in_flight = 3;
  EXPECT_EQ(picker.counts(50)[1], 50);
}

TEST(PeakEwmaBalance, WithNoLatencyKnownItIsTheLessBusyOne) {
  Picker picker{Policy::peak_ewma, Endpoints{2}};
  picker.endpoints.all[0].in_flight = 1;
  EXPECT_EQ(picker.counts(50)[1], 50);
}

TEST(PeakEwmaBalance, ANewOneIsNeitherFloodedNorStarved) {
  Picker picker{Policy::peak_ewma, Endpoints{5}};
  for (std::size_t i = 0; i < 4; ++i) picker.endpoints.all[i].latency = 0.020;
  EXPECT_LT(misfit(picker.counts(50'000), {1, 1, 1, 1, 1}), 3);
  picker.endpoints.all[4].in_flight = 1;
  EXPECT_EQ(picker.counts(1000)[4], 0) << "its first answer is waited for";
  for (auto& endpoint : picker.endpoints.all) endpoint.in_flight = 2;
  EXPECT_LT(misfit(picker.counts(50'000), {1, 1, 1, 1, 1}), 3);
}

TEST(PeakEwmaBalance, WeightsCountAmongEquallyQuickOnes) {
  Picker picker{Policy::peak_ewma};
  for (auto const weight : {1, 2, 3, 10}) picker.endpoints.add(weight).latency = 0.020;
  EXPECT_LT(misfit(picker.counts(70'000), {1, 2, 3, 10}), 3);
  picker.endpoints.all[3].in_flight = 9;
  picker.endpoints.all[0].in_flight = 1;
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(picker.pick_but({1, 2}), Endpoint{3}) << "9 of 10 are less than 1 of 1";
}

struct Kind {
  Duration takes;
  bool fails = false;
};

/// A hundred attempts a second for a minute; the share of each endpoint in the last half of it.
std::vector<double> shares_of(std::vector<Kind> const& kinds) {
  Picker picker{Policy::peak_ewma, Endpoints{kinds.size()}};
  std::vector<PeakEwma> estimates(kinds.size());
  struct Flight {
    Instant ends;
    std::size_t endpoint;
  };
  std::vector<Flight> flights;
  std::vector<double> counts(kinds.size());
  for (int i = 0; i < 6000; ++i, picker.now += 10ms) {
    std::erase_if(flights, [&](Flight const& flight) {
      if (flight.ends > picker.now) return false;
      auto const& kind = kinds[flight.endpoint];
      auto& estimate = estimates[flight.endpoint];
      kind.fails ? estimate.failed(kind.takes, flight.ends) : estimate.succeeded(kind.takes, flight.ends);
      --picker.endpoints.all[flight.endpoint].in_flight;
      return true;
    });
    for (std::size_t e = 0; e < kinds.size(); ++e) {
      picker.endpoints.all[e].latency = estimates[e].estimate(picker.now);
    }
    auto const picked = *picker.pick();
    ++picker.endpoints.all[picked].in_flight;
    flights.push_back({picker.now + kinds[picked].takes, picked});
    if (i >= 3000) counts[picked] += 1.0 / 3000;
  }
  return counts;
}

TEST(PeakEwmaBalance, TheSlowOneOfThreeIsLeftAloneButForATryNowAndThen) {
  auto const shares = shares_of({{10ms}, {10ms}, {200ms}});
  EXPECT_LT(shares[2], 0.02);
  EXPECT_GT(shares[2], 0);
  EXPECT_GT(shares[0], 0.3);
  EXPECT_GT(shares[1], 0.3);
}

TEST(PeakEwmaBalance, OneThatFailsAtOnceIsNotLovedForIt) {
  auto const shares = shares_of({{20ms}, {20ms}, {1ms, true}});
  EXPECT_LT(shares[2], 0.02);
}

TEST(PeakEwmaBalance, WhenAllFailNobodyIsStarved) {
  auto const shares = shares_of({{1ms, true}, {1ms, true}, {1ms, true}});
  for (auto const share : shares) EXPECT_GT(share, 0.2);
}

// Ring hash.

constexpr std::uint64_t keys = 20'000;

std::vector<std::size_t> owners(Picker& picker) {
  std::vector<std::size_t> out;
  for (std::uint64_t key = 0; key < keys; ++key) out.push_back(*picker.pick({.hash = mixed(key)}));
  return out;
}

TEST(RingHash, AKeyStaysWithItsEndpoint) {
  Picker picker{Policy::ring_hash, Endpoints{10}};
  auto const once = owners(picker);
  EXPECT_EQ(owners(picker), once);
  EXPECT_EQ(std::set(once.begin(), once.end()).size(), 10U);
}

TEST(RingHash, TheOrderOfTheListDecidesNothing) {
  Picker picker{Policy::ring_hash, Endpoints{10}};
  Picker turned{Policy::ring_hash, picker.endpoints};
  std::reverse(turned.endpoints.all.begin(), turned.endpoints.all.end());
  auto const once = owners(picker);
  auto const other = owners(turned);
  for (std::size_t i = 0; i < once.size(); ++i) ASSERT_EQ(once[i], 9 - other[i]);
}

TEST(RingHash, OnlyTheKeysOfOneThatLeavesMoveAndTheyAreSpread) {
  Picker picker{Policy::ring_hash, Endpoints{10}};
  auto const before = owners(picker);
  picker.endpoints.all[4].available = false;
  auto const after = owners(picker);
  std::set<std::size_t> heirs;
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before[i] == 4) {
      heirs.insert(after[i]);
    } else {
      ASSERT_EQ(after[i], before[i]);
    }
  }
  EXPECT_EQ(heirs.size(), 9U);
  picker.endpoints.all[4].available = true;
  EXPECT_EQ(owners(picker), before);
}

TEST(RingHash, OneThatJoinsTakesItsShareAndNothingElseMoves) {
  Picker picker{Policy::ring_hash, Endpoints{10}};
  auto const before = owners(picker);
  picker.endpoints.add();
  auto const after = owners(picker);
  double moved = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (after[i] == before[i]) continue;
    ASSERT_EQ(after[i], 10U);
    ++moved;
  }
  EXPECT_NEAR(moved / keys, 1.0 / 11, 0.03);
}

TEST(RingHash, KeysAreSharedByWeight) {
  Picker picker{Policy::ring_hash};
  for (auto const weight : {1, 1, 2, 6}) picker.endpoints.add(weight);
  auto const counts = picker.counts_of_keys(50'000);
  EXPECT_NEAR(counts[0] / 50'000, 0.1, 0.03);
  EXPECT_NEAR(counts[2] / 50'000, 0.2, 0.05);
  EXPECT_NEAR(counts[3] / 50'000, 0.6, 0.06);
}

TEST(RingHash, ARetryGoesToTheSuccessor) {
  Picker picker{Policy::ring_hash, Endpoints{10}};
  for (std::uint64_t key = 0; key < 200; ++key) {
    auto const owner = *picker.pick({.hash = mixed(key)});
    auto const second = picker.pick({.hash = mixed(key), .tried = std::span(&owner, 1)});
    picker.endpoints.all[owner].available = false;
    EXPECT_EQ(picker.pick({.hash = mixed(key)}), second);
    picker.endpoints.all[owner].available = true;
    for (int i = 0; i < 3; ++i) (void)picker.pick();  // it is noticed
  }
}

TEST(RingHash, OneThatRampsHasAShareOfItsKeysAndKeepsThemAsItGrows) {
  Picker picker{Policy::ring_hash, Endpoints{4}};
  auto const whole = owners(picker);
  std::set<std::uint64_t> before;
  for (double const share : {0.2, 0.5, 1.0}) {
    picker.endpoints.all[2].share = share;
    auto const now = owners(picker);
    std::set<std::uint64_t> own;
    double due = 0;
    for (std::uint64_t key = 0; key < keys; ++key) {
      due += whole[key] == 2 ? share : 0;
      if (now[key] == 2) own.insert(key);
      if (whole[key] != 2) {
        ASSERT_EQ(now[key], whole[key]);
      }
    }
    EXPECT_NEAR(static_cast<double>(own.size()), due, 0.02 * keys);
    EXPECT_TRUE(std::includes(own.begin(), own.end(), before.begin(), before.end()));
    before = own;
  }
}

}  // namespace
}  // namespace candor
