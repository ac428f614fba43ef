// What the attempts of the last seconds showed. A value; the time is handed in.
#pragma once

#include <cstdint>

#include "candor/core/outcome.hpp"
#include "candor/core/time.hpp"
#include "candor/resilience/time_buckets.hpp"

namespace candor {

/// Counts over a window. `marked` attempts are counted when they are marked slow; `settled` and `failed` when
/// they settle. An attempt that was marked and then settled is in both, and in `marked_settled`.
struct WindowSums {
  std::uint64_t settled = 0;  ///< successes and failures
  std::uint64_t failed = 0;
  std::uint64_t marked = 0;          ///< slow marks
  std::uint64_t marked_settled = 0;  ///< settled attempts that had been marked
  std::uint64_t marked_failed = 0;   ///< of these, the failures
  std::uint64_t answered = 0;        ///< requests that a successful attempt answered
  std::uint64_t strained = 0;        ///< of these, the ones that needed more than one attempt

  WindowSums& operator+=(WindowSums const& other);
  bool operator==(WindowSums const&) const = default;

  /// As the evidence rule reads it: a mark is a failure, and its attempt is counted once.
  [[nodiscard]] std::uint64_t evidence_attempts() const { return settled - marked_settled + marked; }
  [[nodiscard]] std::uint64_t evidence_failures() const { return failed - marked_failed + marked; }
  /// Settled or marked, each attempt once.
  [[nodiscard]] std::uint64_t attempts() const { return settled - marked_settled + marked; }

  [[nodiscard]] double failure_ratio() const;
  [[nodiscard]] double strain_ratio() const;
};

/// A sliding window of attempts.
class Window {
 public:
  explicit Window(Duration span) : buckets_(span) {}

  void success(Instant now, bool was_marked, bool first_attempt);
  void failure(Instant now, bool was_marked);
  void mark(Instant now);

  [[nodiscard]] WindowSums sums(Instant now) const { return buckets_.sums(now); }
  void clear() { buckets_.clear(); }

 private:
  TimeBuckets<WindowSums> buckets_;
};

}  // namespace candor
