// What was counted in the last stretch of time, kept in buckets. A value; the time is handed in.
//
// Buckets are summed when asked; there is no running total to disagree with.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "candor/core/time.hpp"

namespace candor {

/// `Counts` begin at nothing, and add up with +=.
template <class Counts>
class TimeBuckets {
 public:
  static constexpr std::size_t count = 10;

  explicit TimeBuckets(Duration span)
      : width_(std::max(span / static_cast<std::int64_t>(count), Duration{1})) {}

  /// Where to count what happens now. Time never goes back; an earlier instant counts as the latest one seen.
  [[nodiscard]] Counts& at(Instant now) {
    auto const current = std::max(epoch(now), newest_);
    if (current - newest_ >= static_cast<std::int64_t>(count)) {
      buckets_.fill({});
    } else {
      for (auto e = newest_ + 1; e <= current; ++e) buckets_[static_cast<std::size_t>(e) % count] = {};
    }
    newest_ = current;
    return buckets_[static_cast<std::size_t>(current) % count];
  }

  /// Of the last nine to ten tenths of the span.
  [[nodiscard]] Counts sums(Instant now) const {
    // Of the buckets kept, all are in the span that ends with the newest; time that has passed since puts the
    // oldest outside.
    auto const passed = std::clamp(epoch(now) - newest_, std::int64_t{0}, std::int64_t{count});
    Counts total{};
    auto place = static_cast<std::size_t>(newest_ + 1 + passed) % count;
    for (auto left = static_cast<std::int64_t>(count) - passed; left > 0; --left) {
      total += buckets_[place];
      if (++place == count) place = 0;
    }
    return total;
  }

  void clear() { buckets_.fill({}); }

 private:
  [[nodiscard]] std::int64_t epoch(Instant now) const { return now.time_since_epoch() / width_; }

  Duration width_;
  std::array<Counts, count> buckets_{};
  std::int64_t newest_ = 0;  // the epoch of the newest bucket: instant / width
};

}  // namespace candor
