#include "candor/observe/refusal_counts.hpp"

namespace candor::observe {

RefusalCounts read_refusals(std::vector<std::shared_ptr<WorkerMetrics const>> const& workers,
                            std::size_t upstream) {
  RefusalCounts counts;
  for (auto const& worker : workers) {
    auto const& shard = worker->upstream(upstream);
    for (std::size_t i = 0; i < counts.refused.size(); ++i) counts.refused[i] += shard.refused[i].value();
    for (std::size_t i = 0; i < counts.denied.size(); ++i)
      counts.denied[i] += shard.retries_denied[i].value();
  }
  return counts;
}

std::string_view refusal_name(std::size_t place) {
  return place < refusals ? name(static_cast<Refusal>(place)) : "other";
}

}  // namespace candor::observe
