// What the sidecar's own account of one upstream says at one moment, for the demo's view and its verdict.
// Values; nothing in here is the demo's own.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "candor/core/time.hpp"
#include "candor/observe/shard.hpp"
#include "candor/observe/transition_counts.hpp"
#include "candor/observe/worker_metrics.hpp"
#include "candor/proxy/observer.hpp"
#include "candor/resilience/health.hpp"

namespace candor::app {

struct Reading {
  Instant at{};
  HealthSnapshot health{};
  double tokens = 0;                                      ///< retries that the budget would pay for
  std::array<std::uint64_t, request_results> requests{};  ///< by RequestResult
  std::uint64_t well = 0;                                 ///< of the answered ones: those with a 2xx
  std::uint64_t retries = 0;
  observe::DurationSums durations{};  ///< of requests
  std::uint64_t openings = 0;         ///< by a rule, not by a failed probe
  std::uint64_t closings = 0;

  [[nodiscard]] std::uint64_t all_requests() const;
  [[nodiscard]] std::uint64_t requests_of(RequestResult result) const {
    return requests[static_cast<std::size_t>(result)];
  }
};

/// Adds one worker's share.
void add(Reading& reading, observe::UpstreamShard const& shard);

/// Adds how often the circuit of this route's account opened and closed.
void add(Reading& reading, observe::TransitionCounts const& transitions, Route const& account);

/// What came between two readings, per second.
struct Rates {
  double requests = 0;
  double well = 0;
  double refused = 0;
  double attempts = 0;
  double retries = 0;
};
[[nodiscard]] Rates rates(Reading const& before, Reading const& after);

/// How long requests took that ended between two readings: the duration that a share `q` of them stayed
/// within, as exactly as the histogram's buckets allow; nothing if there were none. What is longer than the
/// last bound counts as that.
[[nodiscard]] std::optional<Duration> quantile(Reading const& before, Reading const& after, double q);

}  // namespace candor::app
