// When a circuit opens: the rules, as pure readings of the window and the run.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "candor/resilience/run.hpp"
#include "candor/resilience/settings.hpp"
#include "candor/resilience/window.hpp"

namespace candor {

/// Why a circuit changed its state.
enum class Rule : std::uint8_t {
  evidence_ratio,
  evidence_run,
  consecutive_failures,
  failure_rate,
  slow_rate,
  strain_rate,
  window_elapsed,  ///< open to half-open: the window was over
  probe_success,   ///< half-open to ramping
  probe_failure,   ///< half-open back to open
  ramp_complete,   ///< ramping to closed
  check_success,   ///< open to half-open: a check found it well before the window was over
  check_failure,   ///< checks found it ill
  held_open,       ///< an operator holds it open
  held_closed,     ///< an operator holds it closed
  given_back,      ///< an operator holds it no longer
  too_few_left,    ///< of an endpoint: back, because too many of its fellows have left
  all_replaced,    ///< open to half-open: those that had opened it have all left
};

[[nodiscard]] std::string_view name(Rule rule);

/// Whether attempts had a say in it, or time, checks or an operator alone.
[[nodiscard]] bool rests_on_attempts(Rule rule);

/// A rule that holds, with the numbers that made it hold.
struct Trip {
  Rule rule;
  double value;                       ///< the bound, ratio or length that was reached
  double threshold;                   ///< what it had to reach
  WindowSums window{};                ///< at that moment
  std::uint64_t run = 0;              ///< the run's length at that moment, with its marks
  double expected_failure_ratio = 0;  ///< of evidence_run: the upper bound before the run
};

/// The run that is too long to be chance: ceil(ln(false_trip) / ln(p)), within 5..20, where p is the upper
/// bound of the failure ratio in the window before the run, at least 0.03, with up to 40 virtual successes
/// standing in while the window holds fewer attempts. 5 from a healthy history, 7 when cold.
struct RunThreshold {
  unsigned length;
  double p;
};
[[nodiscard]] RunThreshold run_threshold(EvidenceSettings const& settings, FailureRun const& run);

/// Which rules are asked.
enum class Asked : std::uint8_t {
  all,
  classic,  ///< evidence is not: it would speak of what is about to be taken care of
  none,
};

/// The first rule that holds. `run` is the run as the evidence rule reads it, with its slow marks; `failures`
/// the one of the classic rule, of failed attempts alone.
[[nodiscard]] std::optional<Trip> judge(TripSettings const& settings, WindowSums const& window,
                                        FailureRun const& run, FailureRun const& failures,
                                        Asked asked = Asked::all);
/// The same, where no attempt was marked.
[[nodiscard]] std::optional<Trip> judge(TripSettings const& settings, WindowSums const& window,
                                        FailureRun const& run);

}  // namespace candor
