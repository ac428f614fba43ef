#include <algorithm>

#include "candor/core/scheduler.hpp"
#include "candor/proxy/layers.hpp"

namespace candor {

namespace {

/// What comes of an attempt that lasts: first its slow mark, then its end. What counts is the attempt's own
/// time: while it waits for its caller's body, its endpoint can do nothing.
class AttemptClock final : private Wakeup {
 public:
  AttemptClock(Exchange const& exchange, Attempt& attempt, Permit& permit, Duration timeout,
               std::optional<Duration> slow_after)
      : exchange_(exchange),
        attempt_(attempt),
        permit_(permit),
        began_(exchange.now() - exchange.caller_wait.total(exchange.now())),
        timeout_(timeout),
        slow_after_(slow_after) {
    exchange_.worker.scheduler.after(*this, next());
  }
  ~AttemptClock() override { disarm(); }

 private:
  /// How often it looks, at the most, while the caller keeps the attempt waiting.
  static constexpr Duration look = 1ms;

  [[nodiscard]] Duration next() const { return slow_after_ ? std::min(*slow_after_, timeout_) : timeout_; }

  void wake() override {
    auto const now = exchange_.now();
    auto const& waits = exchange_.caller_wait;
    auto const lasted = now - began_ - waits.total(now);
    bool const is_slow = slow_after_ && lasted >= *slow_after_;
    bool const is_over = lasted >= timeout_;
    if (is_slow) slow_after_.reset();
    if (!is_over) {
      auto const due = now + (next() - lasted);
      exchange_.worker.scheduler.at(*this, waits.waiting() ? std::max(due, now + look) : due);
    }
    if (is_slow) permit_.mark_slow(now);
    if (is_over) attempt_.scope.cancel(CancelReason::attempt_timeout);
  }

  Exchange const& exchange_;
  Attempt& attempt_;
  Permit& permit_;
  Instant began_;  // without the waits for the caller
  Duration timeout_;
  std::optional<Duration> slow_after_;  // absent: it is marked already, or never
};

}  // namespace

Task<Result<ResponseHandle>> TimeoutLayer::send(Exchange& exchange, Attempt& attempt, Permit& permit) {
  AttemptClock const clock{exchange, attempt, permit, timeout_, slow_after_};
  co_return co_await next().send(exchange, attempt, permit);
}

}  // namespace candor
