// How often requests were refused, and failed attempts not retried, by reason. A value.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "candor/core/failure.hpp"
#include "candor/observe/worker_metrics.hpp"
#include "candor/resilience/retry.hpp"

namespace candor::observe {

struct RefusalCounts {
  std::array<std::uint64_t, refusals + 1> refused{};  ///< requests, by Refusal; the last one: a bound of ours
  std::array<std::uint64_t, retry_denials> denied{};  ///< failed attempts, by RetryDenied
};

/// What the workers have counted together of this route.
[[nodiscard]] RefusalCounts read_refusals(std::vector<std::shared_ptr<WorkerMetrics const>> const& workers,
                                          Route const& route);
/// Of all routes of this upstream.
[[nodiscard]] RefusalCounts read_refusals(std::vector<std::shared_ptr<WorkerMetrics const>> const& workers,
                                          Upstream const& upstream);

/// The name of a place in `refused`.
[[nodiscard]] std::string_view refusal_name(std::size_t place);

}  // namespace candor::observe
