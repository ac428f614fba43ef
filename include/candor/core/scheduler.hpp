// One worker's time: its reading of the clock, its timers, and what is ready to run next. Not thread-safe.
//
// The reactor drives it with the real clock, the simulation with a virtual one: cancelling and waiting are
// the same code in both.
#pragma once

#include <array>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "candor/core/cancellation.hpp"
#include "candor/core/time.hpp"

namespace candor {

class Scheduler;

/// Something that the scheduler runs once, at an instant or as soon as possible. Dropping it unlinks it.
class Wakeup {
 public:
  Wakeup() = default;
  Wakeup(Wakeup const&) = delete;
  Wakeup& operator=(Wakeup const&) = delete;

  [[nodiscard]] bool armed() const { return scheduler_ != nullptr; }
  /// Takes it out of the scheduler; nothing if it isn't in.
  void disarm();

 protected:
  virtual ~Wakeup() { disarm(); }
  virtual void wake() = 0;

 private:
  friend class Scheduler;

  Scheduler* scheduler_ = nullptr;
  std::size_t slot_ = 0;  // its list, or its place in the heap
  Instant at_{};
  std::uint64_t order_ = 0;
  Wakeup* previous_ = nullptr;
  Wakeup* next_ = nullptr;
};

class Scheduler {
 public:
  explicit Scheduler(Instant start = {}, WallClock wall = {}) : now_(start), wall_(wall) {}
  Scheduler(Scheduler const&) = delete;
  Scheduler& operator=(Scheduler const&) = delete;
  ~Scheduler();

  [[nodiscard]] Instant now() const { return now_; }
  [[nodiscard]] WallTime wall() const { return wall_(now_); }
  /// A newer reading of the time of day: clocks are set, and stand still while a machine sleeps.
  void set_wall(WallClock wall) { wall_ = wall; }

  /// Runs it at `when`, or at the next turn if that is past. Re-arms it if it is armed.
  void at(Wakeup& wakeup, Instant when);
  void after(Wakeup& wakeup, Duration delay) { at(wakeup, now_ + delay); }
  /// Runs it in this turn, or in the next if none is under way; in order of arrival.
  void soon(Wakeup& wakeup);
  /// Runs it in the next turn, after whoever drives this has looked for other work.
  void next_turn(Wakeup& wakeup);

  /// Lets others go first, until the next turn. Awaitable.
  [[nodiscard]] auto yield();

  /// Waits until `delay` has passed, or until the scope is cancelled: then the reason. Awaitable.
  [[nodiscard]] auto sleep(Duration delay, CancelScope& scope);

  /// When there is something to run next; nothing when idle. Not before now().
  [[nodiscard]] std::optional<Instant> next_due() const;

  /// Sets the clock (never back), then runs what is due, ties in the order they were armed, and what became
  /// ready through it.
  void advance(Instant now);

  /// Sets the clock without running anything: for a reading within a turn.
  void set_now(Instant now) {
    if (now > now_) now_ = now;
  }

 private:
  friend class Wakeup;

  struct List {
    Wakeup* first = nullptr;
    Wakeup* last = nullptr;
  };
  static constexpr std::size_t row_count = 16;
  static constexpr std::size_t ready_list = row_count;
  static constexpr std::size_t next_list = ready_list + 1;
  static constexpr std::size_t list_count = next_list + 1;  // slots from here on are places in the heap

  void forget(Wakeup& wakeup);
  void insert(std::size_t list, Wakeup* before, Wakeup& wakeup);
  void unlink(Wakeup& wakeup);
  [[nodiscard]] Wakeup* first_timer() const;
  void push(Wakeup& wakeup);
  void remove(std::size_t place);
  void put(std::size_t place, Wakeup* wakeup);
  void sift_up(std::size_t place);
  void sift_down(std::size_t place);
  static bool earlier(Wakeup const& a, Wakeup const& b);
  void run_ready();

  Instant now_;
  WallClock wall_;
  std::uint64_t orders_ = 0;
  // Nearly all timers wait for one of a few delays, and those of one delay come due in the order in which
  // they are armed: they stand in a row, which they join near its end and leave from anywhere, at next to no
  // cost. The magnitude of its delay is a timer's row; one that would stand before many there goes into the
  // heap.
  std::array<List, list_count> lists_{};  // the rows, then what is ready, then the next turn's
  std::vector<Wakeup*> heap_;             // four children a node: shallow, and kind to the cache
};

/// A coroutine asleep: woken by its time or by its scope, whichever is first.
class Sleep final : private Wakeup, private CancelListener {
 public:
  Sleep(Scheduler& scheduler, Duration delay, CancelScope& scope)
      : scheduler_(scheduler), scope_(scope), delay_(delay) {}

  bool await_ready() const { return scope_.cancelled(); }
  void await_suspend(std::coroutine_handle<> sleeper) {
    sleeper_ = sleeper;
    scheduler_.after(*this, delay_);
    scope_.listen(*this);
  }
  /// Nothing after a whole sleep; else why it was cut short.
  std::optional<CancelReason> await_resume() { return scope_.reason(); }

 private:
  void wake() override {
    unlisten();
    sleeper_.resume();
  }
  void on_cancel() override { scheduler_.soon(*this); }

  Scheduler& scheduler_;
  CancelScope& scope_;
  Duration delay_;
  std::coroutine_handle<> sleeper_;
};

/// A coroutine that lets others go first.
class Yield final : private Wakeup {
 public:
  explicit Yield(Scheduler& scheduler) : scheduler_(scheduler) {}

  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> yielding) {
    yielding_ = yielding;
    scheduler_.next_turn(*this);
  }
  void await_resume() const {}

 private:
  void wake() override { yielding_.resume(); }

  Scheduler& scheduler_;
  std::coroutine_handle<> yielding_;
};

inline auto Scheduler::yield() { return Yield{*this}; }
inline auto Scheduler::sleep(Duration delay, CancelScope& scope) { return Sleep{*this, delay, scope}; }

/// Runs a function once, at an instant; for watching a deadline beside a coroutine.
template <class F>
class Timer final : public Wakeup {
 public:
  explicit Timer(F action) : action_(std::move(action)) {}
  ~Timer() override { disarm(); }

 private:
  void wake() override { action_(); }

  F action_;
};

}  // namespace candor
