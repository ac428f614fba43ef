#include "candor/resilience/window.hpp"

#include <gtest/gtest.h>

#include <deque>

#include "candor/core/rng.hpp"

namespace candor {
namespace {

constexpr Instant start = Instant{} + 1h;  // the begin of a bucket

TEST(Window, StartsEmpty) { EXPECT_EQ(Window{10s}.sums(start), WindowSums{}); }

TEST(Window, CountsEachKindWhereItBelongs) {
  Window window{10s};
  window.success(start, false, true);
  window.success(start, false, false);
  window.success(start, true, true);
  window.failure(start, false);
  window.failure(start, true);
  window.mark(start);
  window.mark(start);
  window.mark(start);
  auto const sums = window.sums(start);
  EXPECT_EQ(sums.settled, 5U);
  EXPECT_EQ(sums.failed, 2U);
  EXPECT_EQ(sums.marked, 3U);
  EXPECT_EQ(sums.marked_settled, 2U);
  EXPECT_EQ(sums.marked_failed, 1U);
  EXPECT_EQ(sums.answered, 3U);
  EXPECT_EQ(sums.strained, 1U);
  // Settled: 3 unmarked. Marked: 3, of which one is still in flight. The marked ones are failures as the
  // evidence rule reads them, whatever became of them.
  EXPECT_EQ(sums.evidence_attempts(), 6U);
  EXPECT_EQ(sums.evidence_failures(), 4U);
  EXPECT_EQ(sums.attempts(), 6U);
  EXPECT_DOUBLE_EQ(sums.failure_ratio(), 0.4);
  EXPECT_DOUBLE_EQ(sums.strain_ratio(), 1.0 / 3);
}

TEST(Window, RatiosOfNothingAreZero) {
  EXPECT_EQ(WindowSums{}.failure_ratio(), 0);
  EXPECT_EQ(WindowSums{}.strain_ratio(), 0);
}

TEST(Window, AnAttemptIsForgottenAfterNineToTenSeconds) {
  for (auto const into_bucket : {0ms, 1ms, 500ms, 999ms}) {
    Window window{10s};
    window.failure(start + into_bucket, false);
    EXPECT_EQ(window.sums(start + 9s + 999ms).failed, 1U);
    EXPECT_EQ(window.sums(start + 10s).failed, 0U);
  }
}

TEST(Window, ClearedItIsEmptyAndGoesOn) {
  Window window{10s};
  window.failure(start, false);
  window.mark(start);
  window.clear();
  EXPECT_EQ(window.sums(start), WindowSums{});
  window.failure(start, false);
  EXPECT_EQ(window.sums(start).failed, 1U);
}

TEST(Window, AgreesWithAListOfAllAttempts) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Rng rng{seed};
    Window window{10s};
    std::deque<std::pair<std::int64_t, bool>> kept;  // bucket, failed
    auto now = start + rng.between({}, 1h);
    for (int i = 0; i < 300; ++i) {
      now += rng.chance(0.02) ? rng.between({}, 30s) : rng.between({}, 300ms);
      auto const bucket = now.time_since_epoch() / 1s;
      bool const bad = rng.chance(0.4);
      if (rng.chance(0.8)) {
        bad ? window.failure(now, false) : window.success(now, false, true);
        kept.emplace_back(bucket, bad);
      }
      while (!kept.empty() && kept.front().first <= bucket - 10) kept.pop_front();
      WindowSums expected;
      for (auto const& [when, was_bad] : kept) {
        ++expected.settled;
        ++(was_bad ? expected.failed : expected.answered);
      }
      ASSERT_EQ(window.sums(now), expected) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace candor
