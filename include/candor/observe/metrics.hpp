// Thread-safe: folds at scrape what the workers wrote and what the health models know. The attempts' numbers
// are the ledger's own; they are kept nowhere else.
#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "candor/core/time.hpp"
#include "candor/observe/transition_counts.hpp"
#include "candor/observe/worker_metrics.hpp"

namespace candor::observe {

struct BuildInfo {
  std::string version;
  std::string revision;  ///< of the source; empty: unknown
};

struct MetricsSources {
  std::vector<std::shared_ptr<Upstream>> upstreams{};  ///< by index
  std::vector<std::shared_ptr<WorkerMetrics const>> workers{};
  std::shared_ptr<TransitionCounts const> transitions{};  ///< absent: no transitions are exported
  std::shared_ptr<NameBook const> names{};                ///< absent: no look-ups are exported
  std::function<Instant()> now{};                         ///< called on the scraper's thread
  std::function<std::uint64_t()> access_log_dropped{};    ///< absent: there is no access log
  BuildInfo build{};
};

class MetricsCollectable final : public prometheus::Collectable {
 public:
  explicit MetricsCollectable(MetricsSources sources) : sources_(std::move(sources)) {}

  /// In the order of the catalogue; families without a sample are left out.
  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  MetricsSources sources_;
};

}  // namespace candor::observe
