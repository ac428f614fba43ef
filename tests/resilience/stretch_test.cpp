#include "candor/resilience/stretch.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "candor/core/rng.hpp"
#include "resilience/allocations.hpp"
#include "resilience/driver.hpp"

namespace candor {
namespace {

using test::failed;
using test::start;

struct Retrying {
  explicit Retrying(BudgetSettings const& settings = {}) : stretch(settings) {}

  void settle(bool retry, Outcome outcome, Duration latency = 20ms) {
    stretch.settled(retry, outcome, latency, now);
  }
  void first(Outcome outcome, int times = 1, Duration latency = 20ms) {
    for (int i = 0; i < times; ++i) settle(false, outcome, latency);
  }
  void retry(Outcome outcome, int times = 1, Duration latency = 20ms) {
    for (int i = 0; i < times; ++i) settle(true, outcome, latency);
  }
  /// A minute at 100 attempts a second: what is usual is known, and no retry is in the window.
  void get_to_know(Duration latency = 20ms) {
    for (int i = 0; i < 6000; ++i, now += 10ms) settle(false, Outcome::success(), latency);
  }
  [[nodiscard]] bool pays() const { return stretch.pays(now); }

  Stretch stretch;
  Instant now = start;
};

constexpr auto good = Outcome::success();

TEST(Stretch, PaysWhenRetriesSucceed) {
  Retrying r;
  r.get_to_know();
  EXPECT_FALSE(r.pays());
  r.first(failed(), 30);
  r.retry(good, 30);
  EXPECT_TRUE(r.pays());
}

TEST(Stretch, PaysNotForTooFewRetries) {
  Retrying r;
  r.get_to_know();
  r.retry(good, 19);
  EXPECT_FALSE(r.pays());
  r.retry(good);
  EXPECT_TRUE(r.pays());
}

TEST(Stretch, PaysNotUnlessHalfOfTheRetriesSucceedForSure) {
  Retrying r;
  r.get_to_know();
  r.retry(good, 14);
  r.retry(failed(), 6);
  EXPECT_FALSE(r.pays()) << "14 of 20 may be chance";
  r.retry(good, 6);
  r.retry(failed(), 2);
  EXPECT_TRUE(r.pays()) << "20 of 28 are not";
  r.retry(failed(), 20);
  EXPECT_FALSE(r.pays());
}

TEST(Stretch, EndsAtOnceWhenATenthOfTheFailuresSayTooMuch) {
  for (auto const kind : {FailureKind::timeout, FailureKind::overload}) {
    Retrying r;
    r.get_to_know();
    r.first(failed(), 100);
    r.retry(good, 100);
    r.first(failed(kind), 11);
    EXPECT_TRUE(r.pays());
    r.first(failed(kind), 1);
    EXPECT_FALSE(r.pays());
  }
}

TEST(Stretch, OtherKindsSayNothingOfLoad) {
  for (auto const kind : all_failure_kinds) {
    if (kind == FailureKind::timeout || kind == FailureKind::overload) continue;
    Retrying r;
    r.get_to_know();
    r.first(failed(kind), 50);
    r.retry(good, 50);
    EXPECT_TRUE(r.pays()) << name(kind);
  }
}

TEST(Stretch, EndsWhenHalfOfTheAnswersTakeTwiceAsLongAsUsual) {
  Retrying r;
  r.get_to_know();
  r.now += 10s;
  r.retry(good, 100);
  r.first(good, 99, 41ms);
  EXPECT_TRUE(r.pays());
  r.first(good, 1, 41ms);
  EXPECT_FALSE(r.pays());
}

TEST(Stretch, ALittleSlowerIsNotSlow) {
  Retrying r;
  r.get_to_know();
  r.now += 10s;
  r.retry(good, 100, 38ms);
  EXPECT_TRUE(r.pays());
}

TEST(Stretch, WhatTakesAMomentMayTakeTwo) {
  Retrying r;
  r.get_to_know(200us);
  r.retry(good, 2000, 9ms);
  EXPECT_TRUE(r.pays()) << "a machine that is busy shows as much";
  r.retry(good, 4000, 11ms);
  EXPECT_FALSE(r.pays());
}

TEST(Stretch, QuickFailuresDoNotHideSlowAnswers) {
  Retrying r;
  r.get_to_know();
  r.now += 10s;
  r.retry(good, 100, 100ms);
  r.first(failed(), 1000, 1ms);
  EXPECT_FALSE(r.pays());
}

TEST(Stretch, WithoutAHistoryNobodyKnowsWhatIsUsual) {
  Retrying r;
  r.retry(good, 100);
  EXPECT_FALSE(r.pays());
  EXPECT_GT(r.stretch.baseline(), 0) << "a hundred are enough to begin with";
  r.retry(good, 1);
  EXPECT_TRUE(r.pays());
}

TEST(Stretch, WhatIsOlderThanTheWindowDoesNotCount) {
  Retrying r;
  r.get_to_know();
  r.retry(good, 100);
  EXPECT_TRUE(r.pays());
  EXPECT_TRUE(r.stretch.pays(r.now + 9s));
  EXPECT_FALSE(r.stretch.pays(r.now + 10s));
  EXPECT_FALSE(r.stretch.pays(r.now + 24h));
  r.now += 10s;
  r.first(good);
  EXPECT_FALSE(r.pays());
}

TEST(Stretch, TooMuchIsForgottenWithTheWindow) {
  Retrying r;
  r.get_to_know();
  r.first(failed(FailureKind::timeout), 100);
  for (int i = 0; i < 1100; ++i, r.now += 10ms) r.retry(good);
  EXPECT_TRUE(r.pays());
}

TEST(Stretch, ExcludedAndAbandonedOnesAreNoEvidence) {
  Retrying r;
  r.get_to_know();
  r.retry(good, 30);
  r.retry(Outcome::excluded(), 1000, 10s);
  r.retry(Outcome::abandoned(), 1000, 10s);
  EXPECT_TRUE(r.pays());
}

TEST(Stretch, NeverPaysWithoutASetting) {
  for (auto const stretch :
       {std::optional<double>{}, std::optional<double>{0.2}, std::optional<double>{0.1}}) {
    Retrying r{{.stretch = stretch}};
    r.get_to_know();
    r.retry(good, 100);
    EXPECT_FALSE(r.pays());
  }
}

TEST(Stretch, TimeThatGoesBackCountsAsTheLatestSeen) {
  Retrying r;
  r.get_to_know();
  r.now -= 30s;
  r.retry(good, 30);
  EXPECT_TRUE(r.pays());
  EXPECT_TRUE(r.stretch.pays(r.now + 30s));
  EXPECT_FALSE(r.stretch.pays(r.now + 41s));
}

TEST(Stretch, ReadingChangesNothing) {
  Retrying r;
  r.get_to_know();
  r.retry(good, 30);
  EXPECT_FALSE(r.stretch.pays(r.now + 1h));
  EXPECT_TRUE(r.pays());
}

TEST(Stretch, AnAttemptAllocatesNothing) {
  Retrying r;
  auto const before = test::allocations();
  r.get_to_know();
  r.retry(good, 100);
  EXPECT_TRUE(r.pays());
  EXPECT_EQ(test::allocations(), before);
}

/// Two normal deviates would do; the sum of a dozen uniform ones is near enough.
Duration lognormal(Rng& rng, double median) {
  double sum = -6;
  for (int i = 0; i < 12; ++i) sum += rng.unit();
  return from_seconds(median * std::exp(0.7 * sum));
}

TEST(SlowMedian, SettlesAtTheMedian) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Rng rng{seed};
    SlowMedian median;
    auto now = start;
    for (int i = 0; i < 60'000; ++i) median.sample(seconds(lognormal(rng, 0.05)), now += 10ms);
    EXPECT_NEAR(median.value(), 0.05, 0.004) << seed;
  }
}

TEST(SlowMedian, IsNearTheMedianWhenItIsFirstAsked) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Rng rng{seed};
    SlowMedian median;
    for (int i = 0; i < 100; ++i) median.sample(seconds(lognormal(rng, 0.05)), start);
    ASSERT_TRUE(median.is_known());
    EXPECT_GT(median.value(), 0.05 / 1.4) << seed;
    EXPECT_LT(median.value(), 0.05 * 1.4) << seed;
  }
}

TEST(SlowMedian, AtMostDoublesInFiveMinutesHoweverManySamplesThereAre) {
  for (Duration const pace : {Duration{100us}, Duration{10ms}, Duration{1s}}) {
    SlowMedian median;
    auto now = start;
    for (int i = 0; i < 1000; ++i) median.sample(0.010, now += 1us);
    for (auto const end = now + 5min; now < end; now += pace) median.sample(1, now);
    EXPECT_LE(median.value(), 0.0202);
    EXPECT_GE(median.value(), 0.0195);
  }
}

TEST(SlowMedian, ASilenceTeachesNothing) {
  SlowMedian median;
  for (int i = 0; i < 1000; ++i) median.sample(0.010, start);
  median.sample(1, start + 24h);
  EXPECT_LT(median.value(), 0.0101);
}

TEST(SlowMedian, NoStepGoesPastItsSample) {
  SlowMedian median;
  for (int i = 0; i < 300; ++i) median.sample(0.010, start + i * 1s);
  EXPECT_DOUBLE_EQ(median.value(), 0.010);
}

}  // namespace
}  // namespace candor
