// A second reading of the same attempts, by other rules, that refuses nobody. A value over time that it is
// handed; whoever owns it holds the lock.
//
// An attempt that it would not have let through has no vote in it: in its world that attempt was not made.
// Nor can it know what the attempts would have shown that the acting circuit has refused.
#pragma once

#include <optional>

#include "candor/core/rng.hpp"
#include "candor/resilience/circuit_account.hpp"
#include "candor/resilience/health.hpp"

namespace candor {

class ShadowCircuit {
 public:
  /// `settings` must outlive it.
  ShadowCircuit(BreakerSettings const& settings, std::uint64_t seed)
      : settings_(settings), reading_(settings), rng_(seed) {}

  [[nodiscard]] CircuitAccount const& reading() const { return reading_; }
  [[nodiscard]] BreakerSettings const& settings() const { return settings_; }

  /// An attempt goes out. The admission that it would have had; nothing: it would have been refused. Once its
  /// window is over, the next attempt stands for its probe.
  [[nodiscard]] std::optional<Admission> admit(Instant now, std::optional<Transition>& transition);
  /// It has settled. `asked`: as of the acting circuit.
  [[nodiscard]] std::optional<Transition> settle(AttemptNote const& note,
                                                 std::optional<Admission> const& admission, Asked asked);
  /// A slow mark was put on it, at `note.settled`.
  [[nodiscard]] std::optional<Transition> mark_slow(AttemptNote const& note,
                                                    std::optional<Admission> const& admission, Asked asked);
  /// What was seen so far says nothing about what comes.
  void forget() { reading_.forget(); }
  void all_replaced(Instant now) {
    forget();
    reading_.circuit().all_replaced(now);
  }

  void read(std::optional<ShadowSnapshot>& snapshot, Instant now) const;

 private:
  [[nodiscard]] std::optional<Transition> note(std::optional<Transition> transition);

  BreakerSettings const& settings_;
  CircuitAccount reading_;
  Rng rng_;  // its own: that it looks on must not change what chance decides
  std::uint64_t openings_ = 0;
  std::array<std::uint64_t, 4> refused_{};  // by Outcome::Kind
};

}  // namespace candor
