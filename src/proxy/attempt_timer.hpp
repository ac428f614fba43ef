// Runs an action once an attempt has taken so long. One worker's.
#pragma once

#include <algorithm>
#include <utility>

#include "candor/core/scheduler.hpp"
#include "candor/proxy/exchange.hpp"

namespace candor {

/// What counts is the attempt's own time: while it waits for its caller's body, its endpoint can do nothing.
template <class F>
class AttemptTimer final : private Wakeup {
 public:
  AttemptTimer(Exchange const& exchange, Duration after, F action)
      : exchange_(exchange),
        due_(exchange.now() + after - exchange.caller_wait.total(exchange.now())),
        action_(std::move(action)) {
    exchange_.worker.scheduler.after(*this, after);
  }
  ~AttemptTimer() override { disarm(); }

 private:
  /// How often it looks, at the most, while the caller keeps the attempt waiting.
  static constexpr Duration look = 1ms;

  void wake() override {
    auto const now = exchange_.now();
    auto const due = due_ + exchange_.caller_wait.total(now);
    if (now >= due) return action_();
    exchange_.worker.scheduler.at(*this, exchange_.caller_wait.waiting() ? std::max(due, now + look) : due);
  }

  Exchange const& exchange_;
  Instant due_;  // without the waits for the caller
  F action_;
};

}  // namespace candor
