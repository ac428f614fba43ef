#include "candor/resilience/circuit_account.hpp"

#include <algorithm>

namespace candor {

std::optional<Trip> CircuitAccount::judged(Asked asked, Instant now) const {
  if (!settings_->enabled || asked == Asked::none) return std::nullopt;
  return judge(settings_->trip, window_.sums(now), run_, failed_run_, asked);
}

bool CircuitAccount::is_news(AttemptNote const& note) const {
  if (note.in_flight || note.outcome.is_failure()) return true;
  auto const& trip = settings_->trip;
  bool const has_rates = trip.failure_rate || trip.slow_rate || trip.strain_rate;
  bool const strained = note.number > 1;
  return has_rates && (strained || !all_is_well(note.settled));
}

bool CircuitAccount::all_is_well(Instant now) const {
  bool const long_ago = !troubled_ || now - *troubled_ > settings_->window;
  return long_ago && run_.length() == 0 && failed_run_.length() == 0;
}

void CircuitAccount::trouble(Instant now) { troubled_ = std::max(troubled_.value_or(now), now); }

void CircuitAccount::succeed(AttemptNote const& note) {
  bool const first_attempt = note.number == 1;
  window_.success(note.settled, note.slow, first_attempt);
  if (!first_attempt) trouble(note.settled);
  if (note.slow) return;
  run_.heal(first_attempt);
  failed_run_.heal(first_attempt);
}

void CircuitAccount::fail(AttemptNote const& note) {
  // A busy upstream speaks: that is no sign of death, nor of health.
  if (note.outcome.failure() != FailureKind::overload) {
    failed_run_.extend(note.request, 0, 0);
    if (!note.slow) extend_run(note);  // else its mark has
  }
  window_.failure(note.settled, note.slow);
  trouble(note.settled);
}

void CircuitAccount::extend_run(AttemptNote const& note) {
  if (run_.length() == 0) {
    auto const before = window_.sums(note.settled);
    run_.extend(note.request, before.evidence_attempts(), before.evidence_failures());
  } else {
    run_.extend(note.request, 0, 0);
  }
}

std::optional<Transition> CircuitAccount::settle(AttemptNote const& note, Admission admission, Asked asked,
                                                 Rng& rng) {
  note.outcome.is_failure() ? fail(note) : succeed(note);
  auto const trip = judged(asked, note.settled);
  auto const transition = circuit_.settled(admission, note.outcome, trip, note.settled, rng);
  // What was seen before an outage, and during it, says nothing about what has recovered.
  if (transition && transition->to == CircuitState::ramping) forget();
  return transition;
}

std::optional<Transition> CircuitAccount::mark_slow(AttemptNote const& note, Asked asked, Rng& rng) {
  extend_run(note);
  window_.mark(note.settled);
  trouble(note.settled);
  return circuit_.marked(judged(asked, note.settled), note.settled, rng);
}

void CircuitAccount::forget() {
  window_.clear();
  run_.clear();
  failed_run_.clear();
  troubled_.reset();
}

}  // namespace candor
