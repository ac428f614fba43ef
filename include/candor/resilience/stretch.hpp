// Whether retrying pays: then the budget may stretch. A value; the time is handed in.
#pragma once

#include <cstdint>

#include "candor/core/outcome.hpp"
#include "candor/core/time.hpp"
#include "candor/resilience/settings.hpp"
#include "candor/resilience/time_buckets.hpp"

namespace candor {

/// What is usual, learnt slowly: the median of a long time, in a handful of bytes.
///
/// Each sample moves it up or down by a step that does not depend on how far off the sample is, so it settles
/// where as many samples are above as below (a stochastic approximation of the median, H. Robbins and S.
/// Monro, Annals of Mathematical Statistics 22, 1951; with signs alone, Q. Ma, S. Muthukrishnan and M.
/// Sandler, "Frugal Streaming", 2013). The n-th of the first hundred samples moves it by a share of about
/// 1/n; after that a step is as long as the time since the last sample, so that however many samples there
/// are it doubles or halves at most once in five minutes. A single step is then at most 0.24%, which bounds
/// its error around a median that stays.
class SlowMedian {
 public:
  void sample(double value, Instant now);
  /// 0 before the first sample.
  [[nodiscard]] double value() const { return value_; }
  /// Has it seen enough to be compared with?
  [[nodiscard]] bool is_known() const { return samples_ >= warm_up; }

  static constexpr unsigned warm_up = 100;                ///< samples
  static constexpr Duration doubles_in = 5min;            ///< at the fastest
  static constexpr Duration longest_step = Duration{1s};  ///< a silence teaches nothing

 private:
  double value_ = 0;
  unsigned samples_ = 0;
  Instant last_{};
};

/// Reads from the attempts of the last `over` whether the failures that retries meet are of the random kind,
/// which retries repair, or of too much load, which they make worse. It pays while all of this holds:
///
/// - there were at least `minimum_retries`, and the lower bound of the share of them that succeeded is at
///   least a half. Below the minimum there is nothing to gain either: the constant part of the default budget
///   pays for more;
/// - fewer than a tenth of the failures are `timeout` or `overload`;
/// - the median latency of the attempts that succeeded is below twice its slow-moving baseline, which counts
///   as 5ms at least. What a failure took says how it failed: a refusal is quick on the busiest upstream.
///
/// The median itself is never computed: it is below a limit exactly when more than half of the attempts are.
/// Each is compared with twice the baseline when it settles and counted; so the answer is exact for the
/// baseline as it then was, and no latency is kept.
class Stretch {
 public:
  explicit Stretch(BudgetSettings const& settings);

  /// An attempt settled. `retry`: it was not its request's first.
  void settled(bool retry, Outcome outcome, Duration latency, Instant now);

  /// Whether a request that comes now earns the stretched ratio: for Budget::request(). Never without a
  /// stretch in the settings.
  [[nodiscard]] bool pays(Instant now) const;

  /// What twice of is too slow, in seconds; 0 while it is not known.
  [[nodiscard]] double baseline() const { return baseline_.is_known() ? baseline_.value() : 0; }

  static constexpr std::uint64_t minimum_retries = 20;

 private:
  struct Counts {
    std::uint64_t retries = 0;
    std::uint64_t retries_succeeded = 0;
    std::uint64_t failures = 0;
    std::uint64_t too_much = 0;  // of the failures: timeout and overload
    std::uint64_t timed = 0;     // successes that were compared with the baseline
    std::uint64_t slow = 0;      // of these: at twice the baseline, or above

    Counts& operator+=(Counts const& other);
  };

  bool enabled_;
  TimeBuckets<Counts> counts_;
  SlowMedian baseline_;
};

}  // namespace candor
