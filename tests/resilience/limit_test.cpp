#include "candor/resilience/limit.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <queue>
#include <vector>

#include "candor/core/rng.hpp"
#include "resilience/driver.hpp"

namespace candor {
namespace {

using test::failed;
using test::start;

/// What an upstream can do: so many at the same time, each in about so long; more wait for their turn.
struct Ability {
  unsigned at_once = 20;
  Duration takes = 50ms;

  [[nodiscard]] double per_second() const { return at_once / seconds(takes); }
};

/// What became of some time.
struct Course {
  std::uint64_t asked = 0;
  std::uint64_t refused = 0;
  std::vector<double> latencies{};  // seconds, of those that ended
  double limit = 0;                 // its mean
  std::size_t lowest = SIZE_MAX;
  std::size_t highest = 0;

  [[nodiscard]] double quantile(double share) {
    std::sort(latencies.begin(), latencies.end());
    return latencies[static_cast<std::size_t>(share * static_cast<double>(latencies.size() - 1))];
  }
};

/// An upstream with its limit before it. Arrivals and service times are drawn from exponential distributions:
/// hardly any upstream is as uneven.
class Site {
 public:
  explicit Site(AdaptiveLimitSettings const& settings = {}, std::size_t most = 1024)
      : limit(settings, most) {}

  Ability ability{};
  std::function<Outcome(Rng&)> outcome = [](Rng&) { return Outcome::success(); };
  GradientLimit limit;
  Instant now = start;
  std::size_t in_flight = 0;

  Course run(Duration span, double per_second) {
    Course course;
    auto const until = now + span;
    auto next = now + drawn(1 / per_second);
    double limits = 0;
    while (next < until) {
      settle_until(next, course);
      now = next;
      ++course.asked;
      limit.pass(now);
      auto const value = limit.value();
      limits += static_cast<double>(value);
      course.lowest = std::min(course.lowest, value);
      course.highest = std::max(course.highest, value);
      in_flight < value ? begin() : void(++course.refused);
      next = now + drawn(1 / per_second);
    }
    settle_until(until, course);
    now = until;
    course.limit = limits / static_cast<double>(course.asked);
    return course;
  }

 private:
  struct Attempt {
    Instant started;
    Instant ends;
    bool operator<(Attempt const& other) const { return ends > other.ends; }
  };

  Duration drawn(double mean) { return from_seconds(-std::log(1 - rng_.unit()) * mean); }

  void begin() {
    ++in_flight;
    limit.admitted(in_flight, now);
    // Those that are at work, each until its time.
    while (!busy_.empty() && busy_.top() <= now) busy_.pop();
    auto begins = now;
    if (busy_.size() >= ability.at_once) {
      begins = busy_.top();
      busy_.pop();
    }
    auto const ends = begins + drawn(seconds(ability.takes));
    busy_.push(ends);
    attempts_.push({now, ends});
  }

  void settle_until(Instant until, Course& course) {
    while (!attempts_.empty() && attempts_.top().ends <= until) {
      auto const attempt = attempts_.top();
      attempts_.pop();
      --in_flight;
      course.latencies.push_back(seconds(attempt.ends - attempt.started));
      limit.settled(outcome(rng_), attempt.started, attempt.ends - attempt.started, in_flight, attempt.ends);
    }
  }

  Rng rng_{1};
  std::priority_queue<Attempt> attempts_;
  std::priority_queue<Instant, std::vector<Instant>, std::greater<>> busy_;
};

double goodput(Course const& course, Duration span) {
  return static_cast<double>(course.latencies.size()) / seconds(span);
}

TEST(GradientLimit, FindsWhatAnUpstreamCanDo) {
  for (unsigned const at_once : {5U, 20U, 100U}) {
    SCOPED_TRACE(at_once);
    Site site{{.least = 2}};
    site.ability.at_once = at_once;
    double const offered = 1.3 * site.ability.per_second();
    site.run(15s, offered);
    auto course = site.run(10min, offered);
    EXPECT_GE(goodput(course, 10min), 0.95 * site.ability.per_second());
    EXPECT_GE(course.limit, at_once);
    EXPECT_LE(course.limit, 4 * at_once + 8);
    EXPECT_LE(course.quantile(0.5), 4 * seconds(site.ability.takes)) << "what waits, waits here";
    std::printf(
        "  %u at once: limit %.1f (%zu to %zu), goodput %.3f of what it can do, median %.0fms, p99 %.0fms\n",
        at_once, course.limit, course.lowest, course.highest,
        goodput(course, 10min) / site.ability.per_second(), course.quantile(0.5) * 1e3,
        course.quantile(0.99) * 1e3);
  }
}

TEST(GradientLimit, RefusesNothingThatAnUpstreamCanDo) {
  Site site;
  site.run(1min, 0.7 * site.ability.per_second());
  auto const course = site.run(30min, 0.7 * site.ability.per_second());
  EXPECT_LE(static_cast<double>(course.refused), 1e-4 * static_cast<double>(course.asked));
  std::printf("  %llu of %llu refused, limit %.1f (%zu to %zu), usual %.1fms\n",
              static_cast<unsigned long long>(course.refused), static_cast<unsigned long long>(course.asked),
              course.limit, course.lowest, course.highest, seconds(*site.limit.usual()) * 1e3);
}

TEST(GradientLimit, DoesNotDriftHoweverLongTheOverloadLasts) {
  Site site;
  double const offered = 1.3 * site.ability.per_second();
  site.run(1min, offered);
  auto early = site.run(20min, offered);
  site.run(40min, offered);
  auto late = site.run(20min, offered);
  EXPECT_NEAR(late.limit, early.limit, 0.25 * early.limit);
  EXPECT_LE(late.quantile(0.5), 1.25 * early.quantile(0.5));
}

TEST(GradientLimit, GrowsOnlyAsFarAsItIsUsed) {
  Site site;
  site.ability.at_once = 1000;
  site.run(1h, 20);
  EXPECT_EQ(site.limit.value(), 32U) << "one at a time is no reason";
  auto const busy = site.run(1min, 2'000);
  EXPECT_GE(busy.highest, 100U);
  EXPECT_LE(busy.highest, 300U) << "twice of what was in flight, which was about a hundred";
}

TEST(GradientLimit, IsAfterASilenceWhatItWasBefore) {
  Site site;
  site.run(2min, 1.3 * site.ability.per_second());
  site.run(10s, 0.01);  // what is in flight ends
  auto const before = site.limit.value();
  site.now += 24h;
  site.limit.pass(site.now);
  EXPECT_GE(site.limit.value(), before);
  auto course = site.run(10s, site.ability.per_second() * 0.7);
  EXPECT_EQ(course.refused, 0U);
}

TEST(GradientLimit, FollowsAnUpstreamThatTurnsSlowForGood) {
  Site site;
  site.run(2min, 0.6 * site.ability.per_second());
  // Three times as long, and three times as many at once: it can do as much as before.
  double const offered = 0.6 * site.ability.per_second();
  site.ability = {.at_once = 60, .takes = 150ms};
  auto const at_first = site.run(30s, offered);
  auto const later = site.run(5min, offered);
  EXPECT_LE(static_cast<double>(at_first.refused), 0.15 * static_cast<double>(at_first.asked));
  EXPECT_LE(static_cast<double>(later.refused), 1e-3 * static_cast<double>(later.asked));
  std::printf("  refused: %.2f%% in the first half minute, %.3f%% later\n",
              100.0 * static_cast<double>(at_first.refused) / static_cast<double>(at_first.asked),
              100.0 * static_cast<double>(later.refused) / static_cast<double>(later.asked));
}

TEST(GradientLimit, FollowsAnOverloadedUpstreamThatTurnsSlowForGood) {
  Site site;
  site.run(2min, 1.3 * site.ability.per_second());
  site.ability = {.at_once = 60, .takes = 150ms};
  double const offered = 1.3 * site.ability.per_second();
  site.run(30s, offered);
  auto course = site.run(5min, offered);
  EXPECT_GE(goodput(course, 5min), 0.93 * site.ability.per_second());
  EXPECT_LE(course.quantile(0.5), 4 * seconds(site.ability.takes));
}

TEST(GradientLimit, FollowsAnUpstreamThatTurnsQuick) {
  Site site;
  site.ability = {.at_once = 60, .takes = 150ms};
  site.run(2min, 1.3 * site.ability.per_second());
  site.ability = {.at_once = 20, .takes = 50ms};
  double const offered = 1.3 * site.ability.per_second();
  site.run(1min, offered);
  auto course = site.run(5min, offered);
  EXPECT_LE(course.quantile(0.5), 4 * seconds(site.ability.takes));
  EXPECT_GE(goodput(course, 5min), 0.93 * site.ability.per_second());
}

TEST(GradientLimit, FollowsAnUpstreamOfWhichATenthIsLeft) {
  Site site;
  site.ability.at_once = 100;
  double const offered = 0.7 * site.ability.per_second();
  site.run(2min, offered);
  site.ability.at_once = 10;
  site.run(1min, offered);
  auto course = site.run(5min, offered);
  EXPECT_LE(course.quantile(0.5), 4 * seconds(site.ability.takes));
  EXPECT_GE(goodput(course, 5min), 0.93 * site.ability.per_second());
}

/// So many attempts at a time, one round after the other, all with the same result.
void rounds(GradientLimit& limit, unsigned count, Outcome outcome, Duration latency, Instant& now) {
  for (unsigned round = 0; round < count; ++round) {
    auto const begun = now;
    auto const many = limit.value();
    for (std::size_t i = 1; i <= many; ++i) limit.admitted(i, now);
    now += latency;
    for (std::size_t i = many; i > 0; --i) limit.settled(outcome, begun, latency, i - 1, now);
  }
}

TEST(GradientLimit, FallsWhileAttemptsTimeOut) {
  GradientLimit limit{{}, 1024};
  Instant now = start;
  rounds(limit, 30, Outcome::success(), 200ms, now);
  auto const before = limit.value();
  ASSERT_GT(before, 32U);
  rounds(limit, 40, failed(FailureKind::timeout), 5s, now);
  EXPECT_LE(limit.value(), 8U);
  ASSERT_TRUE(limit.usual());
  EXPECT_NEAR(seconds(*limit.usual()), 0.2, 0.01) << "what is usual they don't say";
}

TEST(GradientLimit, FallsWhileTheUpstreamSaysThatItIsTooMuchHoweverQuickly) {
  GradientLimit limit{{}, 1024};
  Instant now = start;
  rounds(limit, 30, Outcome::success(), 200ms, now);
  rounds(limit, 500, failed(FailureKind::overload), 10ms, now);
  EXPECT_LE(limit.value(), 8U);
}

TEST(GradientLimit, LearnsNothingFromOtherFailures) {
  GradientLimit limit{{}, 1024};
  Instant now = start;
  rounds(limit, 30, Outcome::success(), 200ms, now);
  auto const before = limit.value();
  auto const usual = limit.usual();
  for (auto const kind : {FailureKind::connect, FailureKind::reset, FailureKind::status}) {
    rounds(limit, 20, failed(kind), 1ms, now);
    rounds(limit, 20, failed(kind), 3s, now);
  }
  EXPECT_EQ(limit.value(), before);
  EXPECT_EQ(limit.usual(), usual);
}

TEST(GradientLimit, StaysWithinItsBounds) {
  GradientLimit limit{{.least = 4, .first = 10}, 50};
  EXPECT_EQ(limit.value(), 10U);
  Instant now = start;
  rounds(limit, 100, Outcome::success(), 200ms, now);
  EXPECT_EQ(limit.value(), 50U);
  rounds(limit, 100, failed(FailureKind::timeout), 5s, now);
  EXPECT_LE(limit.value(), 4U);
  EXPECT_GE(limit.value(), 2U);
}

TEST(GradientLimit, EndsALullInWhichNothingComesBack) {
  GradientLimit limit{{}, 1024};
  Instant now = start;
  rounds(limit, 30, Outcome::success(), 50ms, now);
  auto const before = limit.value();
  unsigned rounds_made = 0;
  while (limit.value() * 4 > before && rounds_made++ < 200) rounds(limit, 1, Outcome::success(), 400ms, now);
  auto const lowered = limit.value();
  limit.pass(now + GradientLimit::remeasure);
  EXPECT_GT(limit.value(), lowered);
}

TEST(AttemptLimit, IsFixedUnlessItIsAdaptive) {
  AttemptLimit limit{{.attempts = 3}};
  EXPECT_TRUE(limit.has_room(2));
  EXPECT_FALSE(limit.has_room(3));
  EXPECT_EQ(limit.value(), 3U);
  EXPECT_EQ(limit.usual(), std::nullopt);
  for (int i = 0; i < 100; ++i) limit.settled(failed(FailureKind::timeout), start, 5s, 0, start + i * 1s);
  EXPECT_EQ(limit.value(), 3U);
}

TEST(AttemptLimit, BeginsBelowItsBoundWhereItIsAdaptive) {
  AttemptLimit const limit{{.attempts = 20, .adaptive = AdaptiveLimitSettings{}}};
  EXPECT_EQ(limit.value(), 20U);
  AttemptLimit const wide{{.adaptive = AdaptiveLimitSettings{.first = 5}}};
  EXPECT_EQ(wide.value(), 8U) << "no fewer than the least";
}

}  // namespace
}  // namespace candor
