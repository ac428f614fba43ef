#include "candor/observe/refusal_counts.hpp"

namespace candor::observe {

namespace {

void add(RefusalCounts& counts, RouteShard const& shard) {
  for (std::size_t i = 0; i < counts.refused.size(); ++i) counts.refused[i] += shard.refused[i].value();
  for (std::size_t i = 0; i < counts.denied.size(); ++i) counts.denied[i] += shard.retries_denied[i].value();
}

}  // namespace

RefusalCounts read_refusals(std::vector<std::shared_ptr<WorkerMetrics const>> const& workers,
                            Route const& route) {
  RefusalCounts counts;
  for (auto const& worker : workers) add(counts, worker->upstream(route.upstream.index).routes[route.place]);
  return counts;
}

RefusalCounts read_refusals(std::vector<std::shared_ptr<WorkerMetrics const>> const& workers,
                            Upstream const& upstream) {
  RefusalCounts counts;
  for (auto const& worker : workers) {
    for (auto const& shard : worker->upstream(upstream.index).routes) add(counts, shard);
  }
  return counts;
}

std::string_view refusal_name(std::size_t place) {
  return place < refusals ? name(static_cast<Refusal>(place)) : "other";
}

}  // namespace candor::observe
