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

Stretch::Counts& Stretch::Counts::operator+=(Counts const& other) {
  retries += other.retries;
  retries_succeeded += other.retries_succeeded;
  failures += other.failures;
  too_much += other.too_much;
  timed += other.timed;
  slow += other.slow;
  return *this;
}

Stretch::Stretch(BudgetSettings const& settings)
    : enabled_(settings.stretch.has_value() && *settings.stretch > settings.ratio), counts_(settings.over) {}

void Stretch::settled(bool retry, Outcome outcome, Duration latency, Instant now) {
  if (!enabled_) return;
  bool const succeeded = outcome.is_success();
  if (!succeeded && !outcome.is_failure()) return;
  auto& counts = counts_.at(now);
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

bool Stretch::pays(Instant now) const {
  if (!enabled_) return false;
  auto const counts = counts_.sums(now);
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
