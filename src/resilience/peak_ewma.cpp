#include "candor/resilience/peak_ewma.hpp"

#include <algorithm>
#include <cmath>

namespace candor {

namespace {

constexpr double shortest = 1e-9;  // seconds: what is known is not 0

/// e^-x, for x >= 0. Under load it is next to 1, and the first terms say all that a double can hold.
double decayed(double x) {
  constexpr double small = 1e-3;  // x^4 / 24 is then next to the last digit
  constexpr double third = 1.0 / 3;
  return x < small ? 1 - x * (1 - x / 2 * (1 - x * third)) : std::exp(-x);
}

}  // namespace

double PeakEwma::left(Instant now) const {
  auto const since = std::max(now - at_, Duration{});
  if (attempts_ <= 0 || since >= forgotten) return 0;
  constexpr double per_nanosecond = 1 / static_cast<double>(decay.count());
  return decayed(static_cast<double>(since.count()) * per_nanosecond);
}

void PeakEwma::observe(Instant now, double left, bool is_failure) {
  attempts_ = attempts_ * left + 1;
  failures_ = failures_ * left + (is_failure ? 1 : 0);
  at_ = std::max(at_, now);
}

void PeakEwma::succeeded(Duration latency, Instant now) {
  auto const kept = left(now);
  auto const took = std::max(seconds(latency), shortest);
  latency_ = took >= latency_ ? took : took + (latency_ - took) * kept;
  observe(now, kept, false);
}

void PeakEwma::failed(Duration latency, Instant now) {
  auto const kept = left(now);
  latency_ = std::max({seconds(latency), latency_ * kept, shortest});
  observe(now, kept, true);
}

void PeakEwma::unfinished(Duration so_far, Instant now) {
  auto const kept = left(now);
  auto const took = seconds(so_far);
  if (took <= latency_ * kept) return;
  latency_ = took;
  attempts_ = std::max(attempts_ * kept, 1.0);
  failures_ *= kept;
  at_ = std::max(at_, now);
}

double PeakEwma::estimate(Instant now) const {
  auto const kept = left(now);
  if (kept <= 0) return 0;
  double const failing = failures_ * kept / (attempts_ * kept + 1);
  return latency_ * kept + failing * failure_costs;
}

}  // namespace candor
