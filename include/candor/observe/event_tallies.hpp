// What may happen with every request, refusals and retries denied, told in sums: at each call one event for
// each upstream and reason that there were any of, however many requests an outage hits. It reads what the
// workers count; nothing is added on an attempt's way. One caller's.
#pragma once

#include <memory>
#include <vector>

#include "candor/observe/event_feed.hpp"
#include "candor/observe/refusal_counts.hpp"

namespace candor::observe {

class EventTallies {
 public:
  /// The workers have counted nothing yet.
  EventTallies(std::shared_ptr<EventFeed> feed, std::vector<std::shared_ptr<Upstream>> upstreams,
               std::vector<std::shared_ptr<WorkerMetrics const>> workers, Instant now);

  /// Tells of what has come since the last call; once a second is enough.
  void collect(Instant now);

 private:
  void tell(Upstream const& upstream, RefusalCounts const& before, RefusalCounts const& after, Instant now);

  std::shared_ptr<EventFeed> feed_;
  std::vector<std::shared_ptr<Upstream>> upstreams_;
  std::vector<std::shared_ptr<WorkerMetrics const>> workers_;
  std::vector<RefusalCounts> told_;  // by upstream
  Instant last_;
};

}  // namespace candor::observe
