// What one circuit stands on: the window of its attempts, its runs of failures, and the circuit that reads
// them. A value over time that it is handed; an upstream has one, and each of several endpoints.
#pragma once

#include <cstdint>
#include <optional>

#include "candor/core/rng.hpp"
#include "candor/core/time.hpp"
#include "candor/resilience/circuit.hpp"
#include "candor/resilience/evidence.hpp"
#include "candor/resilience/run.hpp"
#include "candor/resilience/settings.hpp"
#include "candor/resilience/trip.hpp"
#include "candor/resilience/window.hpp"

namespace candor {

class CircuitAccount {
 public:
  /// `settings` must outlive it.
  explicit CircuitAccount(BreakerSettings const& settings)
      : settings_(&settings), circuit_(settings), window_(settings.window) {}

  [[nodiscard]] Circuit const& circuit() const { return circuit_; }
  [[nodiscard]] Circuit& circuit() { return circuit_; }
  [[nodiscard]] FailureRun const& run() const { return run_; }
  [[nodiscard]] WindowSums sums(Instant now) const { return window_.sums(now); }

  /// Whether an attempt of this admission still has a vote.
  [[nodiscard]] bool is_stale(Admission admission) const {
    return admission.generation != circuit_.generation();
  }

  /// Whether the rules may have something to say of this attempt, settled or marked. A success makes no
  /// evidence worse: for the default rule it is not worth a look. The classic rates hold at the attempt that
  /// makes their minimum, whatever it showed; but none does where all has gone well for a whole window.
  [[nodiscard]] bool is_news(AttemptNote const& note) const;

  /// The verdict on an attempt that this circuit admitted, and that is not stale. `asked`: the rules that may
  /// open it; the evidence is kept in any case.
  std::optional<Transition> settle(AttemptNote const& note, Admission admission, Asked asked, Rng& rng);
  /// A slow mark was put on it, at `note.settled`.
  std::optional<Transition> mark_slow(AttemptNote const& note, Asked asked, Rng& rng);

  /// What was seen so far says nothing about what comes.
  void forget();

 private:
  void succeed(AttemptNote const& note);
  void fail(AttemptNote const& note);
  void extend_run(AttemptNote const& note);
  void trouble(Instant now);
  [[nodiscard]] std::optional<Trip> judged(Asked asked, Instant now) const;
  /// Nothing in the window and in the runs speaks against it.
  [[nodiscard]] bool all_is_well(Instant now) const;

  BreakerSettings const* settings_;
  Circuit circuit_;
  Window window_;
  FailureRun run_;                     // with slow marks, as the evidence rule reads it
  FailureRun failed_run_;              // without, for the classic rule
  std::optional<Instant> troubled_{};  // when something was counted last that speaks against it
};

}  // namespace candor
