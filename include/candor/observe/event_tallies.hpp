// What may happen with every request (refusals, retries denied, answers that break off late), told in sums:
// one event for each upstream, endpoint and reason that there are any of, however many requests an outage
// hits and however long it lasts. While there is more of it, that event grows. It reads what the workers
// count; nothing is added on an attempt's way. One caller's.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "candor/observe/event_feed.hpp"
#include "candor/observe/late_breaks.hpp"
#include "candor/observe/refusal_counts.hpp"

namespace candor::observe {

class EventTallies {
 public:
  /// What is counted, and by whom; nothing has been yet.
  struct Sources {
    std::vector<std::shared_ptr<Upstream>> upstreams;  ///< by index
    std::vector<std::shared_ptr<WorkerMetrics const>> workers;
    std::shared_ptr<LateBreaks> late_breaks;
  };
  EventTallies(std::shared_ptr<EventFeed> feed, Sources sources, Instant now);

  /// Tells of what has come since the last call; once a second is enough.
  void collect(Instant now);

  /// A sum that has not grown for so long is over; what comes then is another one. It bridges the windows of
  /// a circuit, as one that is asked for little refuses in few of them.
  static constexpr Duration quiet = 1min;

 private:
  /// What is summed up together.
  struct Subject {
    std::uint32_t upstream;
    Event::Kind kind;
    std::string_view reason{};
    std::optional<EndpointId> endpoint{};
    auto operator<=>(Subject const&) const = default;
  };
  struct Sum {
    Instant since;
    Instant until;
    std::uint64_t count = 0;
    std::optional<std::uint64_t> event{};  // its number by now
    Instant logged;                        // until then, by the last line of the log
  };

  void tell_refusals(std::uint32_t upstream, RefusalCounts const& before, RefusalCounts const& after,
                     Instant now);
  void tell(Subject const& what, std::uint64_t news, Instant now);

  std::shared_ptr<EventFeed> feed_;
  Sources sources_;
  std::vector<RefusalCounts> told_;  // by upstream
  std::map<Subject, Sum> sums_;
  Instant last_;
};

}  // namespace candor::observe
