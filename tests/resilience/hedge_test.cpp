#include "candor/resilience/hedge.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "candor/core/rng.hpp"

namespace candor {
namespace {

constexpr Instant start{};

TEST(LatencyHistogram, SaysNothingBeforeItKnowsEnough) {
  LatencyHistogram took;
  for (std::uint64_t i = 0; i + 1 < LatencyHistogram::enough; ++i) took.add(10ms, start);
  EXPECT_EQ(took.quantile(0.95, start), std::nullopt);
  took.add(10ms, start);
  EXPECT_TRUE(took.quantile(0.95, start));
}

TEST(LatencyHistogram, IsRightToASixteenthAtAnyScale) {
  for (auto const scale : {1us, 50us, 1'000us, 30'000us, 2'000'000us, 200'000'000us}) {
    LatencyHistogram histogram;
    Rng chance{7};
    std::vector<Duration> all;
    for (int i = 0; i < 5000; ++i) {
      all.push_back(chance.between(scale, 10 * Duration{scale}));
      histogram.add(all.back(), start);
    }
    std::sort(all.begin(), all.end());
    for (double const share : {0.5, 0.9, 0.95, 0.99}) {
      auto const exact = all[static_cast<std::size_t>(share * 5000) - 1];
      auto const told = *histogram.quantile(share, start);
      EXPECT_GE(told, exact) << share;
      EXPECT_LE(told, exact + exact / 16 + 2us) << share;
    }
  }
}

TEST(LatencyHistogram, TakesTheShortestAndTheLongest) {
  LatencyHistogram took;
  for (int i = 0; i < 60; ++i) took.add(-5ms, start);
  for (int i = 0; i < 60; ++i) took.add(24h * 365, start);
  EXPECT_LE(*took.quantile(0.5, start), 2us);
  EXPECT_GT(*took.quantile(0.99, start), 1h);
}

TEST(LatencyHistogram, ForgetsWhatIsOld) {
  LatencyHistogram took{30s};
  for (int i = 0; i < 200; ++i) took.add(1s, start);
  EXPECT_GE(*took.quantile(0.95, start + 30s), 1s) << "the older half still speaks";
  for (int i = 0; i < 200; ++i) took.add(10ms, start + 31s);
  EXPECT_GE(*took.quantile(0.95, start + 31s), 1s);
  EXPECT_LT(*took.quantile(0.95, start + 61s), 11ms);
  EXPECT_EQ(took.quantile(0.95, start + 10min), std::nullopt);
}

TEST(LatencyHistogram, LooksForAQuantileAnewOnceAHundredthMoreIsKnown) {
  LatencyHistogram took;
  for (int i = 0; i < 1000; ++i) took.add(10ms, start);
  auto const before = took.quantile(1, start);
  for (int i = 0; i < 10; ++i) took.add(1s, start);
  EXPECT_EQ(took.quantile(1, start), before);
  EXPECT_GE(*took.quantile(0.995, start), 1s) << "another one has not been looked for";
  took.add(1s, start);
  EXPECT_GE(*took.quantile(1, start), 1s);
}

TEST(HedgeAfter, IsTheLongerOfDelayAndQuantile) {
  EXPECT_EQ(hedge_after({.after = 50ms}, std::nullopt), 50ms);
  EXPECT_EQ(hedge_after({.after = 50ms}, 80ms), 50ms) << "nobody asked for a quantile";
  EXPECT_EQ(hedge_after({.quantile = 0.95}, 80ms), 80ms);
  EXPECT_EQ(hedge_after({.quantile = 0.95}, std::nullopt), std::nullopt);
  EXPECT_EQ(hedge_after({.after = 50ms, .quantile = 0.95}, 80ms), 80ms);
  EXPECT_EQ(hedge_after({.after = 50ms, .quantile = 0.95}, 20ms), 50ms);
  EXPECT_EQ(hedge_after({.after = 50ms, .quantile = 0.95}, std::nullopt), 50ms);
}

}  // namespace
}  // namespace candor
