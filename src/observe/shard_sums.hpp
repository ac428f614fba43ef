// Sums over the workers' shards. Private to observe.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "candor/observe/worker_metrics.hpp"

namespace candor::observe {

/// What all shards hold together. Reads are cheap, and each number is read once.
template <class Read>
std::uint64_t sum(std::vector<std::shared_ptr<WorkerMetrics const>> const& workers, Read read) {
  std::uint64_t total = 0;
  for (auto const& worker : workers) total += read(*worker).value();
  return total;
}

inline double difference(std::uint64_t more, std::uint64_t less) {
  // The two are read one after the other, while the workers go on.
  return more > less ? static_cast<double>(more - less) : 0.0;
}

}  // namespace candor::observe
