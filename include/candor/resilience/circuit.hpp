// The circuit: closed, open, half-open, ramping. A value over time that it is handed; no lock, no clock.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "candor/core/failure.hpp"
#include "candor/core/ids.hpp"
#include "candor/core/rng.hpp"
#include "candor/core/time.hpp"
#include "candor/resilience/ramp.hpp"
#include "candor/resilience/settings.hpp"
#include "candor/resilience/trip.hpp"

namespace candor {

enum class CircuitState : std::uint8_t { closed, open, half_open, ramping };
inline constexpr std::size_t circuit_states = 4;

[[nodiscard]] std::string_view name(CircuitState state);

/// Whether attempts go through in this state; else they probe, or are refused.
[[nodiscard]] bool lets_through(CircuitState state);

/// What an operator may do with a circuit by hand.
enum class Hold : std::uint8_t {
  open,    ///< admits nothing
  closed,  ///< admits everything, whatever the rules say
};

[[nodiscard]] std::string_view name(Hold hold);

/// One change of a circuit's state.
struct Transition {
  CircuitState from;
  CircuitState to;
  Trip why;
  Instant at;
  std::uint64_t generation;              ///< that it began
  std::optional<EndpointId> endpoint{};  ///< whose circuit it is; absent: the upstream's
};

/// Admitted: under which generation, and whether as a probe.
struct Admission {
  std::uint64_t generation;
  bool probe;
};

class Circuit {
 public:
  explicit Circuit(BreakerSettings const& settings) : settings_(&settings) {}

  /// From now on, one that failures to connect have opened waits for connect checks, not for its window: see
  /// check_due(). For those that somebody checks.
  void sense() { senses_ = true; }

  /// As of the last call: an open circuit whose window is over is half-open only once an attempt is asked
  /// for.
  [[nodiscard]] CircuitState state() const { return state_; }
  [[nodiscard]] std::uint64_t generation() const { return generation_; }
  /// When the next probe may go; only while open.
  [[nodiscard]] Instant open_until() const { return open_until_; }
  /// When this outage began: the first opening since the circuit was last closed.
  [[nodiscard]] Instant first_opened() const { return first_opened_; }
  [[nodiscard]] unsigned probes_in_flight() const { return probes_in_flight_; }
  [[nodiscard]] double admitted_share(Instant now) const;
  /// How long a refused caller had better wait; zero when closed.
  [[nodiscard]] Duration retry_after(Instant now) const;

  /// Asks for an attempt. An open circuit whose window is over becomes half-open by this call; nothing else
  /// does it, so no timer runs while nobody calls.
  struct Answer {
    std::optional<Admission> admission;  ///< absent: refused
    std::optional<Refusal> refusal;
    std::optional<Transition> transition;
  };
  [[nodiscard]] Answer admit(Instant now);
  /// The same where whoever asks has kept to the admitted share: a ramp refuses nothing.
  [[nodiscard]] Answer admit_of_share(Instant now);

  /// The verdict on an attempt of this generation. `trip` is what the rules say of the account that already
  /// holds it.
  [[nodiscard]] std::optional<Transition> settled(Admission admission, Outcome outcome,
                                                  std::optional<Trip> const& trip, Instant now, Rng& rng);

  /// A slow mark was put on an attempt of this generation; the rules were asked.
  [[nodiscard]] std::optional<Transition> marked(std::optional<Trip> const& trip, Instant now, Rng& rng);

  /// Excluded or abandoned: no verdict. The slot of a probe is free again at once.
  void inconclusive(Admission admission);

  /// Whether the next attempt that is asked for would probe it.
  [[nodiscard]] bool wants_probe(Instant now) const;

  /// When the next check is due that may end its window early; none while its window does not wait for one.
  /// At a tenth of the outage's age, between 100ms and 2s.
  [[nodiscard]] std::optional<Instant> check_due() const;
  /// What such a check showed. A good one ends the window: the next attempt is the probe.
  void checked(bool good, Instant now, Rng& rng);

  /// The checks that the upstream's `check` asks for find it ill: while it is open it waits for them, not for
  /// its window, and half-open no further probe goes. Not longer than `at_most`, as they may cease; unless
  /// the window is longer still.
  void found_ill(Instant next_check, Instant at_most);
  /// They find it well: then the next attempt is the probe, if it has waited for them.
  void found_well(Instant now);
  [[nodiscard]] bool awaits_checks() const { return awaited_.has_value(); }

  /// An operator holds it, or gives it back: then an open one probes, and a closed one goes by its rules.
  std::optional<Transition> hold(std::optional<Hold> how, Instant now);
  [[nodiscard]] std::optional<Hold> held() const { return hold_; }

  /// What opened it is there no longer: the check that it waits for is due, else the next attempt is the
  /// probe; unless an operator holds it.
  void all_replaced(Instant now);

  /// Closed at once, by whoever keeps circuits from being open: too few would be left.
  Transition close(Trip const& why, Instant now);
  /// Open at once, if it is not: for another reason than an attempt.
  std::optional<Transition> trip(Trip const& why, Instant now, Rng& rng);

 private:
  enum class Wait : std::uint8_t { window, check };

  Answer admit(Instant now, bool keeps_to_share);
  Transition move_to(CircuitState to, Trip const& why, Instant now);
  Transition open(Trip const& why, Wait wait, Instant now, Rng& rng);
  void await_check(Instant now, Rng& rng);
  void end_window(Rule why, Instant now);
  [[nodiscard]] Wait wait_after(Outcome outcome) const;
  [[nodiscard]] bool is_shut(Instant now) const;
  [[nodiscard]] Duration shut_for(Instant now) const;
  Transition begin_ramp(Trip const& why, Instant now);

  BreakerSettings const* settings_;
  CircuitState state_ = CircuitState::closed;
  std::uint64_t generation_ = 0;
  Instant first_opened_{};
  Instant open_until_{};
  bool senses_ = false;
  std::optional<Instant> check_due_{};
  std::optional<Instant> awaited_{};  // the next of the checks that it waits for
  Rule ended_by_ = Rule::window_elapsed;
  std::optional<Hold> hold_{};
  unsigned probes_in_flight_ = 0;
  unsigned probe_successes_ = 0;
  Ramp ramp_{};
};

}  // namespace candor
