// The naive design, as a foil: retry and circuit breaker fused into one class, the way it is often written
// first. What docs/architecture.md says about it is all here, and none of it is exaggerated:
//
// - "failure" is the failure of a whole request, after its last try; the breaker sees nothing else;
// - a success on the third try heals as much as one on the first;
// - the open window is stamped when the last try's failure is known, after the backoff;
// - when the window has passed everybody is let through, with all their tries;
// - the state is a few variables that threads write as they come. They are atomic, so that the program is a
// valid
//   one, but nothing holds them together.
#pragma once

#include <poll.h>

#include <atomic>
#include <chrono>

namespace foil {

using Clock = std::chrono::steady_clock;

struct Settings {
  unsigned threshold = 5;
  unsigned tries = 3;
  std::chrono::milliseconds backoff{100};  // doubling, without jitter
  std::chrono::milliseconds open_for{5000};
};

class FusedBreaker {
 public:
  explicit FusedBreaker(Settings settings) : settings_(settings) {}

  // What `attempt()` gives in the end, or `refused` while the circuit is open. Its result says by `good()`
  // whether that is a success.
  template <typename Result, typename Attempt>
  Result call(Attempt attempt, Result const& refused) {
    if (open_ && Clock::now() - opened_at_.load() < settings_.open_for) return refused;
    auto result = attempt();
    for (unsigned done = 1; done < settings_.tries && !result.good(); ++done) {
      ::poll(nullptr, 0, static_cast<int>(settings_.backoff.count()) << (done - 1));
      result = attempt();
    }
    if (result.good()) {
      failures_ = 0;
      open_ = false;
    } else if (++failures_ >= settings_.threshold) {
      open_ = true;
      opened_at_ = Clock::now();
    }
    return result;
  }

 private:
  Settings settings_;
  std::atomic<unsigned> failures_{0};
  std::atomic<bool> open_{false};
  std::atomic<Clock::time_point> opened_at_{Clock::time_point{}};
};

}  // namespace foil
