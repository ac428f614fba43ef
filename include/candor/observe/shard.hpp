// Numbers that one thread writes and any thread may read: a plain load and store, no locked instruction and
// no lock. A reader sees each number whole, and some of them a moment later than others.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "candor/core/time.hpp"

namespace candor::observe {

/// A count that only grows. add() belongs to one thread.
class Count {
 public:
  void add(std::uint64_t n = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// The upper bounds of every duration histogram; what is longer goes into one more bucket. Fine below 5ms,
/// where a sidecar's neighbours live.
inline constexpr std::array<Duration, 15> duration_bounds{500us, 1ms,   2ms,   3ms, 5ms,    10ms, 25ms, 50ms,
                                                          100ms, 250ms, 500ms, 1s,  2500ms, 5s,   10s};

/// The bucket of a duration: the first whose bound is not below it.
[[nodiscard]] inline std::size_t duration_bucket(Duration d) {
  // A duration's highest bit says where to begin; from there it is two steps at most.
  constexpr auto first_of_width = [] {
    std::array<std::uint8_t, 65> first{};
    for (std::size_t width = 1; width < first.size(); ++width) {
      auto const least = std::uint64_t{1} << (width - 1);
      std::uint8_t bucket = 0;
      while (bucket < duration_bounds.size() &&
             static_cast<std::uint64_t>(duration_bounds[bucket].count()) < least) {
        ++bucket;
      }
      first[width] = bucket;
    }
    return first;
  }();
  if (d <= Duration{}) return 0;
  std::size_t bucket =
      first_of_width[static_cast<std::size_t>(std::bit_width(static_cast<std::uint64_t>(d.count())))];
  while (bucket < duration_bounds.size() && d > duration_bounds[bucket]) ++bucket;
  return bucket;
}

/// What several histograms add up to. The number of samples is the sum of the buckets and stands nowhere
/// else.
struct DurationSums {
  std::array<std::uint64_t, duration_bounds.size() + 1> buckets{};
  std::uint64_t nanoseconds = 0;

  void add(DurationSums const& other) {
    for (std::size_t i = 0; i < buckets.size(); ++i) buckets[i] += other.buckets[i];
    nanoseconds += other.nanoseconds;
  }
};

/// observe() and add() belong to one thread.
class DurationHistogram {
 public:
  void observe(Duration d) {
    buckets_[duration_bucket(d)].add();
    if (d > Duration{}) nanoseconds_.add(static_cast<std::uint64_t>(d.count()));
  }
  void add(DurationHistogram const& other) {
    for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i].add(other.buckets_[i].value());
    nanoseconds_.add(other.nanoseconds_.value());
  }
  void add_to(DurationSums& sums) const {
    for (std::size_t i = 0; i < buckets_.size(); ++i) sums.buckets[i] += buckets_[i].value();
    sums.nanoseconds += nanoseconds_.value();
  }

 private:
  std::array<Count, duration_bounds.size() + 1> buckets_{};
  Count nanoseconds_;
};

}  // namespace candor::observe
