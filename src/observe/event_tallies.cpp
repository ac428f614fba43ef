#include "candor/observe/event_tallies.hpp"

#include <utility>

namespace candor::observe {

EventTallies::EventTallies(std::shared_ptr<EventFeed> feed, std::vector<std::shared_ptr<Upstream>> upstreams,
                           std::vector<std::shared_ptr<WorkerMetrics const>> workers, Instant now)
    : feed_(std::move(feed)),
      upstreams_(std::move(upstreams)),
      workers_(std::move(workers)),
      told_(upstreams_.size()),
      last_(now) {}

void EventTallies::collect(Instant now) {
  for (std::size_t i = 0; i < upstreams_.size(); ++i) {
    auto const counts = read_refusals(workers_, *upstreams_[i]);
    tell(*upstreams_[i], std::exchange(told_[i], counts), counts, now);
  }
  last_ = now;
}

void EventTallies::tell(Upstream const& upstream, RefusalCounts const& before, RefusalCounts const& after,
                        Instant now) {
  auto const of = [&](Event::Kind kind, std::string_view reason, std::uint64_t news) {
    if (news == 0) return;
    feed_->tally(upstream, {.kind = kind, .reason = reason, .count = news, .since = last_, .until = now});
  };
  for (std::size_t i = 0; i < after.refused.size(); ++i) {
    of(Event::Kind::refused, refusal_name(i), after.refused[i] - before.refused[i]);
  }
  for (std::size_t i = 0; i < after.denied.size(); ++i) {
    of(Event::Kind::retry_denied, candor::name(static_cast<RetryDenied>(i)),
       after.denied[i] - before.denied[i]);
  }
}

}  // namespace candor::observe
