// When checks are due, and what a number of them in a row means.
#include "candor/resilience/check_course.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "resilience/driver.hpp"

namespace candor {
namespace {

using test::start;

/// Checks that end at once, without jitter unless a test wants some.
struct Checked {
  explicit Checked(CheckPaceSettings what = {.jitter = 0}) : settings(what) {}

  CheckReport check(bool good, Duration took = {}) {
    now = std::max(now, course.due());
    course.begun(now, rng);
    now += took;
    return course.settled(good, now);
  }
  CheckReport checks(unsigned times, bool good) {
    CheckReport last;
    for (unsigned i = 0; i < times; ++i) last = check(good);
    return last;
  }

  CheckPaceSettings settings;
  Rng rng{1};
  Instant now = start;
  CheckCourse course{settings, start};
};

TEST(CheckCourse, TheFirstIsDueAtOnceAndTheOthersAtTheInterval) {
  Checked c;
  EXPECT_EQ(c.course.due(), start);
  c.check(true);
  EXPECT_EQ(c.course.due(), start + 1s);
  c.check(false, 300ms);
  EXPECT_EQ(c.course.due(), start + 2s) << "from beginning to beginning";
}

TEST(CheckCourse, OneThatTakesLongerThanTheIntervalIsFollowedAtOnce) {
  Checked c;
  auto const report = c.check(false, 1700ms);
  EXPECT_EQ(report.next, start + 1700ms);
  EXPECT_EQ(c.course.due(), report.next);
}

TEST(CheckCourse, JitterSpreadsTheWaitsAndKeepsTheirMean) {
  Checked c{{.jitter = 0.1}};
  Duration sum{};
  Duration shortest = 1h;
  Duration longest{};
  for (int i = 0; i < 1000; ++i) {
    auto const before = c.course.due();
    c.check(true);
    auto const wait = c.course.due() - before;
    sum += wait;
    shortest = std::min(shortest, wait);
    longest = std::max(longest, wait);
  }
  EXPECT_GE(shortest, 900ms);
  EXPECT_LT(shortest, 910ms);
  EXPECT_LE(longest, 1100ms);
  EXPECT_GT(longest, 1090ms);
  EXPECT_NEAR(seconds(sum), 1000, 10);
}

TEST(CheckCourse, TheSameSeedGivesTheSameTimes) {
  Checked one{{.jitter = 0.5}};
  Checked other{{.jitter = 0.5}};
  for (int i = 0; i < 20; ++i) EXPECT_EQ(one.check(i % 3 != 0).next, other.check(i % 3 != 0).next);
}

TEST(CheckCourse, ItIsWellUntilAsManyBadOnesInARow) {
  Checked c;
  EXPECT_EQ(c.course.standing(), Standing::well);
  EXPECT_EQ(c.checks(2, false).standing, Standing::doubted);
  EXPECT_EQ(c.check(true).standing, Standing::doubted);
  EXPECT_EQ(c.checks(2, false).standing, Standing::doubted) << "in a row";
  auto const third = c.check(false);
  EXPECT_EQ(third.standing, Standing::ill);
  EXPECT_TRUE(third.is_news());
  EXPECT_EQ(third.in_a_row, 3U);
  EXPECT_EQ(third.needed, 3U);
  EXPECT_FALSE(c.check(false).is_news()) << "told once";
}

TEST(CheckCourse, ItIsIllUntilAsManyGoodOnesInARow) {
  Checked c;
  c.checks(3, false);
  EXPECT_EQ(c.check(true).standing, Standing::ill);
  EXPECT_EQ(c.check(false).standing, Standing::ill);
  EXPECT_FALSE(c.check(true).is_news());
  auto const second = c.check(true);
  EXPECT_EQ(second.standing, Standing::well);
  EXPECT_TRUE(second.is_news());
}

TEST(CheckCourse, OneDoubtedIsWellAgainWithoutNews) {
  Checked c;
  c.check(false);
  c.check(true);
  auto const well = c.check(true);
  EXPECT_EQ(well.standing, Standing::well);
  EXPECT_FALSE(well.is_news());
}

TEST(CheckCourse, OneNotMadeChangesNothing) {
  Checked c;
  c.checks(2, false);
  c.now = c.course.due();
  c.course.begun(c.now, c.rng);  // and dropped
  EXPECT_EQ(c.course.due(), c.now + 1s);
  EXPECT_EQ(c.check(false).standing, Standing::ill) << "the two before count";
}

TEST(CheckCourse, ThoseOfAnEndpointThatIsNotWellMayComeMoreOften) {
  Checked c{{.every = 10s, .every_ill = 500ms, .jitter = 0}};
  auto const wait_after = [&c](bool good) {
    auto const report = c.check(good);
    return report.next - report.at;
  };
  EXPECT_EQ(wait_after(true), 10s);
  EXPECT_EQ(wait_after(false), 500ms) << "from the first bad one on";
  EXPECT_EQ(wait_after(true), 500ms);
  EXPECT_EQ(wait_after(true), 10s);
}

}  // namespace
}  // namespace candor
