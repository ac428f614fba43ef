// The numbers of the account. Plain counts; whoever owns them keeps them exact.
#pragma once

#include <array>
#include <cstdint>

#include "candor/core/outcome.hpp"

namespace candor {

/// started = in flight + success + failure + excluded + abandoned, always.
struct Ledger {
  std::uint64_t started = 0;
  std::uint64_t in_flight = 0;
  std::uint64_t success = 0;
  std::array<std::uint64_t, failure_kinds> failures{};
  std::uint64_t excluded = 0;
  std::uint64_t abandoned = 0;

  std::uint64_t slow = 0;  ///< slow marks
  /// Settled in a newer generation than admitted, or when its endpoint had left: no vote.
  std::uint64_t stale = 0;

  void start() {
    ++started;
    ++in_flight;
  }
  void settle(Outcome outcome);
  /// Two accounts of the same.
  Ledger& operator+=(Ledger const& other);

  [[nodiscard]] std::uint64_t failed() const;
  [[nodiscard]] bool balanced() const {
    return started == in_flight + success + failed() + excluded + abandoned;
  }
};

/// Checks that Candor made of its own accord, by what they showed. They are no attempts.
struct CheckCounts {
  std::uint64_t good = 0;
  std::uint64_t bad = 0;
  std::uint64_t abandoned = 0;  ///< without a result

  void add(CheckCounts const& other) {
    good += other.good;
    bad += other.bad;
    abandoned += other.abandoned;
  }
};

}  // namespace candor
