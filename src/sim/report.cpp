#include "candor/sim/report.hpp"

#include <algorithm>
#include <bit>
#include <numeric>

namespace candor::sim {

namespace {

double share(std::uint64_t part, std::uint64_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

// Below `parts` each value has its own bucket; above, each power of two is cut into `parts`.
void Durations::add(Duration d) {
  auto const value = static_cast<std::uint64_t>(std::max(d, Duration{}).count());
  auto index = static_cast<std::size_t>(value);
  if (value >= parts) {
    auto const shift =
        static_cast<unsigned>(std::bit_width(value)) - static_cast<unsigned>(std::bit_width(parts));
    index = std::size_t{shift} * parts + static_cast<std::size_t>(value >> shift);
  }
  ++buckets_[index];
  ++count_;
  longest_ = std::max(longest_, d);
}

void Durations::add(Durations const& others) {
  for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += others.buckets_[i];
  count_ += others.count_;
  longest_ = std::max(longest_, others.longest_);
}

Duration Durations::quantile(double share_below) const {
  auto left = static_cast<std::uint64_t>(share_below * static_cast<double>(count_));
  for (std::size_t index = 0; index < buckets_.size(); ++index) {
    if (buckets_[index] == 0) continue;
    if (left > buckets_[index]) {
      left -= buckets_[index];
      continue;
    }
    if (index < std::size_t{2} * parts) return std::min(Duration{static_cast<std::int64_t>(index)}, longest_);
    auto const shift = index / parts - 1;
    auto const low = static_cast<std::int64_t>(index % parts + parts);
    return std::min(Duration{((low + 1) << shift) - 1}, longest_);
  }
  return longest_;
}

double RequestTally::goodput() const { return started == 0 ? 1 : share(ok, started); }

void UpstreamTally::add(HealthSnapshot const& snapshot) {
  refusals += snapshot.refusals;
  limit_refusals += snapshot.limit.refusals;
  if (snapshot.throttle) throttle_refusals += snapshot.throttle->refusals;
  ledger += snapshot.ledger;
  endpoint_ledgers.resize(snapshot.endpoints.size());
  for (std::size_t i = 0; i < endpoint_ledgers.size(); ++i) {
    endpoint_ledgers[i] += snapshot.endpoints[i].ledger;
  }
  departed.endpoints += snapshot.departed.endpoints;
  departed.ledger += snapshot.departed.ledger;
  departed.checks.add(snapshot.departed.checks);
  departed.ejections += snapshot.departed.ejections;
}

std::uint64_t UpstreamTally::attempts() const {
  return std::accumulate(endpoints.begin(), endpoints.end(), std::uint64_t{0},
                         [](std::uint64_t sum, EndpointTally const& e) { return sum + e.attempts; });
}

std::uint64_t UpstreamTally::openings(std::uint32_t route) const {
  return static_cast<std::uint64_t>(
      std::count_if(changes.begin(), changes.end(), [route](CircuitChange const& change) {
        return change.route == route && change.transition.to == CircuitState::open &&
               change.transition.from != CircuitState::half_open;
      }));
}

std::optional<Instant> UpstreamTally::opened_after(Instant since, std::uint32_t route) const {
  for (auto const& change : changes) {
    bool const opens = change.route == route && change.transition.to == CircuitState::open;
    if (opens && change.transition.at >= since) return change.transition.at;
  }
  return std::nullopt;
}

bool UpstreamTally::balanced() const {
  if (!ledger.balanced() || ledger.started != attempts() || settled != ledger.started - ledger.in_flight)
    return false;
  auto sum = departed.ledger;
  for (std::size_t i = 0; i < endpoint_ledgers.size(); ++i) {
    auto const& own = endpoint_ledgers[i];
    // Where some have left, others have their places.
    bool const is_known = departed.endpoints == 0;
    if (!own.balanced() || (is_known && own.started != endpoints[i].attempts)) return false;
    sum += own;
  }
  return departed.ledger.balanced() && sum.started == attempts();
}

std::uint64_t Report::attempts() const {
  return std::accumulate(upstreams.begin(), upstreams.end(), std::uint64_t{0},
                         [](std::uint64_t sum, UpstreamTally const& u) { return sum + u.attempts(); });
}

double Report::attempts_per_request() const {
  return requests.started == 0 ? 0 : share(attempts(), requests.started);
}

}  // namespace candor::sim
