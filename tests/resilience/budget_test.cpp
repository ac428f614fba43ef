#include "candor/resilience/budget.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "candor/core/rng.hpp"
#include "resilience/driver.hpp"
#include "support/effort.hpp"

namespace candor {
namespace {

using test::start;

unsigned take_all(Budget& budget, Instant now) {
  unsigned taken = 0;
  while (auto token = budget.take(now)) {
    std::move(*token).spend(now);
    ++taken;
  }
  return taken;
}

TEST(Budget, AllowsTheConstantPartAtOnce) {
  Budget budget{{}};
  EXPECT_DOUBLE_EQ(budget.available(start), 30);
  EXPECT_EQ(take_all(budget, start), 30U);
  EXPECT_EQ(budget.available(start), 0);
}

TEST(Budget, AFifthOfTheRequestsComesOnTop) {
  Budget budget{{}};
  EXPECT_EQ(take_all(budget, start), 30U);
  for (unsigned i = 1; i <= 100; ++i) {
    budget.request(start + 1s);
    EXPECT_EQ(take_all(budget, start + 1s), i % 5 == 0 ? 1U : 0U) << i;
  }
}

TEST(Budget, RequestsBeforeARetryEarnNothingForIt) {
  // A span may begin between them, and hold the retries without the requests.
  Budget budget{{}};
  for (int i = 0; i < 10'000; ++i) budget.request(start);
  EXPECT_EQ(take_all(budget, start), 30U);
}

TEST(Budget, ComesBackOnceTheSpanIsOver) {
  Budget budget{{}};
  take_all(budget, start);
  EXPECT_EQ(take_all(budget, start + 10s), 0U);
  EXPECT_EQ(take_all(budget, start + 10s + 100ms), 30U);
}

TEST(Budget, ATokenThatIsDroppedIsGivenBack) {
  Budget budget{{}};
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(budget.take(start));
  EXPECT_DOUBLE_EQ(budget.available(start), 30);
}

TEST(Budget, GivingBackIsExactAmongTokensThatWereSpent) {
  Budget budget{{}};
  for (int i = 0; i < 10; ++i) std::move(*budget.take(start)).spend(start);
  for (int i = 0; i < 50; ++i) budget.request(start);
  auto const before = budget.available(start);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(budget.take(start));
  EXPECT_EQ(budget.available(start), before);
}

TEST(Budget, ATokenHeldCountsForAsLongAsItIsHeld) {
  Budget budget{{}};
  std::vector<BudgetToken> held;
  while (auto token = budget.take(start)) held.push_back(std::move(*token));
  EXPECT_EQ(held.size(), 30U);
  auto const later = start + 9900ms;  // they waited long, as with Retry-After
  EXPECT_FALSE(budget.take(later));
  for (auto& token : held) std::move(token).spend(later);
  EXPECT_EQ(take_all(budget, start + 15s), 0U);
  EXPECT_EQ(take_all(budget, later + 10s + 100ms), 30U);
}

TEST(Budget, ATokenMovesWithItsObligation) {
  Budget budget{{}};
  {
    auto token = *budget.take(start);
    auto moved = std::move(token);
    auto other = *budget.take(start);
    other = std::move(moved);
    EXPECT_DOUBLE_EQ(budget.available(start), 28);
  }
  EXPECT_DOUBLE_EQ(budget.available(start), 30);
  auto token = *budget.take(start);
  std::move(token).spend(start);
  std::move(token).spend(start);  // what has been spent is not there to be spent
  EXPECT_DOUBLE_EQ(budget.available(start), 29);
}

TEST(Budget, SpentAtAnEarlierTimeItCountsAtTheLatestOneHeardOf) {
  Budget budget{{}};
  auto token = *budget.take(start);
  budget.request(start + 5s);
  std::move(token).spend(start);
  EXPECT_NEAR(budget.available(start + 14s), 29, 1e-6);
  EXPECT_NEAR(budget.available(start + 16s), 30, 1e-6);
}

TEST(Budget, WithoutAConstantPartThereAreNoRetries) {
  // Ten seconds that begin just before a retry may hold no request.
  Budget budget{{.ratio = 1, .per_second = 0}};
  for (int i = 0; i < 100; ++i) budget.request(start);
  EXPECT_FALSE(budget.take(start));
}

TEST(Budget, WithoutARatioItIsTheConstantPart) {
  Budget budget{{.ratio = 0, .per_second = 0.5, .over = 4s}};
  for (int i = 0; i < 100; ++i) budget.request(start);
  EXPECT_EQ(take_all(budget, start), 2U);
}

TEST(Budget, TimeThatGoesBackCountsAsTheLatestSeen) {
  Budget budget{{}};
  budget.request(start + 5s);
  EXPECT_EQ(take_all(budget, start), 30U);
  EXPECT_EQ(take_all(budget, start + 12s), 0U);
  EXPECT_EQ(take_all(budget, start + 15s + 100ms), 30U);
}

TEST(Budget, ReadingChangesNothing) {
  Budget budget{{}};
  take_all(budget, start);
  EXPECT_DOUBLE_EQ(budget.available(start + 1h), 30);
  EXPECT_EQ(budget.available(start + 1s), 0);
}

TEST(Budget, StretchedARequestEarnsMore) {
  Budget budget{{}};
  EXPECT_EQ(take_all(budget, start), 30U);
  for (int i = 0; i < 40; ++i) budget.request(start, true);
  EXPECT_EQ(take_all(budget, start), 20U);
  for (int i = 0; i < 40; ++i) budget.request(start);
  EXPECT_EQ(take_all(budget, start), 8U) << "back to a fifth at once";
}

TEST(Budget, WhatAStretchEarnedBeforeARetryIsNotKeptForLater) {
  Budget budget{{}};
  for (int i = 0; i < 10'000; ++i) budget.request(start, true);
  EXPECT_EQ(take_all(budget, start), 30U);
}

TEST(Budget, WithoutAStretchOrWithASmallerOneItIsTheRatio) {
  for (auto const stretch : {std::optional<double>{}, std::optional<double>{0.1}}) {
    Budget budget{{.stretch = stretch}};
    EXPECT_EQ(take_all(budget, start), 30U);
    for (int i = 0; i < 100; ++i) budget.request(start, true);
    EXPECT_EQ(take_all(budget, start), 20U);
  }
}

// What happened, in order, as the bound is told: no buckets, no sums.
struct Log {
  struct Event {
    Instant at;
    double earns;  // the ratio in force, of a request; of a retry what it costs, below zero
  };

  std::vector<Event> events;

  /// The most that the requests' ratios and the constant part were ever short of, over all spans up to
  /// `over`.
  [[nodiscard]] double worst_excess(BudgetSettings const& settings) const {
    double worst = -1e9;
    for (std::size_t first = 0; first < events.size(); ++first) {
      double sum = -settings.per_second * seconds(settings.over);
      for (std::size_t last = first; last < events.size(); ++last) {
        if (events[last].at - events[first].at > settings.over) break;
        sum -= events[last].earns;
        worst = std::max(worst, sum);
      }
    }
    return worst;
  }

  /// Whether one more retry now, and those that are out, would break the bound over a span of one bucket
  /// more.
  [[nodiscard]] bool refuses(BudgetSettings const& settings, Instant now, std::size_t out) const {
    auto const width = settings.over / 100;
    auto const oldest = (now.time_since_epoch() / width - 100) * width;
    double const room = settings.per_second * seconds(settings.over) - static_cast<double>(out) - 1;
    double sum = 0;
    double worst = 0;
    for (auto event = events.rbegin(); event != events.rend(); ++event) {
      if (event->at.time_since_epoch() < oldest) break;
      sum -= event->earns;
      worst = std::max(worst, sum);
    }
    return worst > room + 1e-9;
  }
};

struct Held {
  BudgetToken token;
  std::size_t taken;  // its place in the log of takes
};

// One random schedule: bursts and silences, tokens spent at once, late or never, and a stretch that comes and
// goes.
void run_schedule(std::uint64_t seed) {
  Rng rng{seed};
  Duration const spans[] = {10s, 1s, 7s, 100ms};
  BudgetSettings const settings{.ratio = static_cast<double>(rng.below(6)) / 10,
                                .per_second = static_cast<double>(rng.below(5)),
                                .over = spans[rng.below(4)],
                                .stretch = static_cast<double>(rng.below(11)) / 10};
  bool stretched = false;
  Budget budget{settings};
  Log spent;
  Log taken;
  std::vector<Held> held;
  auto const pace = rng.between(settings.over / 1000, settings.over / 20);
  auto now = start + rng.between({}, settings.over);
  for (int i = 0; i < 250; ++i) {
    if (rng.chance(0.6)) now += rng.between({}, pace);
    if (rng.chance(0.01)) now += rng.between({}, 2 * settings.over);
    if (rng.chance(0.1)) stretched = !stretched;
    if (rng.chance(0.4)) {
      budget.request(now, stretched);
      auto const ratio = stretched ? std::max(settings.ratio, *settings.stretch) : settings.ratio;
      spent.events.push_back({now, ratio});
      taken.events.push_back({now, ratio});
    }
    if (rng.chance(0.6)) {
      bool const refuses = spent.refuses(settings, now, held.size());
      auto token = budget.take(now);
      ASSERT_EQ(!token, refuses) << "seed " << seed;
      if (token) {
        held.push_back({std::move(*token), taken.events.size()});
        taken.events.push_back({now, -1});
      }
    }
    while (!held.empty() && rng.chance(0.6)) {
      std::swap(held[rng.below(held.size())], held.back());
      if (rng.chance(0.7)) {
        std::move(held.back().token).spend(now);
        spent.events.push_back({now, -1});
      } else {
        taken.events[held.back().taken].at = Instant::min();  // given back: it never was
      }
      held.pop_back();
    }
  }
  std::erase_if(taken.events, [](Log::Event const& event) { return event.at == Instant::min(); });
  ASSERT_LE(spent.worst_excess(settings), 1e-9) << "seed " << seed << ", as they went out";
  ASSERT_LE(taken.worst_excess(settings), 1e-9) << "seed " << seed << ", as they were decided";
}

TEST(Budget, NoSpanOfAnyScheduleBreaksTheBoundAndNoTokenIsDeniedWithoutNeed) {
  for (std::uint64_t seed = 0; seed < test::of_all(4'000, 1'000); ++seed) {
    run_schedule(seed);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace candor
