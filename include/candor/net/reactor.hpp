// One worker's loop: waits for sockets and for time, and drives the scheduler. Belongs to one thread, but for
// post(). It is the only place that reads a clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "candor/core/mailbox.hpp"
#include "candor/core/scheduler.hpp"
#include "candor/net/descriptor.hpp"

namespace candor {

/// What a reactor reads: the clock that it measures by, and the time of day.
struct Clocks {
  Instant (*monotonic)();
  WallTime (*wall)();
};
/// This machine's.
[[nodiscard]] Clocks machine_clocks();

/// Hears what the kernel says of a descriptor. It may only take note and schedule: several of these are told
/// in a row, and what one of them woke must not destroy another before its turn.
class EventSink {
 public:
  virtual void on_events(std::uint32_t events) = 0;

 protected:
  ~EventSink() = default;
};

class Reactor final : public Mailbox {
 public:
  /// Throws std::system_error when the kernel has no descriptor for it.
  explicit Reactor(Clocks clocks = machine_clocks());
  Reactor(Reactor const&) = delete;
  Reactor& operator=(Reactor const&) = delete;

  [[nodiscard]] Scheduler& scheduler() { return scheduler_; }

  /// Registers the descriptor, edge-triggered, for reading, writing and the peer's end of sending; false if
  /// the kernel has no room for it. One registration lasts for the descriptor's life: closing it ends it.
  [[nodiscard]] bool watch(int fd, EventSink& sink);
  /// So long ago the kernel last told all that had come.
  [[nodiscard]] Duration turn_lasts() const {
    return told_all_ ? clocks_.monotonic() - scheduler_.now() : Duration::max();
  }

  /// Before it is closed, where another descriptor of the same socket stays open: it would be watched on.
  void forget(int fd);

  /// Runs until stop().
  void run();
  /// Ends run() after this turn; from its own thread.
  void stop() { stopped_ = true; }

  /// Runs the action on the reactor's thread, at its next turn. Thread-safe; for rare things.
  void post(std::function<void()> action) override;

 private:
  class Doorbell final : public EventSink {
   public:
    void on_events(std::uint32_t /*events*/) override { rung = true; }
    bool rung = false;
  };

  void turn();
  void run_posted();
  void read_wall();
  [[nodiscard]] int longest_wait() const;

  Clocks clocks_;
  Instant wall_due_{};  // when the time of day is read again
  Scheduler scheduler_;
  Descriptor epoll_;
  Descriptor bell_;
  Doorbell doorbell_;
  std::mutex posted_lock_;
  std::vector<std::function<void()>> posted_;
  bool told_all_ = true;  // there was room for all events of this turn
  bool stopped_ = false;
};

}  // namespace candor
