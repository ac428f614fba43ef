#include "candor/core/scheduler.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "candor/core/rng.hpp"
#include "candor/core/task.hpp"

namespace candor {
namespace {

struct Recorder final : Wakeup {
  Recorder(std::vector<int>& out, int id) : log(out), value(id) {}
  ~Recorder() override { disarm(); }
  void wake() override { log.push_back(value); }
  std::vector<int>& log;
  int value;
};

TEST(Scheduler, RunsTimersInOrderOfTimeThenOfArming) {
  Scheduler scheduler;
  std::vector<int> log;
  Recorder late(log, 3), early(log, 1), tie(log, 2);
  scheduler.after(late, 20ms);
  scheduler.after(early, 10ms);
  scheduler.after(tie, 10ms);
  scheduler.advance(scheduler.now() + 9ms);
  EXPECT_TRUE(log.empty());
  scheduler.advance(scheduler.now() + 100ms);
  EXPECT_EQ(log, (std::vector<int>{1, 2, 3}));
  EXPECT_FALSE(scheduler.next_due());
}

TEST(Scheduler, WhatIsForTheNextTurnLetsEverythingOfThisOneGoFirst) {
  Scheduler scheduler;
  std::vector<int> log;
  Recorder again(log, 9), soon(log, 1);
  scheduler.next_turn(again);
  EXPECT_EQ(scheduler.next_due(), scheduler.now());
  scheduler.soon(soon);
  scheduler.advance(scheduler.now());
  EXPECT_EQ(log, (std::vector<int>{1, 9}));
}

Task<void> yields(Scheduler& scheduler, int turns, int& done) {
  for (int i = 0; i < turns; ++i, ++done) co_await scheduler.yield();
}

TEST(Scheduler, AYieldLastsToTheNextTurn) {
  Scheduler scheduler;
  int done = 0;
  SideTask const task{yields(scheduler, 3, done)};
  for (int turn = 0; turn < 3; ++turn) {
    EXPECT_EQ(done, turn);
    scheduler.advance(scheduler.now());
  }
  EXPECT_EQ(done, 3);
  EXPECT_FALSE(scheduler.next_due());
}

TEST(Scheduler, AWakeupLeavesTheListOfTheNextTurnWhenItGoes) {
  Scheduler scheduler;
  std::vector<int> log;
  Recorder first(log, 1), last(log, 3);
  scheduler.next_turn(first);
  {
    Recorder dropped(log, 2);
    scheduler.next_turn(dropped);
  }
  scheduler.next_turn(last);
  scheduler.advance(scheduler.now());
  EXPECT_EQ(log, (std::vector<int>{1, 3}));
}

TEST(Scheduler, ADroppedTimerNeverRuns) {
  Scheduler scheduler;
  std::vector<int> log;
  {
    Recorder gone(log, 1);
    scheduler.after(gone, 1ms);
    Recorder ready(log, 2);
    scheduler.soon(ready);
  }
  scheduler.advance(scheduler.now() + 1s);
  EXPECT_TRUE(log.empty());
}

// Against a list that is sorted by time and then by arming: delays of all sizes and few fixed ones, far and
// near, armed, armed anew and dropped while time goes on.
TEST(Scheduler, KeepsOrderUnderRandomArmingAndDisarming) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng{seed};
    Scheduler scheduler;
    std::vector<int> log;
    std::vector<std::unique_ptr<Recorder>> timers;
    std::vector<std::pair<Instant, int>> waiting;
    for (int id = 0; id < 100; ++id) timers.push_back(std::make_unique<Recorder>(log, id));
    auto const forget = [&waiting](int id) {
      std::erase_if(waiting, [id](auto& e) { return e.second == id; });
    };
    auto const some_delay = [&rng]() -> Duration {
      constexpr std::array usual{0ms, 10ms, 100ms, 250ms, 1000ms, 60'000ms};
      if (rng.chance(0.3)) return rng.between(0ms, 1s);
      if (rng.chance(0.1)) return rng.between(0s, 1h);
      return usual[rng.below(usual.size())];
    };
    for (int step = 0; step < 2000; ++step) {
      auto const id = static_cast<int>(rng.below(timers.size()));
      auto& timer = *timers[static_cast<std::size_t>(id)];
      if (rng.chance(0.7)) {
        auto const delay = some_delay();
        scheduler.after(timer, delay);
        forget(id);
        waiting.emplace_back(scheduler.now() + delay, id);
      } else {
        timer.disarm();
        forget(id);
      }
      if (!rng.chance(0.2)) continue;
      std::stable_sort(waiting.begin(), waiting.end(), [](auto& a, auto& b) { return a.first < b.first; });
      ASSERT_EQ(scheduler.next_due(), waiting.empty() ? std::nullopt : std::optional{waiting.front().first});
      auto const now =
          scheduler.now() + (rng.chance(0.05) ? rng.between(0s, 10min) : rng.between(0ms, 200ms));
      std::vector<int> due;
      while (!waiting.empty() && waiting.front().first <= now) {
        due.push_back(waiting.front().second);
        waiting.erase(waiting.begin());
      }
      log.clear();
      scheduler.advance(now);
      ASSERT_EQ(log, due);
    }
  }
}

Task<void> note_sleep(Scheduler& scheduler, CancelScope& scope, Duration d, std::string& out) {
  auto reason = co_await scheduler.sleep(d, scope);
  out = reason ? std::string(name(*reason)) : "slept";
}

TEST(Cancellation, ASleepEndsByItsTime) {
  Scheduler scheduler;
  CancelScope scope;
  TaskGroup tasks;
  std::string out;
  tasks.spawn(note_sleep(scheduler, scope, 10ms, out));
  scheduler.advance(scheduler.now() + 10ms);
  EXPECT_EQ(out, "slept");
  EXPECT_TRUE(tasks.empty());
}

TEST(Cancellation, ASleepEndsAtOnceWithTheFirstReasonOfItsScopeOrOfOneAbove) {
  Scheduler scheduler;
  CancelScope request;
  CancelScope attempt{request};
  TaskGroup tasks;
  std::string out;
  tasks.spawn(note_sleep(scheduler, attempt, 10s, out));
  request.cancel(CancelReason::caller_left);
  request.cancel(CancelReason::deadline);
  EXPECT_EQ(out, "") << "what is cancelled wakes at the next turn, never inside cancel()";
  scheduler.advance(scheduler.now());
  EXPECT_EQ(out, "caller_left");
  EXPECT_FALSE(scheduler.next_due()) << "its timer is gone too";
}

TEST(Cancellation, AScopeBelowDoesNotCancelTheOneAbove) {
  CancelScope request;
  CancelScope attempt{request};
  attempt.cancel(CancelReason::attempt_timeout);
  EXPECT_FALSE(request.cancelled());
}

TEST(Cancellation, ASleepInACancelledScopeDoesNotStart) {
  Scheduler scheduler;
  CancelScope scope;
  scope.cancel(CancelReason::shutdown);
  TaskGroup tasks;
  std::string out;
  tasks.spawn(note_sleep(scheduler, scope, 10s, out));
  EXPECT_EQ(out, "shutdown");
}

Task<int> nested(Scheduler& scheduler, CancelScope& scope, int depth) {
  if (depth == 0) {
    co_await scheduler.sleep(1ms, scope);
    co_return 0;
  }
  co_return 1 + co_await nested(scheduler, scope, depth - 1);
}

struct Flag {
  bool& set;
  ~Flag() { set = true; }
};

Task<void> holding(Scheduler& scheduler, CancelScope& scope, bool& released, int& depth) {
  Flag flag{released};
  depth = co_await nested(scheduler, scope, 5);
}

TEST(Task, DroppingASuspendedTaskReleasesWhatItHoldsFromTheInsideOut) {
  Scheduler scheduler;
  CancelScope scope;
  bool released = false;
  int depth = -1;
  {
    TaskGroup tasks;
    tasks.spawn(holding(scheduler, scope, released, depth));
    EXPECT_EQ(tasks.size(), 1U);
    EXPECT_FALSE(released);
  }
  EXPECT_TRUE(released);
  EXPECT_EQ(depth, -1);
  EXPECT_FALSE(scheduler.next_due());
}

TEST(Task, ValuesComeBackThroughEveryLevel) {
  Scheduler scheduler;
  CancelScope scope;
  TaskGroup tasks;
  bool released = false;
  int depth = -1;
  tasks.spawn(holding(scheduler, scope, released, depth));
  scheduler.advance(scheduler.now() + 1ms);
  EXPECT_EQ(depth, 5);
}

Task<int> at_once() { co_return 1; }

Task<void> long_loop(long& total) {
  for (int i = 0; i < 1'000'000; ++i) total += co_await at_once();
}

TEST(Task, AMillionAwaitsThatAreReadyUseNoStack) {
  TaskGroup tasks;
  long total = 0;
  tasks.spawn(long_loop(total));
  EXPECT_EQ(total, 1'000'000);
}

Task<void> throwing() {
  throw std::runtime_error("inside");
  co_return;
}

Task<void> catching(std::string& out) {
  try {
    co_await throwing();
  } catch (std::runtime_error const& e) {
    out = e.what();
  }
}

TEST(Task, AnExceptionReachesTheAwaiter) {
  TaskGroup tasks;
  std::string out;
  tasks.spawn(catching(out));
  EXPECT_EQ(out, "inside");
}

Task<void> side_by_side(Scheduler& scheduler, CancelScope& scope, std::vector<std::string>& log) {
  std::string inner;
  SideTask side{note_sleep(scheduler, scope, 5ms, inner)};
  co_await scheduler.sleep(1ms, scope);
  log.push_back(side.done() ? "side first" : "main first");
  co_await side.join();
  log.push_back(inner);
}

TEST(SideTask, RunsBesideItsOwnerAndIsJoined) {
  Scheduler scheduler;
  CancelScope scope;
  TaskGroup tasks;
  std::vector<std::string> log;
  tasks.spawn(side_by_side(scheduler, scope, log));
  scheduler.advance(scheduler.now() + 1ms);
  scheduler.advance(scheduler.now() + 10ms);
  EXPECT_EQ(log, (std::vector<std::string>{"main first", "slept"}));
}

TEST(Rng, TheSameSeedGivesTheSameNumbersEverywhere) {
  Rng rng{1};
  EXPECT_EQ(rng.next(), 12966619160104079557U);
  EXPECT_EQ(rng.next(), 9600361134598540522U);
}

}  // namespace
}  // namespace candor
