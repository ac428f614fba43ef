#include "shadow_circuit.hpp"

namespace candor {

std::optional<Transition> ShadowCircuit::note(std::optional<Transition> transition) {
  bool const opens = transition && transition->to == CircuitState::open;
  if (opens && transition->from != CircuitState::half_open) ++openings_;
  return transition;
}

std::optional<Admission> ShadowCircuit::admit(Instant now, std::optional<Transition>& transition) {
  auto const answer = reading_.circuit().admit(now);
  transition = note(answer.transition);
  return answer.admission;
}

std::optional<Transition> ShadowCircuit::settle(AttemptNote const& attempt,
                                                std::optional<Admission> const& admission, Asked asked) {
  if (!admission) {
    ++refused_[static_cast<std::size_t>(attempt.outcome.kind())];
    return std::nullopt;
  }
  if (!attempt.outcome.is_success() && !attempt.outcome.is_failure()) {
    reading_.circuit().inconclusive(*admission);
    return std::nullopt;
  }
  if (reading_.is_stale(*admission)) return std::nullopt;
  return note(reading_.settle(attempt, *admission, asked, rng_));
}

std::optional<Transition> ShadowCircuit::mark_slow(AttemptNote const& attempt,
                                                   std::optional<Admission> const& admission, Asked asked) {
  if (!admission || reading_.is_stale(*admission)) return std::nullopt;
  return note(reading_.mark_slow(attempt, asked, rng_));
}

void ShadowCircuit::read(std::optional<ShadowSnapshot>& snapshot, Instant now) const {
  auto const& circuit = reading_.circuit();
  snapshot = ShadowSnapshot{.state = circuit.state(),
                            .generation = circuit.generation(),
                            .retry_after = circuit.retry_after(now),
                            .admitted_share = circuit.admitted_share(now),
                            .run = reading_.run().length(),
                            .window = reading_.sums(now),
                            .openings = openings_,
                            .refused = refused_};
}

}  // namespace candor
