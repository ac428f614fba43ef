#include "candor/resilience/throttle.hpp"

#include <algorithm>

namespace candor {

Throttle::Counts& Throttle::Counts::operator+=(Counts const& other) {
  asked += other.asked;
  accepted += other.accepted;
  return *this;
}

Throttle::Throttle(ThrottleSettings const& settings)
    : per_accept_(settings.per_accept), cap_(settings.cap), counts_(settings.over) {}

double Throttle::refused_share(Instant now) const {
  auto const sums = counts_.sums(now);
  auto const asked = static_cast<double>(sums.asked);
  auto const accepted = static_cast<double>(sums.accepted);
  return std::clamp((asked - per_accept_ * accepted) / (asked + padding), 0.0, cap_);
}

bool Throttle::refuses(Instant now, Rng& rng) {
  auto const share = refused_share(now);
  bool const refused = share > 0 && rng.chance(share);
  if (refused) ++counts_.at(now).asked;
  return refused;
}

void Throttle::settled(Outcome outcome, Instant now) {
  if (!outcome.is_success() && !outcome.is_failure()) return;
  bool const refused =
      outcome == Outcome::failed(FailureKind::overload) || outcome == Outcome::failed(FailureKind::timeout);
  auto& counts = counts_.at(now);
  ++counts.asked;
  counts.accepted += refused ? 0 : 1;
}

}  // namespace candor
