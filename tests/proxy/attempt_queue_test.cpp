// The queue by itself: its lanes, its bound; and with threads at it, that nobody waits for ever.
#include "candor/proxy/attempt_queue.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include "candor/core/task.hpp"
#include "support/rig.hpp"

namespace candor::test {
namespace {

/// One worker whose attempts wait in some lanes, in front of an upstream for which there is room for one.
class Lanes {
 public:
  Lanes(std::size_t bound, std::size_t lanes) : queue_(bound, lanes, health_) {
    health_.listen_for_room([this] { queue_.look_for_room(); });
    permit_ = std::make_unique<Permit>(std::move(*health_.admit({}, {})));
  }

  /// Somebody comes, and waits until it is called, or can't.
  void come(char who, std::size_t lane) { tasks_.spawn(wait(who, lane)); }
  /// The attempt that is in flight ends; whoever comes next takes its place.
  void next() {
    std::move(*permit_).settle(Outcome::success(), {});
    scheduler_.advance(scheduler_.now());
  }

  std::string called;
  std::string refused;

 private:
  Task<void> wait(char who, std::size_t lane) {
    AttemptQueue::Place place{desk_, lane, scheduler_.now()};
    if (!place.line_up()) {
      refused += who;
      co_return;
    }
    auto const turn = co_await place.wait(scheduler_.now() + 1h, scope_);
    if (turn != AttemptQueue::Place::Turn::called) {
      refused += who;
      co_return;
    }
    called += who;
    auto permit = health_.admit({}, {});
    if (permit) *permit_ = std::move(*permit);
    place.leave();
  }

  static Health::Settings one_at_a_time() {
    Health::Settings settings;
    settings.limit.attempts = 1;
    return settings;
  }

  Scheduler scheduler_;
  CancelScope scope_;
  Health health_{one_at_a_time(), 1};
  AttemptQueue queue_;
  AttemptQueue::Desk desk_{queue_, scheduler_, nullptr};
  std::unique_ptr<Permit> permit_;
  TaskGroup tasks_;
};

TEST(AttemptQueue, TakesLanesInTurnAndEachInItsOrder) {
  Lanes lanes{10, 3};
  for (char const who : {'a', 'b', 'c', 'd'}) lanes.come(who, 0);
  lanes.come('x', 2);
  lanes.come('p', 1);
  lanes.come('y', 2);
  for (int i = 0; i < 7; ++i) lanes.next();
  EXPECT_EQ(lanes.called, "apxbycd");
  EXPECT_EQ(lanes.refused, "");
}

TEST(AttemptQueue, PushesOutTheNewestOfTheLongestLaneForAnother) {
  Lanes lanes{4, 2};
  for (char const who : {'a', 'b', 'c', 'd'}) lanes.come(who, 0);
  lanes.come('e', 0);
  EXPECT_EQ(lanes.refused, "e") << "its own lane is the longest";
  lanes.come('x', 1);
  lanes.next();
  EXPECT_EQ(lanes.refused, "ed");
  lanes.come('y', 1);
  lanes.come('z', 1);
  for (int i = 0; i < 5; ++i) lanes.next();
  EXPECT_EQ(lanes.called, "axbyc");
  EXPECT_EQ(lanes.refused, "edz") << "two and two is fair";
}

TEST(AttemptQueue, LetsOneGoAtOnceIfThereIsRoom) {
  Lanes lanes{4, 1};
  lanes.next();
  lanes.come('a', 0);
  EXPECT_EQ(lanes.called, "a");
}

/// Whoever comes while others wait asks for no permit.
TEST(AttemptQueue, WhoeverComesEndsALullInWhichNothingHasComeBack) {
  Health::Settings settings;
  settings.limit.adaptive = AdaptiveLimitSettings{};
  Health health{settings, 1};
  AttemptQueue queue{10, 1, health};
  Scheduler scheduler{Instant{} + 1h};
  AttemptQueue::Desk desk{queue, scheduler, nullptr};
  std::vector<Permit> hanging;
  auto const fill = [&] {
    while (auto permit = health.admit({}, scheduler.now())) hanging.push_back(std::move(*permit));
  };
  auto const limit = [&] { return health.snapshot(scheduler.now()).limit.attempts; };
  bool in_a_lull = false;
  for (int i = 0; i < 200 && !in_a_lull; ++i) {
    auto const before = limit();
    fill();
    scheduler.set_now(scheduler.now() + (i < 20 ? 100ms : 500ms));
    for (auto& permit : hanging) std::move(permit).settle(Outcome::success(), scheduler.now());
    hanging.clear();
    in_a_lull = 2 * limit() < before;
  }
  ASSERT_TRUE(in_a_lull);
  fill();
  AttemptQueue::Place first{desk, 0, scheduler.now()};
  ASSERT_TRUE(first.line_up());
  EXPECT_EQ(queue.snapshot().waiting, 1U);
  scheduler.set_now(scheduler.now() + 10s);
  AttemptQueue::Place second{desk, 0, scheduler.now()};
  ASSERT_TRUE(second.line_up());
  EXPECT_EQ(queue.snapshot().waiting, 0U) << "both are called";
}

// --- threads ---

constexpr unsigned threads = 8;
constexpr unsigned requests = 400;  // of each thread
constexpr unsigned at_once = 20;    // of each thread
constexpr std::size_t room = 3;

/// A worker of its own thread and time. Only what is soon passes by itself: the others' posts are waited for.
class ThreadedWorker final : public Mailbox {
 public:
  explicit ThreadedWorker(Upstream& upstream, unsigned number)
      : number_(number), rng_(number), pipelines_(upstream, transport_) {}

  void post(std::function<void()> action) override {
    {
      std::lock_guard const held(lock_);
      posted_.push_back(std::move(action));
    }
    bell_.notify_one();
  }

  void run() {
    while (answered_ + left_ < requests && !stuck) {
      while (in_progress() < at_once && started_ < requests) start();
      if (!step()) break;
      look();
    }
  }

  bool stuck = false;
  unsigned refused = 0;

 private:
  [[nodiscard]] unsigned in_progress() const { return started_ - answered_ - left_; }

  void start() {
    transport_.usually = {.head = Duration{rng_.below(3) * 1000}};
    auto const id = RequestId{(std::uint64_t{number_} << 32U) + ++started_};
    auto& call = calls_.emplace_back(id, pipelines_, WorkerContext{scheduler_, rng_, observer_, this},
                                     RequestOptions{});
    open_.push_back(&call);
    if (rng_.chance(0.2)) open_[rng_.below(open_.size())]->hang_up();
  }

  /// What is due soon, else what others have to say.
  bool step() {
    for (auto& action : take_posted(false)) action();
    auto const due = scheduler_.next_due();
    if (due && *due <= scheduler_.now() + 1ms) {
      scheduler_.advance(*due);
      return true;
    }
    auto actions = take_posted(in_progress() > 0);
    for (auto& action : actions) action();
    stuck = actions.empty();
    return !stuck;
  }

  std::vector<std::function<void()>> take_posted(bool wait) {
    std::unique_lock held(lock_);
    // As long as that only if it never comes.
    if (wait) bell_.wait_for(held, std::chrono::seconds{30}, [this] { return !posted_.empty(); });
    return std::exchange(posted_, {});
  }

  void look() {
    std::erase_if(open_, [this](Call* call) {
      if (!call->ended()) return false;
      if (call->refusal()) ++refused;
      ++(call->status == 200 ? answered_ : left_);
      return true;
    });
  }

  unsigned number_;
  Scheduler scheduler_;
  Rng rng_;
  RecordingObserver observer_;
  ScriptedTransport transport_;
  Pipelines pipelines_;
  std::mutex lock_;
  std::condition_variable bell_;
  std::vector<std::function<void()>> posted_;
  unsigned started_ = 0;
  unsigned answered_ = 0;
  unsigned left_ = 0;
  std::vector<Call*> open_;
  std::deque<Call> calls_;  // last: what still runs ends before what it uses
};

TEST(AttemptQueueThreads, NobodyWaitsForEver) {
  auto settings = plain_settings();
  settings.timeouts.request = 24h;
  settings.limit.attempts = room;
  settings.limit.queue = 10'000;
  settings.limit.queue_timeout = 1h;
  Upstream upstream{settings, 0, 1};
  std::vector<std::unique_ptr<ThreadedWorker>> workers;
  for (unsigned i = 0; i < threads; ++i) workers.push_back(std::make_unique<ThreadedWorker>(upstream, i));
  std::vector<std::thread> running;
  for (auto& worker : workers) running.emplace_back([&worker] { worker->run(); });
  for (auto& thread : running) thread.join();
  for (auto const& worker : workers) {
    EXPECT_FALSE(worker->stuck) << "a wake-up was lost";
    EXPECT_EQ(worker->refused, 0U);
  }
  auto const queue = upstream.queue->snapshot();
  EXPECT_EQ(queue.waiting, 0U);
  EXPECT_FALSE(upstream.queue->is_occupied());
  auto const ledger = upstream.health.snapshot({}).ledger;
  EXPECT_TRUE(ledger.balanced());
  EXPECT_EQ(ledger.in_flight, 0U);
  EXPECT_LE(ledger.success, threads * requests);
  EXPECT_GT(ledger.success, threads * requests / 2);
}

}  // namespace
}  // namespace candor::test
