#include "candor/resilience/throttle.hpp"

#include <algorithm>

namespace candor {

Throttle::Throttle(ThrottleSettings const& settings)
    : per_accept_(settings.per_accept),
      cap_(settings.cap),
      width_(std::max(settings.over / static_cast<std::int64_t>(bucket_count), Duration{1})) {}

// Time never goes back; an earlier instant counts as the latest one seen.
Throttle::Counts& Throttle::bucket(Instant now) {
  auto const size = static_cast<std::int64_t>(bucket_count);
  auto const current = std::max(epoch(now), newest_);
  for (auto e = std::max(newest_ + 1, current - size + 1); e <= current; ++e) {
    buckets_[static_cast<std::size_t>(e % size)] = {};
  }
  newest_ = current;
  return buckets_[static_cast<std::size_t>(current % size)];
}

double Throttle::refused_share(Instant now) const {
  // Of the buckets kept, time that has passed since puts the oldest outside.
  auto const size = static_cast<std::int64_t>(bucket_count);
  auto const oldest = std::max<std::int64_t>({epoch(now), newest_, size - 1}) - size + 1;
  double asked = 0;
  double accepted = 0;
  for (auto e = std::max({oldest, newest_ - size + 1, std::int64_t{0}}); e <= newest_; ++e) {
    auto const& counts = buckets_[static_cast<std::size_t>(e % size)];
    asked += static_cast<double>(counts.asked);
    accepted += static_cast<double>(counts.accepted);
  }
  return std::clamp((asked - per_accept_ * accepted) / (asked + padding), 0.0, cap_);
}

bool Throttle::refuses(Instant now, Rng& rng) {
  auto const share = refused_share(now);
  bool const refused = share > 0 && rng.chance(share);
  if (refused) ++bucket(now).asked;
  return refused;
}

void Throttle::settled(Outcome outcome, Instant now) {
  if (!outcome.is_success() && !outcome.is_failure()) return;
  bool const refused =
      outcome == Outcome::failed(FailureKind::overload) || outcome == Outcome::failed(FailureKind::timeout);
  auto& counts = bucket(now);
  ++counts.asked;
  counts.accepted += refused ? 0 : 1;
}

}  // namespace candor
