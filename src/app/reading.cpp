#include "candor/app/reading.hpp"

#include <numeric>

namespace candor::app {

namespace {

constexpr std::size_t two_hundreds = 2;  // the status class

double per_second(std::uint64_t before, std::uint64_t after, Duration span) {
  return static_cast<double>(after - before) / seconds(span);
}

}  // namespace

std::uint64_t Reading::all_requests() const {
  return std::accumulate(requests.begin(), requests.end(), std::uint64_t{0});
}

namespace {

void add(Reading& reading, observe::RouteShard const& shard) {
  for (std::size_t result = 0; result < request_results; ++result) {
    for (auto const& count : shard.requests[result]) reading.requests[result] += count.value();
  }
  auto const& answered = shard.requests[static_cast<std::size_t>(RequestResult::answered)];
  reading.well += answered[two_hundreds].value();
  for (auto const& count : shard.retries) reading.retries += count.value();
  shard.request_duration.add_to(reading.durations);
}

}  // namespace

void add(Reading& reading, observe::UpstreamShard const& shard) {
  for (auto const& route : shard.routes) add(reading, route);
}

void add(Reading& reading, observe::TransitionCounts const& transitions, Route const& account) {
  auto const states = {CircuitState::closed, CircuitState::open, CircuitState::half_open,
                       CircuitState::ramping};
  for (auto const from : states) {
    for (std::size_t i = 0; i < observe::TransitionCounts::rules; ++i) {
      auto const rule = static_cast<Rule>(i);
      if (rule != Rule::probe_failure) {
        reading.openings += transitions.value(account, from, CircuitState::open, rule);
      }
      reading.closings += transitions.value(account, from, CircuitState::closed, rule);
    }
  }
}

Rates rates(Reading const& before, Reading const& after) {
  auto const span = after.at - before.at;
  if (span <= Duration{}) return {};
  return {.requests = per_second(before.all_requests(), after.all_requests(), span),
          .well = per_second(before.well, after.well, span),
          .refused = per_second(before.requests_of(RequestResult::refused),
                                after.requests_of(RequestResult::refused), span),
          .attempts = per_second(before.health.ledger.started, after.health.ledger.started, span),
          .retries = per_second(before.retries, after.retries, span)};
}

std::optional<Duration> quantile(Reading const& before, Reading const& after, double q) {
  auto buckets = after.durations.buckets;
  for (std::size_t i = 0; i < buckets.size(); ++i) buckets[i] -= before.durations.buckets[i];
  auto const all = std::accumulate(buckets.begin(), buckets.end(), std::uint64_t{0});
  if (all == 0) return std::nullopt;
  double wanted = q * static_cast<double>(all);
  Duration low{};
  for (std::size_t i = 0; i < observe::duration_bounds.size(); ++i) {
    auto const high = observe::duration_bounds[i];
    auto const count = static_cast<double>(buckets[i]);
    if (count > 0 && wanted <= count) return low + from_seconds(seconds(high - low) * wanted / count);
    wanted -= count;
    low = high;
  }
  return low;
}

}  // namespace candor::app
