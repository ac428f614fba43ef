// Thread-safe.
//
// Another set of retry rules, with a budget of its own, that is asked after the same failed attempts and only
// counts where it would have done otherwise. What its retries would have come to it can't know: they are not
// made, and so the request is over for it where the rules part.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "candor/core/rng.hpp"
#include "candor/core/time.hpp"
#include "candor/resilience/budget.hpp"
#include "candor/resilience/retry.hpp"
#include "candor/resilience/settings.hpp"

namespace candor {

class RetryShadow {
 public:
  explicit RetryShadow(RetrySettings const& settings) : settings_(settings), budget_(settings.budget) {}

  [[nodiscard]] RetrySettings const& settings() const { return settings_; }

  /// A request began; as of a Budget.
  void request(Instant now, bool stretched) { budget_.request(now, stretched); }

  /// After a failed attempt, of which the acting rules have decided whether another follows. The rest is as
  /// of decide(). Whether they agree: if not, what further attempts of this request show says nothing here.
  bool compare(bool another_follows, AttemptHistory const& history, CircuitState circuit, Duration left,
               Instant now, Rng& rng);

  /// Failed attempts that no other followed, and that these rules would have followed by one.
  [[nodiscard]] std::uint64_t added() const { return added_.load(std::memory_order_relaxed); }
  /// Retries that these rules would not have made, for this reason.
  [[nodiscard]] std::uint64_t spared(RetryDenied reason) const {
    return spared_[static_cast<std::size_t>(reason)].load(std::memory_order_relaxed);
  }

 private:
  RetrySettings const settings_;
  Budget budget_;
  std::atomic<std::uint64_t> added_{0};
  std::array<std::atomic<std::uint64_t>, retry_denials> spared_{};
};

}  // namespace candor
