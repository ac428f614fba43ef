// What was counted in the last stretch of time, kept in buckets. A value; the time is handed in.
//
// Buckets are summed when a new one begins, all but that: there is no running total to disagree with.
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
    if (current != newest_) finished_ = sum_of(current + 1, count - 1);
    newest_ = current;
    return buckets_[static_cast<std::size_t>(current) % count];
  }

  /// Of the last nine to ten tenths of the span.
  [[nodiscard]] Counts sums(Instant now) const {
    // Of the buckets kept, all are in the span that ends with the newest; time that has passed since puts the
    // oldest outside.
    auto const passed = std::clamp(epoch(now) - newest_, std::int64_t{0}, std::int64_t{count});
    if (passed > 0) return sum_of(newest_ + 1 + passed, count - static_cast<std::size_t>(passed));
    auto total = finished_;
    total += buckets_[static_cast<std::size_t>(newest_) % count];
    return total;
  }

  void clear() {
    buckets_.fill({});
    finished_ = {};
  }

 private:
  [[nodiscard]] std::int64_t epoch(Instant now) const { return now.time_since_epoch() / width_; }
  /// Of so many buckets, from that of an epoch on.
  [[nodiscard]] Counts sum_of(std::int64_t from, std::size_t how_many) const {
    Counts total{};
    auto place = static_cast<std::size_t>(from) % count;
    for (; how_many > 0; --how_many) {
      total += buckets_[place];
      if (++place == count) place = 0;
    }
    return total;
  }

  Duration width_;
  std::array<Counts, count> buckets_{};
  Counts finished_{};        // of all buckets but the newest: nothing is counted there any more
  std::int64_t newest_ = 0;  // the epoch of the newest bucket: instant / width
};

}  // namespace candor
