#include "candor/resilience/stretch.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "candor/resilience/statistics.hpp"

namespace candor {

namespace {

constexpr double half = 0.5;
constexpr double too_much_share = 0.1;  // of the failures
constexpr double too_slow = 2;          // times the baseline
constexpr double shortest = 5e-3;       // seconds; below it, it is the machines' own scheduling that varies

}  // namespace

void SlowMedian::sample(double value, Instant now) {
  if (samples_ == 0) {
    value_ = value;
    last_ = now;
  }
  if (samples_ < warm_up) ++samples_;
  auto const since = std::clamp(now - last_, Duration{}, longest_step);
  last_ = std::max(last_, now);
  double const learning = is_known() ? 0 : 1.0 / samples_;
  double const step = std::max(learning, std::numbers::ln2 * (seconds(since) / seconds(doubles_in)));
  // Not past the sample: a step is never longer than the way.
  if (value > value_) value_ = std::min(value, value_ * std::exp(step));
  if (value < value_) value_ = std::max(value, value_ * std::exp(-step));
}

Stretch::Stretch(BudgetSettings const& settings)
    : enabled_(settings.stretch.has_value() && *settings.stretch > settings.ratio),
      width_(std::max(settings.over / static_cast<std::int64_t>(bucket_count), Duration{1})) {}

// Time never goes back; an earlier instant counts as the latest one seen.
Stretch::Counts& Stretch::bucket(Instant now) {
  auto const size = static_cast<std::int64_t>(bucket_count);
  auto const current = std::max(epoch(now), newest_);
  for (auto e = std::max(newest_ + 1, current - size + 1); e <= current; ++e) {
    buckets_[static_cast<std::size_t>(e % size)] = {};
  }
  newest_ = current;
  return buckets_[static_cast<std::size_t>(current % size)];
}

void Stretch::settled(bool retry, Outcome outcome, Duration latency, Instant now) {
  if (!enabled_) return;
  bool const succeeded = outcome.is_success();
  if (!succeeded && !outcome.is_failure()) return;
  auto& counts = bucket(now);
  if (retry) {
    ++counts.retries;
    counts.retries_succeeded += succeeded ? 1 : 0;
  }
  if (!succeeded) {
    ++counts.failures;
    auto const kind = outcome.failure();
    counts.too_much += kind == FailureKind::timeout || kind == FailureKind::overload ? 1 : 0;
    return;
  }
  double const took = std::max(shortest, seconds(latency));
  if (baseline_.is_known()) {
    ++counts.timed;
    counts.slow += took >= too_slow * baseline_.value() ? 1 : 0;
  }
  baseline_.sample(took, now);
}

Stretch::Counts Stretch::sums(Instant now) const {
  // Of the buckets kept, time that has passed since puts the oldest outside.
  auto const size = static_cast<std::int64_t>(bucket_count);
  auto const oldest = std::max<std::int64_t>({epoch(now), newest_, size - 1}) - size + 1;
  Counts total;
  for (auto e = std::max(oldest, newest_ - size + 1); e <= newest_; ++e) {
    if (e < 0) continue;
    auto const& counts = buckets_[static_cast<std::size_t>(e % size)];
    total.retries += counts.retries;
    total.retries_succeeded += counts.retries_succeeded;
    total.failures += counts.failures;
    total.too_much += counts.too_much;
    total.timed += counts.timed;
    total.slow += counts.slow;
  }
  return total;
}

bool Stretch::pays(Instant now) const {
  if (!enabled_) return false;
  auto const counts = sums(now);
  if (counts.retries < minimum_retries) return false;
  auto const number = [](std::uint64_t count) { return static_cast<double>(count); };
  if (number(counts.too_much) > 0 && number(counts.too_much) >= too_much_share * number(counts.failures)) {
    return false;
  }
  // Without a baseline nobody knows that the upstream is as quick as ever.
  if (counts.timed == 0 || 2 * counts.slow >= counts.timed) return false;
  return wilson(number(counts.retries_succeeded), number(counts.retries)).lower >= half;
}

}  // namespace candor
