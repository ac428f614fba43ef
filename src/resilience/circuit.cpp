#include "candor/resilience/circuit.hpp"

#include <algorithm>

namespace candor {

std::string_view name(CircuitState state) {
  switch (state) {
    case CircuitState::closed: return "closed";
    case CircuitState::open: return "open";
    case CircuitState::half_open: return "half_open";
    case CircuitState::ramping: return "ramping";
  }
  return {};
}

bool lets_through(CircuitState state) {
  switch (state) {
    case CircuitState::closed:
    case CircuitState::ramping: return true;
    case CircuitState::open:
    case CircuitState::half_open: return false;
  }
  return false;
}

std::string_view name(Hold hold) {
  switch (hold) {
    case Hold::open: return "open";
    case Hold::closed: return "closed";
  }
  return {};
}

namespace {

constexpr Duration shortest_check_wait = 100ms;
constexpr Duration longest_check_wait = 2s;
/// A check that nobody makes must not keep a circuit open: then its window ends so much after the check was
/// due.
constexpr Duration check_overdue = 10s;
constexpr double check_jitter = 0.3;

Trip by_hand(Rule rule) { return {.rule = rule, .value = 0, .threshold = 0}; }

}  // namespace

Transition Circuit::move_to(CircuitState to, Trip const& why, Instant now) {
  Transition transition{.from = state_, .to = to, .why = why, .at = now, .generation = ++generation_};
  state_ = to;
  probes_in_flight_ = 0;
  probe_successes_ = 0;
  check_due_.reset();
  awaited_.reset();
  return transition;
}

Transition Circuit::open(Trip const& why, Wait wait, Instant now, Rng& rng) {
  if (state_ == CircuitState::closed) first_opened_ = now;
  auto const transition = move_to(CircuitState::open, why, now);
  ended_by_ = Rule::window_elapsed;
  if (wait == Wait::check) {
    await_check(now, rng);
    return transition;
  }
  auto const& open = settings_->open;
  auto const patience = from_seconds(seconds(now - first_opened_) * open.patience);
  auto const window = std::clamp(patience, open.first, std::max(open.first, open.cap));
  auto const spread = from_seconds(seconds(window) * open.jitter);
  open_until_ = now + rng.between(window - spread, window + spread);
  return transition;
}

/// What failures to connect have opened, a connect check may end.
Circuit::Wait Circuit::wait_after(Outcome outcome) const {
  bool const connect = outcome.is_failure() && outcome.failure() == FailureKind::connect;
  return senses_ && connect ? Wait::check : Wait::window;
}

/// The longest wait is a tenth of the outage's age, so that a service that is back waits no longer.
void Circuit::await_check(Instant now, Rng& rng) {
  auto const tenth = std::clamp((now - first_opened_) / 10, shortest_check_wait, longest_check_wait);
  auto const middle = from_seconds(seconds(tenth) / (1 + check_jitter));
  auto const spread = from_seconds(seconds(middle) * check_jitter);
  check_due_ = now + rng.between(middle - spread, middle + spread);
  open_until_ = *check_due_ + check_overdue;
}

std::optional<Instant> Circuit::check_due() const { return check_due_; }

void Circuit::checked(bool good, Instant now, Rng& rng) {
  if (!check_due_) return;
  if (!good) return await_check(now, rng);
  end_window(Rule::check_success, now);
}

void Circuit::found_ill(Instant next_check, Instant at_most) {
  if (lets_through(state_) || hold_) return;
  check_due_.reset();  // that it takes connections again would say less
  awaited_ = next_check;
  open_until_ = std::max(open_until_, at_most);
}

void Circuit::found_well(Instant now) {
  if (awaited_) end_window(Rule::check_success, now);
}

void Circuit::all_replaced(Instant now) {
  if (lets_through(state_) || hold_) return;
  if (!check_due_) return end_window(Rule::all_replaced, now);
  check_due_ = now;
  open_until_ = now + check_overdue;
}

void Circuit::end_window(Rule why, Instant now) {
  check_due_.reset();
  awaited_.reset();
  open_until_ = now;
  ended_by_ = why;
}

/// Whether no probe may go yet: until its window is over, or what it waits for has shown something.
bool Circuit::is_shut(Instant now) const {
  switch (state_) {
    case CircuitState::open: return now < open_until_;
    case CircuitState::half_open: return awaited_ && now < open_until_;
    case CircuitState::closed:
    case CircuitState::ramping: return false;
  }
  return false;
}

/// A check that is under way, or has been missed, may end it at any moment; but it hasn't yet.
Duration Circuit::shut_for(Instant now) const {
  auto const expected = check_due_.value_or(awaited_.value_or(open_until_));
  return std::max(expected - now, std::min(settings_->open.first, open_until_ - now));
}

bool Circuit::wants_probe(Instant now) const {
  if (hold_) return false;
  switch (state_) {
    case CircuitState::open: return !is_shut(now);
    case CircuitState::half_open: return !is_shut(now) && probes_in_flight_ < settings_->probe.in_flight;
    case CircuitState::closed:
    case CircuitState::ramping: return false;
  }
  return false;
}

std::optional<Transition> Circuit::hold(std::optional<Hold> how, Instant now) {
  if (how == hold_) return std::nullopt;
  hold_ = how;
  if (!how) {
    // The next attempt is the probe of one that was held open.
    if (state_ == CircuitState::open) open_until_ = now;
    return state_ == CircuitState::closed ? std::nullopt
                                          : std::optional{move_to(state_, by_hand(Rule::given_back), now)};
  }
  auto const to = *how == Hold::open ? CircuitState::open : CircuitState::closed;
  if (state_ == CircuitState::closed) first_opened_ = now;
  return move_to(to, by_hand(*how == Hold::open ? Rule::held_open : Rule::held_closed), now);
}

Transition Circuit::close(Trip const& why, Instant now) { return move_to(CircuitState::closed, why, now); }

std::optional<Transition> Circuit::trip(Trip const& why, Instant now, Rng& rng) {
  if (hold_ || state_ == CircuitState::open) return std::nullopt;
  return open(why, Wait::window, now, rng);
}

Transition Circuit::begin_ramp(Trip const& why, Instant now) {
  ramp_ = Ramp{settings_->ramp, now - first_opened_, now};
  return move_to(CircuitState::ramping, why, now);
}

double Circuit::admitted_share(Instant now) const {
  switch (state_) {
    case CircuitState::closed: return 1;
    case CircuitState::ramping: return ramp_.share(now);
    case CircuitState::open:
    case CircuitState::half_open: return 0;
  }
  return 0;
}

Duration Circuit::retry_after(Instant now) const {
  switch (state_) {
    case CircuitState::closed: return {};
    case CircuitState::open:
      if (hold_) return settings_->open.cap;
      return is_shut(now) ? shut_for(now) : Duration{};
    case CircuitState::half_open: return is_shut(now) ? shut_for(now) : settings_->open.first;
    case CircuitState::ramping: return settings_->open.first;
  }
  return {};
}

Circuit::Answer Circuit::admit(Instant now) { return admit(now, false); }

Circuit::Answer Circuit::admit_of_share(Instant now) { return admit(now, true); }

Circuit::Answer Circuit::admit(Instant now, bool keeps_to_share) {
  Answer answer;
  if (hold_) {
    if (*hold_ == Hold::open) {
      answer.refusal = Refusal::held;
    } else {
      answer.admission = Admission{generation_, false};
    }
    return answer;
  }
  if (is_shut(now)) {
    answer.refusal = Refusal::circuit_open;
    return answer;
  }
  if (state_ == CircuitState::open) {
    answer.transition =
        move_to(CircuitState::half_open, Trip{.rule = ended_by_, .value = 0, .threshold = 0}, now);
  }
  if (state_ == CircuitState::half_open) {
    if (probes_in_flight_ >= settings_->probe.in_flight) {
      answer.refusal = Refusal::probe_in_flight;
      return answer;
    }
    ++probes_in_flight_;
    answer.admission = Admission{generation_, true};
    return answer;
  }
  if (state_ == CircuitState::ramping) {
    if (ramp_.advance(now)) {
      answer.transition =
          move_to(CircuitState::closed, Trip{.rule = Rule::ramp_complete, .value = 1, .threshold = 1}, now);
    } else if (!keeps_to_share && !ramp_.admit(now)) {
      answer.refusal = Refusal::ramping;
      return answer;
    }
  }
  answer.admission = Admission{generation_, false};
  return answer;
}

std::optional<Transition> Circuit::settled(Admission admission, Outcome outcome,
                                           std::optional<Trip> const& trip, Instant now, Rng& rng) {
  if (admission.generation != generation_ || hold_) return std::nullopt;
  auto const wait = wait_after(outcome);
  switch (state_) {
    case CircuitState::closed:
      if (trip) return open(*trip, wait, now, rng);
      return std::nullopt;
    case CircuitState::open: return std::nullopt;
    case CircuitState::half_open: {
      --probes_in_flight_;
      auto const needed = static_cast<double>(settings_->probe.successes);
      if (!outcome.is_success()) {
        Trip const why{
            .rule = Rule::probe_failure, .value = static_cast<double>(probe_successes_), .threshold = needed};
        return open(why, wait, now, rng);
      }
      if (++probe_successes_ < settings_->probe.successes) return std::nullopt;
      Trip const why{
          .rule = Rule::probe_success, .value = static_cast<double>(probe_successes_), .threshold = needed};
      return begin_ramp(why, now);
    }
    case CircuitState::ramping:
      if (trip) return open(*trip, wait, now, rng);
      ramp_.settled(outcome.is_success());
      if (ramp_.advance(now)) {
        return move_to(CircuitState::closed, Trip{.rule = Rule::ramp_complete, .value = 1, .threshold = 1},
                       now);
      }
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<Transition> Circuit::marked(std::optional<Trip> const& trip, Instant now, Rng& rng) {
  if (hold_) return std::nullopt;
  switch (state_) {
    case CircuitState::closed:
    case CircuitState::ramping:
      if (trip) return open(*trip, Wait::window, now, rng);
      return std::nullopt;
    case CircuitState::open:
    case CircuitState::half_open: return std::nullopt;
  }
  return std::nullopt;
}

void Circuit::inconclusive(Admission admission) {
  if (admission.probe && admission.generation == generation_) --probes_in_flight_;
}

}  // namespace candor
