#include "endpoints.hpp"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <utility>

#include "candor/resilience/retry.hpp"

namespace candor {

namespace {

/// How long an ejected endpoint waits for a request that could go elsewhere if it fails, before it takes any.
constexpr Duration longest_choosy = 1s;

/// Endpoints that a request has tried, of which picking takes note: the last ones.
constexpr std::size_t most_tried = 8;

bool has(std::span<EndpointId const> ids, EndpointId id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

/// Members as the balancer wants to read them before any of them is there. What it is not told (who is
/// ejected, whose share ramps) it finds out before it picks one.
class Shares final : public EndpointReadings {
 public:
  explicit Shares(std::vector<EndpointMember> const& members) : members_(members) {}
  [[nodiscard]] std::size_t size() const override { return members_.size(); }
  [[nodiscard]] EndpointReading reading(std::size_t place) const override {
    auto const& share = members_[place].share;
    return {.weight = static_cast<double>(share.weight), .priority = share.priority, .key = share.key};
  }

 private:
  std::vector<EndpointMember> const& members_;
};

std::vector<EndpointMember> numbered(std::vector<EndpointShare> const& shares) {
  std::vector<EndpointMember> members;
  for (auto const& share : shares) members.push_back({{static_cast<std::uint32_t>(members.size())}, share});
  return members;
}

void add(DepartedSnapshot& sum, Endpoint const& endpoint) {
  sum.ledger += endpoint.ledger;
  sum.checks.add(endpoint.checks);
  sum.ejections += endpoint.ejections;
}

}  // namespace

Succession::Succession(std::vector<EndpointMember> what, std::span<EndpointId const> known,
                       Health::Settings const& settings)
    : members(std::move(what)), fresh(members.size()), places(members.size()), balancer(settings.balance) {
  std::size_t most = 0;
  for (std::size_t place = 0; place < members.size(); ++place) {
    auto const& member = members[place];
    if (!has(known, member.id)) fresh[place] = std::make_unique<Endpoint>(member, settings.breaker);
    most = std::max<std::size_t>(most, member.id.value + 1);
  }
  slots.resize(most);
  ejected.reserve(members.size());
  balancer.members_changed(Shares{members});
}

Endpoints::Endpoints(Health::Settings const& settings) : settings_(settings), balancer_(settings.balance) {
  Succession first{numbered(settings.endpoints), {}, settings};
  replace(first, Instant{});
}

Endpoints::Endpoints(Endpoints const& other)
    : settings_(other.settings_),
      groups_(other.groups_),
      balancer_(other.balancer_),
      departed_(other.departed_),
      turn_(other.turn_),
      now_(other.now_) {
  auto const copy = [](auto const& endpoint) {
    return endpoint ? std::make_unique<Endpoint>(*endpoint) : nullptr;
  };
  std::transform(other.slots_.begin(), other.slots_.end(), std::back_inserter(slots_), copy);
  std::transform(other.leaving_.begin(), other.leaving_.end(), std::back_inserter(leaving_), copy);
  for (auto const* endpoint : other.places_) places_.push_back(slots_[endpoint->id.value].get());
  for (auto const* endpoint : other.ejected_) ejected_.push_back(slots_[endpoint->id.value].get());
}

// --- they come and go ---

std::vector<EndpointId> Endpoints::ids() const {
  std::vector<EndpointId> ids;
  ids.reserve(places_.size());
  for (auto const* endpoint : places_) ids.push_back(endpoint->id);
  return ids;
}

bool Endpoints::are(std::vector<EndpointMember> const& members) const {
  return std::equal(places_.begin(), places_.end(), members.begin(), members.end(),
                    [](Endpoint const* endpoint, EndpointMember const& member) {
                      return endpoint->id == member.id && endpoint->share == member.share;
                    });
}

void Endpoints::replace(Succession& with, Instant now) {
  for (std::size_t place = 0; place < with.members.size(); ++place) {
    auto const& [id, share] = with.members[place];
    auto& slot = with.slots[id.value];
    if (with.fresh[place]) {
      slot = std::move(with.fresh[place]);
      slot->since = now;
    } else {
      slot = std::move(slots_[id.value]);
    }
    slot->share = share;
    slot->place = place;
    with.places[place] = slot.get();
  }
  for (auto const& endpoint : slots_) {
    if (endpoint) endpoint->has_left = true;
  }
  std::copy_if(ejected_.begin(), ejected_.end(), std::back_inserter(with.ejected),
               [](Endpoint const* endpoint) { return !endpoint->has_left; });
  for (auto& endpoint : slots_) {
    if (endpoint) take_leave(endpoint);
  }
  slots_.swap(with.slots);
  places_.swap(with.places);
  ejected_.swap(with.ejected);
  std::swap(balancer_, with.balancer);
  count_groups();
}

void Endpoints::take_leave(std::unique_ptr<Endpoint>& endpoint) {
  ++departed_.endpoints;
  if (endpoint->ledger.in_flight > 0) {
    leaving_.push_back(std::move(endpoint));
  } else {
    add(departed_, *endpoint);
  }
}

void Endpoints::settled(Endpoint const& endpoint) {
  if (!endpoint.has_left || endpoint.ledger.in_flight > 0) return;
  add(departed_, endpoint);
  std::erase_if(leaving_, [&endpoint](auto const& each) { return each.get() == &endpoint; });
}

DepartedSnapshot Endpoints::departed() const {
  auto sum = departed_;
  for (auto const& endpoint : leaving_) add(sum, *endpoint);
  return sum;
}

void Endpoints::count_groups() {
  groups_ = {};
  for (auto const* endpoint : places_) ++groups_[endpoint->share.priority].size;
  for (auto const* endpoint : ejected_) ++groups_[endpoint->share.priority].ejected;
}

Endpoint* Endpoints::find(EndpointId id) {
  if (id.value >= slots_.size()) return nullptr;
  auto* const endpoint = slots_[id.value].get();
  return endpoint != nullptr && endpoint->id == id ? endpoint : nullptr;
}

Endpoint& Endpoints::operator[](EndpointId id) {
  if (auto* endpoint = find(id)) return *endpoint;
  auto const left = std::find_if(leaving_.begin(), leaving_.end(),
                                 [id](auto const& endpoint) { return endpoint->id == id; });
  assert(left != leaving_.end());
  return **left;
}

// --- who is ejected ---

bool Endpoints::has_any_behind(unsigned priority) const {
  return std::any_of(groups_.begin() + priority + 1, groups_.end(),
                     [](Group const& group) { return group.available() > 0; });
}

std::size_t Endpoints::most_ejected(unsigned priority) const {
  auto const size = groups_[priority].size;
  if (settings_.eject.cap <= 0) return 0;
  if (has_any_behind(priority)) return size;
  if (size < 2) return 0;
  auto const share = static_cast<std::size_t>(static_cast<double>(size) * settings_.eject.cap);
  return std::clamp<std::size_t>(share, 1, size - 1);
}

bool Endpoints::may_eject(Endpoint const& endpoint) const {
  auto const priority = endpoint.share.priority;
  return groups_[priority].ejected < most_ejected(priority);
}

// The one that has been out for longest first. What an operator holds is not ours to give back.
Endpoint* Endpoints::ejected_beyond_cap() {
  for (auto* endpoint : ejected_) {
    auto const priority = endpoint->share.priority;
    bool const is_too_many = groups_[priority].ejected > most_ejected(priority);
    if (is_too_many && !endpoint->account.circuit().held()) return endpoint;
  }
  return nullptr;
}

bool Endpoints::may_yet_help() const {
  if (!judge()) return false;
  bool has_untroubled = false;
  bool has_ejectable = false;
  for (auto const* endpoint : places_) {
    if (endpoint->ejected()) continue;
    bool const troubled = endpoint->account.run().length() > 0;
    has_untroubled = has_untroubled || !troubled;
    has_ejectable = has_ejectable || (troubled && may_eject(*endpoint));
    if (has_untroubled && has_ejectable) return true;
  }
  return false;
}

namespace {

/// Whether this holds of all but those that an operator holds open, and there is one.
template <class Condition>
bool of_all(std::vector<Endpoint*> const& endpoints, Condition holds) {
  bool has_any = false;
  for (auto const* endpoint : endpoints) {
    if (endpoint->held_open()) continue;
    if (!holds(*endpoint)) return false;
    has_any = true;
  }
  return has_any;
}

}  // namespace

bool Endpoints::all_found_ill() const {
  return of_all(places_, [](Endpoint const& endpoint) { return endpoint.found_ill(); });
}

CheckReport const* Endpoints::next_report() const {
  CheckReport const* first = nullptr;
  bool const none_is_well = of_all(places_, [&first](Endpoint const& endpoint) {
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
    ejected_.push_back(&endpoint);
  } else {
    --group.ejected;
    std::erase(ejected_, &endpoint);
  }
}

namespace {

/// Whoever sent it would not see it fail as it last has: another attempt would follow.
bool is_spared(AttemptContext const& context, Endpoint const& endpoint) {
  if (!context.expendable) return false;
  if (context.retried_on == nullptr || !endpoint.last_failure) return true;
  return is_listed(*context.retried_on, *endpoint.last_failure, endpoint.last_status);
}

}  // namespace

/// One whose time has come takes the next request: were it left to chance and load, it might wait for ever. A
/// request that can't be sent again goes there only when no other has come for long.
Endpoint* Endpoints::wants_probe(AttemptContext const& context, bool choosy, Instant now) {
  for (auto* endpoint : ejected_) {
    auto const& circuit = endpoint->account.circuit();
    if (!circuit.wants_probe(now) || has(context.tried, endpoint->id)) continue;
    bool const waited_long = now >= circuit.open_until() + longest_choosy;
    if (!choosy || waited_long || is_spared(context, *endpoint)) return endpoint;
  }
  return nullptr;
}

EndpointReading Endpoints::reading(std::size_t place) const {
  auto const& endpoint = *places_[place];
  bool const timed = settings_.balance.policy == BalanceSettings::Policy::peak_ewma;
  return {.available = !endpoint.ejected(),
          .weight = static_cast<double>(endpoint.share.weight),
          .share = endpoint.account.circuit().admitted_share(now_),
          .priority = endpoint.share.priority,
          .in_flight = static_cast<std::uint32_t>(endpoint.ledger.in_flight),
          .latency = timed ? endpoint.latency.estimate(now_) : 0,
          .since = endpoint.since,
          .key = endpoint.share.key};
}

void Endpoints::note_latency(Endpoint& endpoint, Outcome outcome, Duration latency, Instant now) {
  if (settings_.balance.policy != BalanceSettings::Policy::peak_ewma) return;
  switch (outcome.kind()) {
    case Outcome::Kind::success: return endpoint.latency.succeeded(latency, now);
    case Outcome::Kind::failure: return endpoint.latency.failed(latency, now);
    case Outcome::Kind::abandoned: return endpoint.latency.unfinished(latency, now);
    case Outcome::Kind::excluded: return;  // it says nothing about the endpoint
  }
}

Endpoint* Endpoints::pick(AttemptContext const& context, Instant now, Rng& rng) {
  if (places_.size() == 1) {
    auto* const only = places_.front();
    return only->held_open() ? nullptr : only;
  }
  if (auto* probed = wants_probe(context, true, now)) return probed;
  now_ = now;
  std::array<std::size_t, most_tried> places{};
  std::size_t count = 0;
  for (auto const id : context.tried.last(std::min(context.tried.size(), places.size()))) {
    if (auto const* endpoint = find(id)) places[count++] = endpoint->place;
  }
  std::span<std::size_t const> const avoided{places.data(), count};
  auto picked = balancer_.pick(*this, {.hash = context.hash, .tried = avoided}, now, rng);
  // All have been tried: any but the last, if there is another.
  if (picked && !avoided.empty() && *picked == avoided.back()) {
    picked = balancer_.pick(*this, {.hash = context.hash, .tried = avoided.last(1)}, now, rng);
  }
  if (picked) return places_[*picked];
  // Nobody is left who would do better: nothing to wait for.
  auto* const probed = wants_probe(context, false, now);
  return probed != nullptr ? probed : any_at_all(context);
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
  for (std::size_t i = 0; i < places_.size(); ++i) {
    auto* const endpoint = places_[(first + i) % places_.size()];
    if (endpoint->held_open()) continue;
    if (found == nullptr || is_better(*endpoint, *found)) found = endpoint;
  }
  return found;
}

}  // namespace candor
