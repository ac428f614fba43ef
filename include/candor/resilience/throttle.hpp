// Refuses a part of the attempts while the upstream does not accept enough of them. A value; time and chance
// are handed in.
#pragma once

#include <cstdint>

#include "candor/core/outcome.hpp"
#include "candor/core/rng.hpp"
#include "candor/core/time.hpp"
#include "candor/resilience/settings.hpp"
#include "candor/resilience/time_buckets.hpp"

namespace candor {

/// Client-side throttling ("Handling Overload" in Beyer et al., Site Reliability Engineering, 2016): an
/// upstream that is too busy spends even on saying so; so what it would refuse is refused here, with the
/// chance
///
///   (asked - per_accept * accepted) / (asked + padding), at least 0, at most `cap`,
///
/// over the last `over`. Asked for are attempts that settled, and those refused here. An attempt is counted
/// when it settles, since in flight it has been neither accepted nor refused: a burst against a slow upstream
/// would look like a rush of refusals. All are accepted but those that failed with `overload` or `timeout`,
/// the kinds that say "too much"; one that failed in another way was taken, and what it says is for the
/// circuit. Excluded and abandoned ones are not counted.
///
/// The book pads with 1. Then the one timeout of a quiet upstream would refuse the next attempt with even
/// chance; with 8, as gRPC's throttling of its lookup service has it, it takes several. And the book has no
/// cap: where none is accepted, the refused ones keep it that way for the whole span after the upstream is
/// back.
class Throttle {
 public:
  explicit Throttle(ThrottleSettings const& settings);

  /// Asked for each attempt; true: it is refused, and counted.
  [[nodiscard]] bool refuses(Instant now, Rng& rng);
  void settled(Outcome outcome, Instant now);

  /// The chance of being refused.
  [[nodiscard]] double refused_share(Instant now) const;

  static constexpr double padding = 8;

 private:
  struct Counts {
    std::uint64_t asked = 0;
    std::uint64_t accepted = 0;

    Counts& operator+=(Counts const& other);
  };

  double per_accept_;
  double cap_;
  TimeBuckets<Counts> counts_;
};

}  // namespace candor
