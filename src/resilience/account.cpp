#include "account.hpp"

#include <algorithm>
#include <limits>

namespace candor {

namespace {

/// Checks that ceased must not keep a circuit open for ever: so long after the next one should have shown
/// something.
constexpr Duration checks_overdue = 10s;

/// Nothing where they have ceased: then its window is as long as without checks.
void await(Circuit& circuit, CheckReport const& report, Instant now) {
  auto const at_most = report.next + report.timeout + checks_overdue;
  if (now < at_most) circuit.found_ill(report.next, at_most);
}

}  // namespace

Account::Account(Health::Settings const& settings, std::uint64_t seed)
    : settings_(settings),
      rng_(seed),
      upstream_(settings.breaker),
      endpoints_(settings),
      stretch_(settings.budget),
      limit_(settings.limit) {
  if (settings.throttle) throttle_.emplace(*settings.throttle);
  // Of the same seed, without a draw from the acting one's chance.
  if (settings.shadow) shadow_.emplace(*settings.shadow, seed);
}

// --- endpoints come and go ---

/// With others from the first to the last: what was seen of those that were there says nothing of these.
void Account::begin_anew(Instant now) {
  upstream_.forget();
  upstream_.circuit().all_replaced(now);
  if (shadow_) shadow_->all_replaced(now);
}

std::vector<Transition> Account::set_endpoints(Succession& with, Instant now) {
  auto const before = endpoints_.ids();
  endpoints_.replace(with, now);
  bool const any_stays = std::any_of(before.begin(), before.end(),
                                     [this](EndpointId id) { return endpoints_.find(id) != nullptr; });
  if (!before.empty() && endpoints_.size() > 0 && !any_stays) begin_anew(now);
  if (senses_) {
    for (std::size_t i = 0; i < endpoints_.size(); ++i) endpoints_.at(i).account.circuit().sense();
  }
  std::vector<Transition> transitions;
  while (auto* endpoint = endpoints_.ejected_beyond_cap()) {
    Trip const why{.rule = Rule::too_few_left, .value = 0, .threshold = 0};
    std::optional transition{endpoint->account.circuit().close(why, now)};
    endpoint->account.forget();
    note_endpoint(*endpoint, transition);
    transitions.push_back(*transition);
  }
  return transitions;
}

// --- attempts ---

Endpoint* Account::endpoint_for(AttemptContext const& context, Admission admission, Instant now) {
  if (context.endpoint) return endpoints_.find(*context.endpoint);
  // Where a check has just found it well, the probe will, too.
  if (admission.probe && found_well_) {
    auto* const found = endpoints_.find(*std::exchange(found_well_, std::nullopt));
    if (found != nullptr && !found->held_open()) return found;
  }
  return endpoints_.pick(context, now, rng_);
}

/// Asked before the circuit admits, so that no probe's slot is taken for nothing; and only where attempts go
/// through. Where the circuit refuses, that is the reason. And its probe goes beyond the limit: it is one,
/// and were it to wait for attempts that hang, nobody could find out whether the upstream is back.
std::optional<Refusal> Account::load_refusal(AttemptContext const& context, Instant now) {
  if (!lets_through(upstream_.circuit().state())) return std::nullopt;
  limit_.pass(now);
  if (!limit_.has_room(ledger_.in_flight)) {
    limit_refusals_ += context.may_wait ? 0 : 1;
    return Refusal::limit;
  }
  if (throttle_ && throttle_->refuses(now, rng_)) {
    ++throttle_refusals_;
    return Refusal::throttled;
  }
  return std::nullopt;
}

std::uint64_t Account::room() const {
  if (!lets_through(upstream_.circuit().state())) return std::numeric_limits<std::uint64_t>::max();
  return limit_.has_room(ledger_.in_flight) ? limit_.value() - ledger_.in_flight : 0;
}

Account::Answer Account::admit(AttemptContext const& context, Instant now) {
  Answer answer;
  answer.refusal = load_refusal(context, now);
  if (answer.refusal) return answer;
  auto const upstream = upstream_.circuit().admit(now);
  note_upstream(upstream.transition);
  answer.transitions.upstream = upstream.transition;
  if (!upstream.admission) {
    ++refusals_;
    answer.refusal = upstream.refusal;
    return answer;
  }
  auto& admissions = answer.admissions;
  admissions.upstream = *upstream.admission;
  auto* const endpoint = endpoint_for(context, admissions.upstream, now);
  if (endpoint == nullptr) {
    upstream_.circuit().inconclusive(admissions.upstream);
    ++refusals_;
    answer.refusal = Refusal::no_endpoint;
    return answer;
  }
  answer.endpoint = endpoint->id;
  if (endpoints_.judge()) {
    auto own = endpoint->account.circuit().admit_of_share(now);
    note_endpoint(*endpoint, own.transition);
    answer.transitions.endpoint = own.transition;
    admissions.endpoint = own.admission;
  }
  if (shadow_) {
    admissions.shadow = shadow_->admit(now, answer.transitions.shadow);
    note_shadow(answer.transitions.shadow);
  }
  ledger_.start();
  endpoint->ledger.start();
  limit_.admitted(ledger_.in_flight, now);
  return answer;
}

Asked Account::asked_of(Endpoint const& endpoint, AttemptNote const& note) const {
  return endpoint.account.is_news(note) && endpoints_.may_eject(endpoint) ? Asked::all : Asked::none;
}

/// Evidence waits while ejecting endpoints may help, and does not count what ejected ones show.
Asked Account::asked_of_all(CircuitAccount const& account, Endpoint const& endpoint,
                            AttemptNote const& note) const {
  if (!account.is_news(note)) return Asked::none;
  return endpoint.ejected() || endpoints_.may_yet_help() ? Asked::classic : Asked::all;
}

std::optional<Transition> Account::settle_endpoint(Endpoint& endpoint, AttemptNote const& note,
                                                   std::optional<Admission> admission) {
  if (!admission) return std::nullopt;
  auto& account = endpoint.account;
  if (!note.outcome.is_success() && !note.outcome.is_failure()) {
    account.circuit().inconclusive(*admission);
    return std::nullopt;
  }
  if (account.is_stale(*admission)) return std::nullopt;
  auto transition = account.settle(note, *admission, asked_of(endpoint, note), rng_);
  note_endpoint(endpoint, transition);
  return transition;
}

/// To the head: what a body takes is its own affair.
void Account::note_latency(Endpoint& endpoint, AttemptNote const& note) {
  auto const latency = note.answered.value_or(note.settled) - note.started;
  endpoints_.note_latency(endpoint, note.outcome, latency, note.settled);
  if (!note.outcome.is_success() && !note.outcome.is_failure()) return;
  stretch_.settled(note.number > 1, note.outcome, latency, note.settled);
  limit_.settled(note.outcome, note.started, latency, ledger_.in_flight, note.settled);
}

Transitions Account::settle(AttemptNote const& note, Admissions const& admissions) {
  auto& endpoint = endpoints_[note.endpoint];
  ledger_.settle(note.outcome);
  endpoint.ledger.settle(note.outcome);
  if (note.outcome.is_failure()) {
    endpoint.last_failure = note.outcome.failure();
    endpoint.last_status = note.status;
  }
  if (note.probe) ++probes_[static_cast<std::size_t>(note.outcome.kind())];
  remember(note);
  note_latency(endpoint, note);
  if (throttle_) throttle_->settled(note.outcome, note.settled);
  Transitions transitions;
  if (endpoint.has_left) {
    settle_departed(endpoint, note, admissions);
    return transitions;
  }
  transitions.endpoint = settle_endpoint(endpoint, note, admissions.endpoint);
  if (!note.outcome.is_success() && !note.outcome.is_failure()) {
    upstream_.circuit().inconclusive(admissions.upstream);
  } else if (upstream_.is_stale(admissions.upstream)) {
    ++ledger_.stale;
    ++endpoint.ledger.stale;
  } else {
    auto const asked = asked_of_all(upstream_, endpoint, note);
    transitions.upstream = upstream_.settle(note, admissions.upstream, asked, rng_);
    note_upstream(transitions.upstream);
  }
  if (shadow_) {
    auto const asked = asked_of_all(shadow_->reading(), endpoint, note);
    transitions.shadow = shadow_->settle(note, admissions.shadow, asked);
    note_shadow(transitions.shadow);
  }
  forget_what_led_to(transitions.endpoint);
  return transitions;
}

/// What those have shown that are out now says little of those that are left.
void Account::forget_what_led_to(std::optional<Transition> const& of_an_endpoint) {
  bool const is_ejection =
      of_an_endpoint && lets_through(of_an_endpoint->from) && of_an_endpoint->to == CircuitState::open;
  if (!is_ejection) return;
  if (settings_.breaker.trip.evidence) upstream_.forget();
  if (shadow_ && shadow_->settings().trip.evidence) shadow_->forget();
}

/// What one has shown that has left says nothing of those that are there.
void Account::settle_departed(Endpoint& endpoint, AttemptNote const& note, Admissions const& admissions) {
  upstream_.circuit().inconclusive(admissions.upstream);
  if (shadow_) {
    // What it would have refused it counts by what that showed, wherever it was.
    auto without = note;
    if (admissions.shadow) without.outcome = Outcome::abandoned();
    note_shadow(shadow_->settle(without, admissions.shadow, Asked::none));
  }
  if (note.outcome.is_success() || note.outcome.is_failure()) {
    ++ledger_.stale;
    ++endpoint.ledger.stale;
  }
  endpoints_.settled(endpoint);
}

Transitions Account::mark_slow(AttemptNote& note, Admissions const& admissions, Instant now) {
  auto& endpoint = endpoints_[note.endpoint];
  ++ledger_.slow;
  ++endpoint.ledger.slow;
  note.slow = true;
  if (endpoint.has_left) return {};
  AttemptNote marked = note;
  marked.settled = now;
  marked.in_flight = true;
  bool const endpoint_votes = admissions.endpoint && !endpoint.account.is_stale(*admissions.endpoint);
  bool const upstream_votes = !upstream_.is_stale(admissions.upstream);
  if (endpoint_votes || upstream_votes) remember(marked);
  Transitions transitions;
  if (endpoint_votes) {
    transitions.endpoint = endpoint.account.mark_slow(marked, asked_of(endpoint, marked), rng_);
    note_endpoint(endpoint, transitions.endpoint);
  }
  if (upstream_votes) {
    transitions.upstream = upstream_.mark_slow(marked, asked_of_all(upstream_, endpoint, marked), rng_);
    note_upstream(transitions.upstream);
  }
  if (shadow_) {
    auto const asked = asked_of_all(shadow_->reading(), endpoint, marked);
    transitions.shadow = shadow_->mark_slow(marked, admissions.shadow, asked);
    note_shadow(transitions.shadow);
  }
  forget_what_led_to(transitions.endpoint);
  return transitions;
}

// --- checks ---

void Account::sense() {
  senses_ = true;
  upstream_.circuit().sense();
  for (std::size_t i = 0; i < endpoints_.size(); ++i) endpoints_.at(i).account.circuit().sense();
}

namespace {

/// For the upstream's check.
bool is_free(Endpoint const& endpoint) { return !endpoint.check_in_flight && !endpoint.held_open(); }

}  // namespace

std::optional<Instant> Account::next_check() const {
  std::optional<Instant> first;
  auto const consider = [&first](std::optional<Instant> due, bool in_flight) {
    if (due && !in_flight && (!first || *due < *first)) first = due;
  };
  bool has_free = false;
  for (std::size_t i = 0; i < endpoints_.size(); ++i) {
    auto const& endpoint = endpoints_.at(i);
    consider(endpoint.account.circuit().check_due(), endpoint.check_in_flight);
    has_free = has_free || is_free(endpoint);
  }
  // As take_check() has it: what is due and can't be taken would leave whoever waits for it no rest.
  if (has_free) consider(upstream_.circuit().check_due(), upstream_check_.has_value());
  return first;
}

std::optional<EndpointId> Account::take_check(Instant now) {
  auto const is_due = [now](std::optional<Instant> due) { return due && *due <= now; };
  for (std::size_t i = 0; i < endpoints_.size(); ++i) {
    auto& endpoint = endpoints_.at(i);
    if (endpoint.check_in_flight || !is_due(endpoint.account.circuit().check_due())) continue;
    endpoint.check_in_flight = true;
    return endpoint.id;
  }
  if (upstream_check_ || !is_due(upstream_.circuit().check_due())) return std::nullopt;
  // Another one each time: any that takes a connection will do.
  for (std::size_t i = 0; i < endpoints_.size(); ++i) {
    auto& endpoint = endpoints_.at(check_turn_++ % endpoints_.size());
    if (!is_free(endpoint)) continue;
    endpoint.check_in_flight = true;
    upstream_check_ = endpoint.id;
    return endpoint.id;
  }
  return std::nullopt;
}

void Account::settle_check(EndpointId id, std::optional<bool> good, Instant now) {
  auto* const endpoint = endpoints_.find(id);
  count_check(id, good);
  bool const upstream_asked = upstream_check_ == id;
  if (upstream_asked) upstream_check_.reset();
  if (endpoint == nullptr) return;  // it has left, and says nothing of the others
  endpoint->check_in_flight = false;
  endpoint->account.circuit().checked(good.value_or(false), now, rng_);
  if (endpoint->held_open()) return;
  // That one endpoint is still away says nothing new of the others.
  if (!upstream_asked && !good.value_or(false)) return;
  if (good.value_or(false) && upstream_.circuit().check_due()) found_well_ = id;
  upstream_.circuit().checked(good.value_or(false), now, rng_);
}

void Account::count_check(EndpointId id, std::optional<bool> good) {
  auto* const endpoint = endpoints_.find(id);
  auto& checks = endpoint != nullptr ? endpoint->checks : endpoints_.departed_checks();
  ++(good ? (*good ? checks.good : checks.bad) : checks.abandoned);
}

std::optional<Transition> Account::eject_ill(Endpoint& endpoint, Trip const& why, Instant now) {
  // What probes is out already, and goes back: no request is to find out what is known.
  bool const may_open = endpoint.ejected() || endpoints_.may_eject(endpoint);
  if (!endpoints_.judge() || !may_open) return std::nullopt;
  auto transition = endpoint.account.circuit().trip(why, now, rng_);
  forget_what_led_to(transition);
  note_endpoint(endpoint, transition);
  return transition;
}

Transitions Account::checked(EndpointId id, CheckReport const& report, Instant now) {
  auto* const endpoint = endpoints_.find(id);
  if (endpoint == nullptr) return {};  // it has left
  endpoint->last_check = report;
  auto& own = endpoint->account.circuit();
  auto& upstream = upstream_.circuit();
  Transitions transitions;
  if (report.standing == Standing::well) {
    own.found_well(now);
    if (endpoint->held_open()) return transitions;
    if (upstream.awaits_checks()) found_well_ = id;
    upstream.found_well(now);
    return transitions;
  }
  if (settings_.breaker.enabled && report.standing == Standing::ill) {
    Trip const why{.rule = Rule::check_failure,
                   .value = static_cast<double>(report.in_a_row),
                   .threshold = static_cast<double>(report.needed)};
    transitions.endpoint = eject_ill(*endpoint, why, now);
    if (!endpoint->held_open() && endpoints_.all_found_ill())
      transitions.upstream = upstream.trip(why, now, rng_);
    note_upstream(transitions.upstream);
  }
  await(own, report, now);
  if (endpoint->held_open()) return transitions;
  if (auto const* next = endpoints_.next_report()) await(upstream, *next, now);
  return transitions;
}

// --- by hand ---

Transitions Account::hold(std::optional<Hold> how, Instant now) {
  Transitions transitions{.upstream = upstream_.circuit().hold(how, now)};
  note_upstream(transitions.upstream);
  return transitions;
}

Transitions Account::hold(EndpointId id, std::optional<Hold> how, Instant now) {
  auto* const endpoint = endpoints_.find(id);
  if (endpoint == nullptr) return {};
  auto& own = endpoint->account.circuit();
  Transitions transitions{.endpoint = own.hold(how, now)};
  // Where endpoints don't judge, no attempt asks its circuit: nobody would probe it.
  if (!how && transitions.endpoint && endpoint->ejected() && !endpoints_.judge()) {
    transitions.endpoint = own.close(transitions.endpoint->why, now);
    endpoint->account.forget();
  }
  note_endpoint(*endpoint, transitions.endpoint);
  return transitions;
}

// --- what a transition leads to ---

void Account::note_upstream(std::optional<Transition> const& transition) {
  if (!transition) return;
  if (transition->to == CircuitState::open) {
    found_well_.reset();
    if (auto const* report = endpoints_.next_report()) await(upstream_.circuit(), *report, transition->at);
  }
  if (transition->to == CircuitState::ramping) {
    // Those that could not be ejected failed with it, and are back with it.
    for (std::size_t i = 0; i < endpoints_.size(); ++i) {
      auto& endpoint = endpoints_.at(i);
      if (!endpoint.ejected()) endpoint.account.forget();
    }
  }
  record(*transition, transitions_);
}

void Account::note_shadow(std::optional<Transition> const& transition) {
  if (transition) record(*transition, shadow_transitions_);
}

std::optional<CircuitState> Account::shadow_state() const {
  return shadow_ ? std::optional{shadow_->reading().circuit().state()} : std::nullopt;
}

void Account::note_endpoint(Endpoint& endpoint, std::optional<Transition>& transition) {
  if (!transition) return;
  transition->endpoint = endpoint.id;
  endpoints_.note(endpoint, *transition);
  if (transition->to == CircuitState::open && endpoint.not_found_well()) {
    await(endpoint.account.circuit(), *endpoint.last_check, transition->at);
  }
  record(*transition, ejections_);
}

}  // namespace candor
