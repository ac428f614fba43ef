// Thread-safe. A mutex, held for a few steps in memory, and to wake somebody on another worker. Where nobody
// waits, a settled attempt costs it one load.
//
// The attempts of one upstream that wait for room under its limit: in the order in which they came, of each
// lane; and the lanes in turn. Who waits has nothing of the account: no permit, and no place in it. When
// there is room, one is called, and has to ask for its permit like any other attempt; until it has it, or has
// left, whoever comes later stands behind it.
#pragma once

#include <atomic>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "candor/core/cancellation.hpp"
#include "candor/core/mailbox.hpp"
#include "candor/core/scheduler.hpp"
#include "candor/resilience/health.hpp"

namespace candor {

/// How full it is, and what became of those that could not wait, or not so long.
struct AttemptQueueSnapshot {
  std::size_t waiting = 0;
  std::uint64_t refused_full = 0;
  std::uint64_t refused_timeout = 0;
};

class AttemptQueue {
 public:
  class Desk;
  class Place;

  /// `bound`: at most so many wait. `lanes`: whose attempts don't stand in each other's way, at least one.
  AttemptQueue(std::size_t bound, std::size_t lanes, Health& health);
  AttemptQueue(AttemptQueue const&) = delete;
  AttemptQueue& operator=(AttemptQueue const&) = delete;

  /// Somebody waits, or has been called and has no permit yet: whoever comes now had better line up.
  [[nodiscard]] bool is_occupied() const { return occupied_.load(std::memory_order_acquire) > 0; }

  /// There may be room: an attempt has settled. Or the circuit has changed its state.
  void look_for_room() {
    if (is_occupied()) call_whom_there_is_room_for();
  }

  [[nodiscard]] AttemptQueueSnapshot snapshot() const;

 private:
  enum class State : std::uint8_t {
    outside,
    waiting,     // in its lane
    called,      // there is room for it, and it has not asked yet
    pushed_out,  // its place was given to another lane
  };

  /// Those of one lane that wait, or those of one desk that have to be told. Intrusive.
  struct List {
    Place* first = nullptr;
    Place* last = nullptr;
    std::size_t size = 0;
    void push_back(Place& place);
    void push_front(Place& place);
    void remove(Place& place);
  };

  // Under the lock.
  [[nodiscard]] bool line_up(Place& place);
  void leave(Place& place);
  void call_next();
  void wake(Place& place, State why);
  [[nodiscard]] bool push_out_for(std::size_t lane);
  void look_again();
  void note_occupancy() { occupied_.store(waiting_ + called_, std::memory_order_release); }

  void call_whom_there_is_room_for();

  std::size_t const bound_;
  Health& health_;
  std::atomic<std::size_t> occupied_ = 0;  // waiting and called

  mutable std::mutex lock_;
  std::vector<List> lanes_;
  std::size_t turn_ = 0;  // the lane that comes next
  std::size_t waiting_ = 0;
  std::size_t called_ = 0;
  std::uint64_t refused_full_ = 0;
  std::uint64_t refused_timeout_ = 0;
};

/// Where the attempts of one worker are told that their turn has come. One for a worker and queue; it
/// outlives their places.
class AttemptQueue::Desk {
 public:
  /// `mailbox`: absent where there is no other thread.
  Desk(AttemptQueue& queue, Scheduler& scheduler, Mailbox* mailbox)
      : queue_(queue), scheduler_(scheduler), mailbox_(mailbox) {}
  Desk(Desk const&) = delete;
  Desk& operator=(Desk const&) = delete;

 private:
  friend class AttemptQueue;
  friend class Place;

  void tell_all();

  AttemptQueue& queue_;
  Scheduler& scheduler_;
  Mailbox* mailbox_;
  List to_tell_{};       // under the queue's lock
  bool posted_ = false;  // likewise
};

/// One attempt that waits. Leaves when it is dropped, wherever it stands. One worker's.
class AttemptQueue::Place final : private Wakeup, private CancelListener {
 public:
  Place(Desk& desk, std::size_t lane, Instant since)
      : queue_(desk.queue_), desk_(desk), lane_(lane), since_(since) {}
  ~Place() override {
    leave();
    disarm();
  }

  enum class Turn : std::uint8_t { called, pushed_out, timed_out, cancelled };

  [[nodiscard]] Instant since() const { return since_; }

  /// At the end of its lane; or, if it was called in vain, at its front again. False: the queue is full.
  [[nodiscard]] bool line_up();
  /// It has got its permit, or gives up: the next one's turn.
  void leave();

  /// Until it is called, or until then, or until the scope is cancelled. Awaitable.
  [[nodiscard]] auto wait(Instant until, CancelScope& scope) {
    struct Wait {
      Place& place;
      Instant until;
      CancelScope& scope;
      bool await_ready() const { return scope.cancelled() || !place.still_waits(); }
      void await_suspend(std::coroutine_handle<> waiter) const { place.sleep(waiter, until, scope); }
      Turn await_resume() const { return place.turn(scope); }
    };
    return Wait{*this, until, scope};
  }

 private:
  friend class AttemptQueue;

  [[nodiscard]] bool still_waits() const;
  void sleep(std::coroutine_handle<> waiter, Instant until, CancelScope& scope);
  [[nodiscard]] Turn turn(CancelScope const& scope);
  /// On its worker's thread.
  void ring() {
    if (waiter_) desk_.scheduler_.soon(*this);
  }
  void wake() override;
  void on_cancel() override { desk_.scheduler_.soon(*this); }

  AttemptQueue& queue_;
  Desk& desk_;
  std::size_t const lane_;
  Instant const since_;
  std::coroutine_handle<> waiter_;

  // Under the queue's lock.
  State state_ = State::outside;
  List* in_ = nullptr;
  Place* previous_ = nullptr;
  Place* next_ = nullptr;
};

}  // namespace candor
