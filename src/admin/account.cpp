#include "candor/admin/account.hpp"

#include <algorithm>

namespace candor::admin {

namespace {

bool decided_by_rule(Transition const& transition) {
  auto const rule = transition.why.rule;
  return transition.to == CircuitState::open && rule != Rule::probe_failure && rule != Rule::given_back;
}

TransitionRecord const* of_generation(std::vector<TransitionRecord> const& records,
                                      std::uint64_t generation) {
  auto const found = std::find_if(
      records.begin(), records.end(),
      [generation](TransitionRecord const& record) { return record.transition.generation == generation; });
  return found == records.end() ? nullptr : &*found;
}

void name_endpoints(Account& account, EndpointRegister const& endpoints) {
  auto const name = [&](EndpointId id) {
    if (!account.endpoints.contains(id)) account.endpoints.emplace(id, endpoints.find(id));
  };
  auto const name_all = [&name](std::vector<AttemptNote> const& notes) {
    for (auto const& note : notes) name(note.endpoint);
  };
  for (auto const& endpoint : account.health.endpoints) name(endpoint.id);
  for (auto const& record : account.transitions) name_all(record.attempts);
  for (auto const& record : account.ejections) {
    if (record.transition.endpoint) name(*record.transition.endpoint);
    name_all(record.attempts);
  }
  name_all(account.recent);
}

/// How many generations the probe that did not fail has begun by now.
std::uint64_t generations_of_a_good_probe(CircuitState state) {
  switch (state) {
    case CircuitState::open: return 0;
    case CircuitState::half_open: return 1;
    case CircuitState::ramping: return 2;
    case CircuitState::closed: return 3;
  }
  return 0;
}

Shadow read_shadow(ShadowSettings const& settings, Route const& of) {
  Shadow shadow{.breaker = settings.breaker, .transitions = of.health.shadow_transitions()};
  auto const* retries = of.retry_shadow.get();
  shadow.retries = retries != nullptr;
  if (!retries) return shadow;
  shadow.added = retries->added();
  for (std::size_t i = 0; i < retry_denials; ++i) {
    shadow.spared[i] = retries->spared(static_cast<RetryDenied>(i));
  }
  return shadow;
}

}  // namespace

TransitionRecord const* Account::latest() const { return of_generation(transitions, health.generation); }

TransitionRecord const* Account::opening() const {
  auto const found =
      std::find_if(transitions.rbegin(), transitions.rend(),
                   [](TransitionRecord const& record) { return decided_by_rule(record.transition); });
  return found == transitions.rend() ? nullptr : &*found;
}

TransitionRecord const* Account::outage() const {
  auto const found = std::find_if(
      transitions.rbegin(), transitions.rend(),
      [](TransitionRecord const& record) { return record.transition.from == CircuitState::closed; });
  return found == transitions.rend() ? nullptr : &*found;
}

std::uint64_t Account::failed_probes() const {
  auto const* opened = opening();
  if (!opened) {
    return static_cast<std::uint64_t>(std::count_if(
        transitions.begin(), transitions.end(),
        [](TransitionRecord const& record) { return record.transition.why.rule == Rule::probe_failure; }));
  }
  // Each probe that fails begins two generations, half-open and open again; a good one leads on to others.
  // Counted so, it holds for those too that are no longer kept.
  auto const since = health.generation - opened->transition.generation;
  return (since - std::min(since, generations_of_a_good_probe(health.state))) / 2;
}

Account of_endpoint(Account const& account, EndpointId endpoint) {
  Account own{.upstream = account.upstream,
              .route = account.route,
              .endpoints = account.endpoints,
              .breaker = account.breaker,
              .recent = account.recent,
              .now = account.now,
              .wall = account.wall};
  auto const is_of_another = [endpoint](AttemptNote const& note) { return note.endpoint != endpoint; };
  std::erase_if(own.recent, is_of_another);
  for (auto const& record : account.ejections) {
    if (record.transition.endpoint != endpoint) continue;
    own.transitions.push_back(record);
    std::erase_if(own.transitions.back().attempts, is_of_another);
    own.health.generation = record.transition.generation;
    own.health.state = record.transition.to;
  }
  return own;
}

Account read_account(Route const& of, Instant now, WallClock wall) {
  Account account{.upstream = of.upstream.name(),
                  .route = of.name,
                  .breaker = of.settings.breaker,
                  .check = of.upstream.settings.check,
                  .health = of.health.snapshot(now),
                  .transitions = of.health.transitions(),
                  .recent = of.health.recent_attempts(),
                  .ejections = of.health.ejections(),
                  .discovery = of.upstream.discovery.read(),
                  .budget_tokens = of.budget.available(now),
                  .now = now,
                  .wall = wall};
  if (of.queue != nullptr) account.queue = of.queue->snapshot();
  name_endpoints(account, of.upstream.endpoints);
  if (of.settings.shadow) {
    account.shadow = read_shadow(*of.settings.shadow, of);
    account.shadow->circuit = account.health.shadow;
  }
  // What happened between the two readings is left to the next one.
  std::erase_if(account.transitions,
                [generation = account.health.generation](TransitionRecord const& record) {
                  return record.transition.generation > generation;
                });
  return account;
}

std::vector<Account> read_accounts(Upstream const& upstream, Instant now, WallClock wall) {
  std::vector<Account> accounts;
  upstream.each_account([&](Route const& of) { accounts.push_back(read_account(of, now, wall)); });
  return accounts;
}

}  // namespace candor::admin
