// Wakes the one coroutine that waits for it. One worker's.
#pragma once

#include <optional>
#include <utility>

#include "candor/core/scheduler.hpp"

namespace candor {

/// A ring that nobody waits for is lost: look at what it is about first, then wait.
class Bell final : private Wakeup {
 public:
  explicit Bell(Scheduler& scheduler) : scheduler_(scheduler) {}
  ~Bell() override { disarm(); }

  /// Who waits goes on at the scheduler's next opportunity, never from in here.
  void ring() {
    if (waiter_) scheduler_.soon(*this);
  }

  /// Until it rings, or so long. Awaitable.
  [[nodiscard]] auto wait(std::optional<Duration> at_most = std::nullopt) {
    struct Wait {
      Bell& bell;
      std::optional<Duration> at_most;
      bool await_ready() const { return false; }
      void await_suspend(std::coroutine_handle<> waiter) const {
        bell.waiter_ = waiter;
        if (at_most) bell.scheduler_.after(bell, *at_most);
      }
      void await_resume() const {}
    };
    return Wait{*this, at_most};
  }

 private:
  void wake() override { std::exchange(waiter_, {}).resume(); }

  Scheduler& scheduler_;
  std::coroutine_handle<> waiter_;
};

}  // namespace candor
