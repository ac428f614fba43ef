// What the health model tells of its transitions: to listeners at once, and afterwards.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "candor/resilience/health.hpp"
#include "resilience/driver.hpp"

namespace candor {
namespace {

using test::Driver;
using test::failed;

TEST(Listener, IsToldOfEachTransitionOutsideOfTheLock) {
  Driver d;
  std::vector<Transition> told;
  d.health.listen([&](Transition const& transition) {
    EXPECT_EQ(d.health.snapshot(d.now).state, transition.to);  // would never return under the lock
    EXPECT_GT(d.health.retry_after(d.now), Duration{});
    EXPECT_FALSE(d.health.transitions().empty());
    told.push_back(transition);
  });
  d.fail_until_open();
  EXPECT_EQ(told.size(), 1U);
  EXPECT_EQ(told.back().why.rule, Rule::evidence_run);
  EXPECT_EQ(told.back().generation, 1U);
}

TEST(Listener, HearsItInTheOrderOfTheGenerations) {
  Driver d;
  std::vector<std::string> told;
  std::uint64_t generation = 0;
  d.health.listen([&](Transition const& transition) {
    EXPECT_EQ(transition.generation, ++generation);
    told.emplace_back(name(transition.to));
  });
  d.fail_until_open();
  d.sit_out_the_window();
  d.attempt(failed());
  d.sit_out_the_window();
  d.attempt(Outcome::success());
  d.succeed(100, 10ms);
  EXPECT_EQ(told, (std::vector<std::string>{"open", "half_open", "open", "half_open", "ramping", "closed"}));
}

TEST(Evidence, HoldsTheAttemptsThatDecidedAndTheDecidingOneLast) {
  Driver d;
  for (std::uint64_t i = 1; i <= 10; ++i) {
    auto permit = *d.health.admit({.request = RequestId{i}, .method = "POST", .path = "/pay"}, d.now);
    d.now += 30ms;
    std::move(permit).settle(i <= 3 ? Outcome::success() : failed(FailureKind::status), d.now,
                             i <= 3 ? 200 : 503);
  }
  auto const records = d.health.transitions();
  ASSERT_EQ(records.size(), 1U);
  auto const& transition = records[0].transition;
  auto const& attempts = records[0].attempts;
  EXPECT_EQ(transition.to, CircuitState::open);
  EXPECT_EQ(transition.why.run, 7U);
  EXPECT_EQ(transition.why.window.failed, 7U);
  ASSERT_EQ(attempts.size(), 10U);
  auto const& last = attempts.back();
  EXPECT_EQ(last.request, RequestId{10});
  EXPECT_EQ(last.outcome, failed());
  EXPECT_EQ(last.status, 503);
  EXPECT_EQ(last.settled, transition.at);
  EXPECT_EQ(last.settled - last.started, 30ms);
  EXPECT_EQ(last.route.view(), "POST /pay");
  EXPECT_EQ(attempts.front().request, RequestId{1});
  EXPECT_FALSE(last.in_flight);
}

TEST(Evidence, SaysSinceWhenThoseWereAdmittedThatHadAVote) {
  Driver d;
  d.fail_until_open();
  d.sit_out_the_window();
  d.attempt(failed());
  auto const records = d.health.transitions();
  ASSERT_EQ(records.size(), 3U);
  EXPECT_FALSE(records[0].since) << "nothing was before";
  EXPECT_EQ(records[1].since, records[0].transition.at);
  EXPECT_EQ(records[2].since, records[1].transition.at);
}

TEST(Evidence, NotesASlowMarkAsOfAnAttemptInFlight) {
  Driver d;
  auto permit = d.admit();
  d.now += 500ms;
  permit.mark_slow(d.now);
  auto const notes = d.health.recent_attempts();
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_TRUE(notes[0].slow);
  EXPECT_TRUE(notes[0].in_flight);
  EXPECT_EQ(notes[0].settled, d.now);
  std::move(permit).settle(Outcome::success(), d.now);
  EXPECT_FALSE(d.health.recent_attempts().back().in_flight);
}

TEST(Evidence, IsOfBoundedLength) {
  Driver d;
  d.succeed(1000);
  EXPECT_EQ(d.health.recent_attempts().size(), Health::kept_attempts);
  EXPECT_EQ(d.health.recent_attempts().back().request, RequestId{1000});
  EXPECT_EQ(d.health.recent_attempts().front().request, RequestId{1001 - Health::kept_attempts});
}

TEST(Evidence, OfTheOpeningOutlivesTheProbesOfALongOutage) {
  Driver d;
  d.have_a_healthy_history();
  d.fail_until_open();
  auto const opened = d.now;
  for (int i = 0; i < 200; ++i) {
    d.sit_out_the_window();
    d.attempt(failed());
  }
  auto const records = d.health.transitions();
  EXPECT_EQ(records.size(), Health::kept_transitions);
  EXPECT_EQ(records.front().transition.at, opened);
  EXPECT_EQ(records.front().transition.why.rule, Rule::evidence_run);
  EXPECT_EQ(records.back().transition.generation, d.health.snapshot(d.now).generation);
  for (std::size_t i = 1; i < records.size(); ++i) {
    EXPECT_GT(records[i].transition.generation, records[i - 1].transition.generation);
  }
}

}  // namespace
}  // namespace candor
