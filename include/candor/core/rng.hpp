// Chance as an argument. The same seed gives the same numbers on every machine and compiler, which the
// standard distributions do not promise.
#pragma once

#include <array>
#include <cstdint>

#include "candor/core/time.hpp"

namespace candor {

/// xoshiro256** (Blackman and Vigna, "Scrambled Linear Pseudorandom Number Generators", 2018), seeded through
/// splitmix64. Not for secrets. Belongs to one thread.
class Rng {
 public:
  explicit Rng(std::uint64_t seed);

  std::uint64_t next();

  /// Uniform in [0, bound); bound > 0. Unbiased (Lemire, "Fast Random Integer Generation in an Interval",
  /// 2019).
  std::uint64_t below(std::uint64_t bound);

  /// Uniform in [0, 1).
  double unit();

  /// Uniform in [low, high]; low when the interval is empty.
  Duration between(Duration low, Duration high);

  bool chance(double probability) { return unit() < probability; }

  /// A generator of its own for a part of the world, so that one part's draws don't shift another's.
  Rng fork();

 private:
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace candor
