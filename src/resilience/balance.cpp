#include "candor/resilience/balance.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <map>

#include "candor/resilience/stable_hash.hpp"

namespace candor {

namespace {

constexpr double ramp_from = 0.1;

bool contains(std::span<std::size_t const> endpoints, std::size_t endpoint) {
  return std::find(endpoints.begin(), endpoints.end(), endpoint) != endpoints.end();
}

std::uint64_t whole_number(double share) {
  constexpr double most = 1e12;  // so that the sums have room
  return static_cast<std::uint64_t>(std::llround(std::clamp(share, 1.0, most)));
}

}  // namespace

double ramp_share(Duration ramp, Duration member_for) {
  if (ramp <= Duration{} || member_for >= ramp) return 1;
  return ramp_from + (1 - ramp_from) * std::max(0.0, seconds(member_for)) / seconds(ramp);
}

class Balancer::Aside {
 public:
  Aside(Balancer& balancer, std::span<std::size_t const> tried) : balancer_(balancer), tried_(tried) {
    for (auto const endpoint : tried_) set(endpoint, false);
  }
  Aside(Aside const&) = delete;
  Aside& operator=(Aside const&) = delete;
  ~Aside() {
    for (auto const endpoint : tried_) set(endpoint, true);
  }

 private:
  void set(std::size_t endpoint, bool back) {
    if (endpoint >= balancer_.members_.size()) return;  // it has left since
    auto const& member = balancer_.members_[endpoint];
    balancer_.groups_[member.group].shares.set(member.slot, back ? member.share : 0);
  }

  Balancer& balancer_;
  std::span<std::size_t const> tried_;
};

void Balancer::members_changed(EndpointReadings const& readings) {
  auto const count = readings.size();
  members_.assign(count, {});
  away_.clear();
  away_.reserve(count);
  std::map<unsigned, std::vector<std::uint32_t>> by_priority;
  std::vector<EndpointReading> all(count);
  for (std::size_t i = 0; i < count; ++i) {
    all[i] = readings.reading(i);
    by_priority[all[i].priority].push_back(static_cast<std::uint32_t>(i));
  }
  groups_.clear();
  groups_.reserve(by_priority.size());
  for (auto const& [priority, endpoints] : by_priority) {
    Group group{.members = endpoints,
                .shares = ShareTree{endpoints.size()},
                .ring = {},
                .common = whole_number(all[endpoints.front()].weight * shares_per_weight),
                .credits = std::vector<std::int64_t>(endpoints.size())};
    if (policy_ == BalanceSettings::Policy::ring_hash) {
      std::vector<HashRing::Seat> seats;
      for (auto const endpoint : endpoints) seats.push_back({all[endpoint].key, all[endpoint].weight});
      group.ring = HashRing{seats};
    }
    for (std::size_t slot = 0; slot < endpoints.size(); ++slot) {
      members_[endpoints[slot]] = {.group = static_cast<std::uint32_t>(groups_.size()),
                                   .slot = static_cast<std::uint32_t>(slot),
                                   .whole = whole_number(all[endpoints[slot]].weight * shares_per_weight)};
    }
    groups_.push_back(std::move(group));
  }
  // Nobody is away before a look says so; a share that ramps is corrected as soon as it is drawn.
  reduced_ = count;
  for (std::size_t i = 0; i < count; ++i) {
    away_.push_back(static_cast<std::uint32_t>(i));
    members_[i].away = i;
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (all[i].available) believe(i, members_[i].whole);
  }
  looks_ = 0;
  is_fresh_ = true;
}

void Balancer::believe(std::size_t endpoint, std::uint64_t share) {
  auto& member = members_[endpoint];
  if (member.share == share) return;
  auto& group = groups_[member.group];
  reduced_ += (share < member.whole ? 1 : 0);
  reduced_ -= (member.share < member.whole ? 1 : 0);
  if (member.share != 0) {
    --group.available;
    group.uneven -= member.share != group.common ? 1 : 0;
  } else {  // the last one away takes its place
    members_[away_.back()].away = member.away;
    away_[member.away] = away_.back();
    away_.pop_back();
  }
  if (share != 0) {
    ++group.available;
    group.uneven += share != group.common ? 1 : 0;
  } else {
    member.away = away_.size();
    away_.push_back(static_cast<std::uint32_t>(endpoint));
  }
  member.share = share;
  group.shares.set(member.slot, share);
}

EndpointReading Balancer::look_at(std::size_t endpoint, Scene const& scene) {
  auto const reading = scene.readings.reading(endpoint);
  if (!reading.available) {
    believe(endpoint, 0);
  } else if (reading.share >= 1 && scene.now - reading.since >= ramp_) {
    believe(endpoint, members_[endpoint].whole);
  } else {
    auto const share = reading.share * ramp_share(ramp_, scene.now - reading.since);
    believe(endpoint, whole_number(static_cast<double>(members_[endpoint].whole) * share));
  }
  return reading;
}

// Without it nobody would notice that one is back, and one whose share grows would be drawn late.
void Balancer::look_around(Scene const& scene) {
  // A share that falls is noticed when it is drawn; only between groups it counts before.
  if (reduced_ == 0 && groups_.size() < 2) {
    looks_ = 0;
    return;
  }
  auto const look = looks_++ / 2;
  if (looks_ % 2 == 0 && !away_.empty()) {
    look_at(away_[look % away_.size()], scene);
  } else {
    look_at(look % members_.size(), scene);
  }
}

bool Balancer::find_anybody(Scene const& scene, bool tried_too) {
  bool found = false;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (members_[i].share != 0 || (!tried_too && contains(scene.wish.tried, i))) continue;
    look_at(i, scene);
    found = found || members_[i].share != 0;
  }
  return found;
}

void Balancer::begin_anywhere(Rng& rng) {
  for (auto& group : groups_) {
    group.turn = rng.below(group.members.size());
    for (std::size_t slot = 0; slot < group.members.size(); ++slot) {
      group.credits[slot] = static_cast<std::int64_t>(rng.below(members_[group.members[slot]].whole + 1));
    }
  }
  is_fresh_ = false;
}

std::optional<std::size_t> Balancer::pick(EndpointReadings const& readings, Wish const& wish, Instant now,
                                          Rng& rng) {
  if (readings.size() != members_.size()) members_changed(readings);
  if (members_.empty()) return std::nullopt;
  if (is_fresh_ && policy_ == BalanceSettings::Policy::round_robin) begin_anywhere(rng);
  Scene const scene{readings, wish, now, rng};
  look_around(scene);
  if (!wish.tried.empty()) {
    Aside const aside{*this, wish.tried};
    if (auto const picked = pick_of_all(scene)) return picked;
    if (find_anybody(scene, false)) return pick_of_all(scene);
  }
  if (auto const picked = pick_of_all(scene)) return picked;
  if (find_anybody(scene, true)) return pick_of_all(scene);
  return std::nullopt;
}

std::optional<std::size_t> Balancer::pick_of_all(Scene const& scene) {
  bool const by_hash = policy_ == BalanceSettings::Policy::ring_hash && scene.wish.hash;
  double at = 0;
  if (groups_.size() > 1) at = by_hash ? unit_of(mixed(*scene.wish.hash)) : scene.rng.unit();
  while (auto* group = choose_group(at)) {
    if (auto const picked = pick_in(*group, scene)) return picked;
  }
  return std::nullopt;
}

Balancer::Group* Balancer::choose_group(double at) {
  Group* last = nullptr;
  for (auto& group : groups_) {
    auto const keeps =
        overprovisioning * static_cast<double>(group.available) / static_cast<double>(group.members.size());
    bool const has_somebody = group.shares.total() != 0;
    if (has_somebody) last = &group;
    if (has_somebody && at < keeps) return &group;
    at -= keeps;
  }
  return last;
}

std::optional<std::size_t> Balancer::pick_in(Group& group, Scene const& scene) {
  auto const endpoint_of = [&](std::optional<std::size_t> slot) {
    return slot ? std::optional<std::size_t>{group.members[*slot]} : std::nullopt;
  };
  switch (policy_) {
    case BalanceSettings::Policy::round_robin: return endpoint_of(in_turn(group, scene));
    case BalanceSettings::Policy::least_request:
    case BalanceSettings::Policy::peak_ewma: return endpoint_of(of_two(group, scene));
    case BalanceSettings::Policy::ring_hash: break;
  }
  if (scene.wish.hash) return endpoint_of(on_ring(group, scene, *scene.wish.hash));
  auto const drawn = draw(group, scene);
  return drawn ? endpoint_of(drawn->slot) : std::nullopt;
}

std::optional<std::size_t> Balancer::in_turn(Group& group, Scene const& scene) {
  while (group.shares.total() != 0) {
    bool const is_even = group.uneven == 0;
    auto const slot = is_even ? next_slot(group) : richest_slot(group);
    auto const believed = group.shares[slot];
    look_at(group.members[slot], scene);
    if (group.shares[slot] != believed) continue;
    group.turn = slot + 1;
    if (!is_even) {
      for (std::size_t other = 0; other < group.members.size(); ++other) {
        group.credits[other] += static_cast<std::int64_t>(group.shares[other]);
      }
      group.credits[slot] -= static_cast<std::int64_t>(group.shares.total());
    }
    return slot;
  }
  return std::nullopt;
}

std::size_t Balancer::next_slot(Group const& group) const {
  auto slot = group.turn % group.members.size();
  while (group.shares[slot] == 0) slot = slot + 1 == group.members.size() ? 0 : slot + 1;
  return slot;
}

// Everybody earns its share each turn; the richest has its turn and pays what all have earned. So each has
// turns in proportion to its share, and as far apart as that allows.
std::size_t Balancer::richest_slot(Group const& group) const {
  std::optional<std::size_t> richest;
  std::int64_t most = 0;
  for (std::size_t slot = 0; slot < group.members.size(); ++slot) {
    auto const share = static_cast<std::int64_t>(group.shares[slot]);
    if (share == 0) continue;
    auto const credit = group.credits[slot] + share;
    if (richest && credit <= most) continue;
    richest = slot;
    most = credit;
  }
  assert(richest);
  return richest.value_or(0);
}

// In proportion to the shares. Among equal ones a slot is as good as another, and most are there.
std::size_t Balancer::any_slot(Group const& group, std::optional<std::size_t> but, std::uint64_t total,
                               Rng& rng) {
  constexpr int few = 4;
  for (int tries = 0; group.uneven == 0 && tries < few; ++tries) {
    auto const slot = rng.below(group.members.size());
    if (slot != but && group.shares[slot] != 0) return slot;
  }
  auto point = rng.below(total);
  if (but && point >= group.shares.before(*but)) point += group.shares[*but];
  return group.shares.find(point);
}

std::optional<Balancer::Drawn> Balancer::draw(Group& group, Scene const& scene,
                                              std::optional<std::size_t> but) {
  for (;;) {
    auto const left_out = but ? group.shares[*but] : 0;
    auto const total = group.shares.total() - left_out;
    if (total == 0) return std::nullopt;
    auto const slot = any_slot(group, but, total, scene.rng);
    auto const believed = group.shares[slot];
    auto const reading = look_at(group.members[slot], scene);
    auto const share = group.shares[slot];
    // Drawn more often than is due: made up for by chance, after which the belief is right.
    if (share < believed && scene.rng.below(believed) >= share) continue;
    return Drawn{slot, reading};
  }
}

std::optional<std::size_t> Balancer::of_two(Group& group, Scene const& scene) {
  auto const one = draw(group, scene);
  if (!one) return std::nullopt;
  auto const other = draw(group, scene, one->slot);
  return other && is_better(group, *other, *one) ? other->slot : one->slot;
}

bool Balancer::is_better(Group const& group, Drawn const& a, Drawn const& b) const {
  auto const busy = [&group](Drawn const& drawn) {
    return static_cast<double>(drawn.reading.in_flight) / static_cast<double>(group.shares[drawn.slot]);
  };
  if (policy_ == BalanceSettings::Policy::least_request) return busy(a) < busy(b);
  auto const mean = static_cast<double>(group.shares[a.slot] + group.shares[b.slot]) / 2;
  auto const latency = [](Drawn const& drawn, Drawn const& other) {
    if (drawn.reading.latency > 0) return drawn.reading.latency;
    return other.reading.latency > 0 ? other.reading.latency : 1;
  };
  return latency(a, b) * (1 + busy(a) * mean) < latency(b, a) * (1 + busy(b) * mean);
}

std::optional<std::size_t> Balancer::on_ring(Group& group, Scene const& scene, std::uint64_t hash) {
  std::optional<std::size_t> first;
  auto const found = group.ring.find(hash, [&](std::size_t slot) {
    if (group.shares[slot] == 0) return false;
    auto const endpoint = group.members[slot];
    auto const reading = look_at(endpoint, scene);
    auto const& member = members_[endpoint];
    if (member.share == 0) return false;
    if (!first) first = slot;
    auto const ramped = static_cast<double>(member.share) / static_cast<double>(member.whole);
    return unit_of(mixed(hash ^ mixed(reading.key))) < ramped;
  });
  return found ? found : first;
}

}  // namespace candor
