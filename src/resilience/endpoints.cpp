#include "endpoints.hpp"

#include <algorithm>
#include <cassert>

namespace candor {

namespace {

/// How long an ejected endpoint waits for a request that could go elsewhere if it fails, before it takes any.
constexpr Duration choosy = 1s;

/// Endpoints that a request has tried, of which picking takes note: the last ones.
constexpr std::size_t most_tried = 8;

bool has(std::span<EndpointId const> ids, EndpointId id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

}  // namespace

Endpoints::Endpoints(Health::Settings const& settings) : settings_(settings), balancer_(settings.balance) {
  endpoints_.reserve(settings.endpoints.size());
  ejected_.reserve(settings.endpoints.size());
  for (auto const& share : settings.endpoints) {
    EndpointId const id{static_cast<std::uint32_t>(endpoints_.size())};
    endpoints_.emplace_back(id, share, settings.breaker);
    ++groups_[share.priority % groups].size;
  }
  balancer_.members_changed(*this);
}

Endpoint& Endpoints::operator[](EndpointId id) {
  assert(id.value < endpoints_.size());
  return endpoints_[id.value];
}

bool Endpoints::has_any_behind(unsigned priority) const {
  return std::any_of(groups_.begin() + priority + 1, groups_.end(),
                     [](Group const& group) { return group.available() > 0; });
}

bool Endpoints::may_eject(Endpoint const& endpoint) const {
  auto const& group = groups_[endpoint.share.priority];
  if (group.available() == 0) return false;
  if (has_any_behind(endpoint.share.priority)) return true;
  if (group.size < 2 || group.available() < 2) return false;
  auto const share = static_cast<std::size_t>(static_cast<double>(group.size) * settings_.eject.cap);
  return group.ejected < std::max<std::size_t>(share, 1);
}

bool Endpoints::may_yet_help() const {
  if (!judge()) return false;
  bool has_untroubled = false;
  bool has_ejectable = false;
  for (auto const& endpoint : endpoints_) {
    if (endpoint.ejected()) continue;
    bool const troubled = endpoint.account.run().length() > 0;
    has_untroubled = has_untroubled || !troubled;
    has_ejectable = has_ejectable || (troubled && may_eject(endpoint));
    if (has_untroubled && has_ejectable) return true;
  }
  return false;
}

namespace {

/// Whether this holds of all but those that an operator holds open, and there is one.
template <class Condition>
bool of_all(std::vector<Endpoint> const& endpoints, Condition holds) {
  bool has_any = false;
  for (auto const& endpoint : endpoints) {
    if (endpoint.account.circuit().held() == Hold::open) continue;
    if (!holds(endpoint)) return false;
    has_any = true;
  }
  return has_any;
}

}  // namespace

bool Endpoints::all_found_ill() const {
  return of_all(endpoints_, [](Endpoint const& endpoint) { return endpoint.found_ill(); });
}

CheckReport const* Endpoints::next_report() const {
  CheckReport const* first = nullptr;
  bool const none_is_well = of_all(endpoints_, [&first](Endpoint const& endpoint) {
    if (!endpoint.not_found_well()) return false;
    if (first == nullptr || endpoint.last_check->next < first->next) first = &*endpoint.last_check;
    return true;
  });
  return none_is_well ? first : nullptr;
}

void Endpoints::note(Endpoint& endpoint, Transition const& transition) {
  auto const is_away = [](CircuitState state) {
    return state == CircuitState::open || state == CircuitState::half_open;
  };
  bool const was = is_away(transition.from);
  bool const is = is_away(transition.to);
  if (was == is) return;
  auto& group = groups_[endpoint.share.priority];
  if (is) {
    ++group.ejected;
    ++endpoint.ejections;
    ejected_.push_back(endpoint.id.value);
  } else {
    --group.ejected;
    std::erase(ejected_, endpoint.id.value);
  }
}

/// One whose time has come takes the next request: were it left to chance and load, it might wait for ever. A
/// request that can't be sent again goes there only when no other has come for long.
Endpoint* Endpoints::wants_probe(AttemptContext const& context, Instant now) {
  for (auto const place : ejected_) {
    auto& endpoint = endpoints_[place];
    auto const& circuit = endpoint.account.circuit();
    if (!circuit.wants_probe(now) || has(context.tried, endpoint.id)) continue;
    if (context.expendable || now >= circuit.open_until() + choosy) return &endpoint;
  }
  return nullptr;
}

EndpointReading Endpoints::reading(std::size_t place) const {
  auto const& endpoint = endpoints_[place];
  bool const timed = settings_.balance.policy == BalanceSettings::Policy::peak_ewma;
  return {.available = !endpoint.ejected(),
          .weight = static_cast<double>(endpoint.share.weight),
          .share = endpoint.account.circuit().admitted_share(now_),
          .priority = endpoint.share.priority,
          .in_flight = static_cast<std::uint32_t>(endpoint.ledger.in_flight),
          .latency = timed ? endpoint.latency.estimate(now_) : 0,
          .key = endpoint.share.key};
}

void Endpoints::note_latency(Endpoint& endpoint, Outcome outcome, Duration latency, Instant now) {
  if (settings_.balance.policy != BalanceSettings::Policy::peak_ewma) return;
  outcome.is_success() ? endpoint.latency.succeeded(latency, now) : endpoint.latency.failed(latency, now);
}

Endpoint* Endpoints::pick(AttemptContext const& context, Instant now, Rng& rng) {
  if (endpoints_.size() == 1) {
    auto& only = endpoints_.front();
    return only.account.circuit().held() == Hold::open ? nullptr : &only;
  }
  if (auto* probed = wants_probe(context, now)) return probed;
  now_ = now;
  std::array<std::size_t, most_tried> places{};
  auto const tried = context.tried.last(std::min(context.tried.size(), places.size()));
  std::transform(tried.begin(), tried.end(), places.begin(), [](EndpointId id) { return id.value; });
  std::span<std::size_t const> const avoided{places.data(), tried.size()};
  auto picked = balancer_.pick(*this, {.hash = context.hash, .tried = avoided}, now, rng);
  // All have been tried: any but the last, if there is another.
  if (picked && !avoided.empty() && *picked == avoided.back()) {
    picked = balancer_.pick(*this, {.hash = context.hash, .tried = avoided.last(1)}, now, rng);
  }
  return picked ? &endpoints_[*picked] : any_at_all(context);
}

/// Where nobody is left: the best group first, and within it in turn. What an operator holds open stays so.
Endpoint* Endpoints::any_at_all(AttemptContext const& context) {
  if (settings_.eject.when_all_ejected == EjectSettings::WhenAllEjected::refuse) return nullptr;
  Endpoint* found = nullptr;
  auto const is_better = [&context](Endpoint const& endpoint, Endpoint const& than) {
    bool const was_tried = has(context.tried, endpoint.id);
    if (was_tried != has(context.tried, than.id)) return !was_tried;
    return endpoint.share.priority < than.share.priority;
  };
  auto const first = turn_++;
  for (std::size_t i = 0; i < endpoints_.size(); ++i) {
    auto& endpoint = endpoints_[(first + i) % endpoints_.size()];
    if (endpoint.account.circuit().held() == Hold::open) continue;
    if (found == nullptr || is_better(endpoint, *found)) found = &endpoint;
  }
  return found;
}

}  // namespace candor
