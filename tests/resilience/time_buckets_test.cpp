#include "candor/resilience/time_buckets.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <deque>

#include "candor/core/rng.hpp"

namespace candor {
namespace {

constexpr Instant start = Instant{} + 1h;  // the begin of a bucket

TEST(TimeBuckets, StartEmpty) { EXPECT_EQ(TimeBuckets<int>{10s}.sums(start), 0); }

TEST(TimeBuckets, ForgetAfterNineToTenTenthsOfTheSpan) {
  for (auto const into_bucket : {0ms, 1ms, 500ms, 999ms}) {
    TimeBuckets<int> buckets{10s};
    ++buckets.at(start + into_bucket);
    EXPECT_EQ(buckets.sums(start + 9s + 999ms), 1);
    EXPECT_EQ(buckets.sums(start + 10s), 0);
  }
}

TEST(TimeBuckets, AreLetGoOneAfterTheOther) {
  TimeBuckets<int> buckets{10s};
  for (auto t = 0s; t < 10s; ++t) ++buckets.at(start + t);
  for (auto t = 0s; t <= 10s; ++t) EXPECT_EQ(buckets.sums(start + 9s + t), 10 - t.count());
}

TEST(TimeBuckets, AgreeWithTheListOfAllThatWasCounted) {
  Rng rng{1};
  TimeBuckets<int> buckets{10s};
  std::deque<Instant> all;
  auto now = start;
  for (int step = 0; step < 20'000; ++step) {
    // Mostly close together; sometimes nothing for longer than the span.
    now += rng.chance(0.01) ? rng.between(Duration{}, 15s) : rng.between(Duration{}, 200ms);
    ++buckets.at(now);
    all.push_back(now);
    auto const asked = now + rng.between(Duration{}, 3s);
    auto const oldest = Instant{std::chrono::floor<std::chrono::seconds>(asked.time_since_epoch()) - 9s};
    while (all.front() < Instant{std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()) - 9s}) {
      all.pop_front();
    }
    auto const expected =
        std::count_if(all.begin(), all.end(), [oldest](Instant at) { return at >= oldest; });
    ASSERT_EQ(buckets.sums(asked), expected) << "at step " << step;
  }
}

TEST(TimeBuckets, AnEarlierInstantCountsAsTheLatestOneSeen) {
  TimeBuckets<int> buckets{10s};
  ++buckets.at(start + 5s);
  ++buckets.at(start);
  EXPECT_EQ(buckets.sums(start), 2);
  EXPECT_EQ(buckets.sums(start + 14s + 999ms), 2);
  EXPECT_EQ(buckets.sums(start + 15s), 0);
}

TEST(TimeBuckets, ReadingThemChangesNothing) {
  TimeBuckets<int> buckets{10s};
  ++buckets.at(start);
  EXPECT_EQ(buckets.sums(start + 1h), 0);
  EXPECT_EQ(buckets.sums(start), 1);
}

TEST(TimeBuckets, AreEmptyOnceCleared) {
  TimeBuckets<int> buckets{10s};
  ++buckets.at(start);
  buckets.clear();
  EXPECT_EQ(buckets.sums(start), 0);
}

TEST(TimeBuckets, OfASpanThatIsNoSpanHoldThePresent) {
  TimeBuckets<int> buckets{Duration{}};
  ++buckets.at(start);
  EXPECT_EQ(buckets.sums(start), 1);
  EXPECT_EQ(buckets.sums(start + 1s), 0);
}

}  // namespace
}  // namespace candor
