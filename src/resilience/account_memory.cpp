// What the account remembers of attempts and transitions, and what of it others may see.
#include <algorithm>
#include <iterator>

#include "account.hpp"

namespace candor {

namespace {

std::shared_ptr<TransitionRecord const> find(Account::Records const& among,
                                             std::optional<EndpointId> endpoint, std::uint64_t generation) {
  auto const found = std::find_if(among.rbegin(), among.rend(), [&](auto const& each) {
    return each->transition.endpoint == endpoint && each->transition.generation == generation;
  });
  return found == among.rend() ? nullptr : *found;
}

}  // namespace

// The probes of a long outage must not push out what began it.
void Account::record(Transition const& transition, Records& among) {
  auto record = std::make_shared<TransitionRecord>(TransitionRecord{.transition = transition});
  if (auto const before = find(among, transition.endpoint, transition.generation - 1)) {
    record->since = before->transition.at;
  }
  if (rests_on_attempts(transition.why.rule)) record->attempts = recent_attempts();
  among.push_back(std::move(record));
  if (among.size() <= Health::kept_transitions) return;
  auto const newest = std::prev(among.end());
  auto const of_a_probe = std::find_if(among.begin(), newest, [](auto const& each) {
    auto const rule = each->transition.why.rule;
    return rule == Rule::window_elapsed || rule == Rule::probe_failure || rule == Rule::check_success;
  });
  among.erase(of_a_probe == newest ? among.begin() : of_a_probe);
}

std::shared_ptr<TransitionRecord const> Account::record_of(Transition const& transition) const {
  return find(transition.endpoint ? ejections_ : transitions_, transition.endpoint, transition.generation);
}

std::vector<AttemptNote> Account::recent_attempts() const {
  std::vector<AttemptNote> notes;
  auto const count = std::min<std::uint64_t>(recent_count_, Health::kept_attempts);
  notes.reserve(count);
  for (auto i = recent_count_ - count; i < recent_count_; ++i) {
    notes.push_back(recent_[i % Health::kept_attempts]);
  }
  return notes;
}

void Account::read(HealthSnapshot& snapshot, Instant now) const {
  auto const& circuit = upstream_.circuit();
  snapshot.state = circuit.state();
  snapshot.generation = circuit.generation();
  snapshot.held = circuit.held();
  snapshot.awaits_checks = circuit.awaits_checks();
  snapshot.retry_after = circuit.retry_after(now);
  snapshot.admitted_share = circuit.admitted_share(now);
  snapshot.probes_in_flight = circuit.probes_in_flight();
  snapshot.run = upstream_.run().length();
  snapshot.window = upstream_.sums(now);
  snapshot.ledger = ledger_;
  for (std::size_t i = 0; i < endpoints_.size(); ++i) {
    auto const& endpoint = endpoints_.at(i);
    auto const& own = endpoint.account.circuit();
    snapshot.endpoints.push_back(
        {.id = endpoint.id,
         .share = endpoint.share,
         .state = own.state(),
         .retry_after = own.retry_after(now),
         .admitted_share = own.admitted_share(now),
         .held = own.held(),
         .awaits_checks = own.awaits_checks(),
         .standing = endpoint.last_check ? std::optional{endpoint.last_check->standing} : std::nullopt,
         .window = endpoint.account.sums(now),
         .ledger = endpoint.ledger,
         .checks = endpoint.checks,
         .ejections = endpoint.ejections});
  }
  snapshot.departed = endpoints_.departed();
  snapshot.probes = probes_;
  snapshot.refusals = refusals_;
  snapshot.limit = {.attempts = limit_.value(), .usual_latency = limit_.usual(), .refusals = limit_refusals_};
  if (throttle_) {
    snapshot.throttle = {.refused_share = throttle_->refused_share(now), .refusals = throttle_refusals_};
  }
  if (shadow_) shadow_->read(snapshot.shadow, now);
}

}  // namespace candor
