#include "candor/observe/event_tallies.hpp"

#include <utility>

namespace candor::observe {

EventTallies::EventTallies(std::shared_ptr<EventFeed> feed, Sources sources, Instant now)
    : feed_(std::move(feed)), sources_(std::move(sources)), told_(sources_.upstreams.size()), last_(now) {}

void EventTallies::collect(Instant now) {
  std::erase_if(sums_, [this](auto const& sum) { return last_ - sum.second.until >= quiet; });
  for (std::uint32_t i = 0; i < sources_.upstreams.size(); ++i) {
    auto const counts = read_refusals(sources_.workers, *sources_.upstreams[i]);
    tell_refusals(i, std::exchange(told_[i], counts), counts, now);
  }
  for (auto const& [where, count] : sources_.late_breaks->take()) {
    tell({.upstream = where.upstream, .kind = Event::Kind::late_break, .endpoint = where.endpoint}, count,
         now);
  }
  last_ = now;
}

void EventTallies::tell_refusals(std::uint32_t upstream, RefusalCounts const& before,
                                 RefusalCounts const& after, Instant now) {
  for (std::size_t i = 0; i < after.refused.size(); ++i) {
    tell({.upstream = upstream, .kind = Event::Kind::refused, .reason = refusal_name(i)},
         after.refused[i] - before.refused[i], now);
  }
  for (std::size_t i = 0; i < after.denied.size(); ++i) {
    tell({.upstream = upstream,
          .kind = Event::Kind::retry_denied,
          .reason = candor::name(static_cast<RetryDenied>(i))},
         after.denied[i] - before.denied[i], now);
  }
}

void EventTallies::tell(Subject const& what, std::uint64_t news, Instant now) {
  if (news == 0) return;
  auto& sum = sums_.try_emplace(what, Sum{.since = last_, .until = last_, .logged = last_}).first->second;
  sum.count += news;
  sum.until = now;
  // A line of the log can't grow. The longer it lasts, the rarer are they: one each time it is twice as long.
  bool const is_worth_a_line = now - sum.since >= 2 * (sum.logged - sum.since);
  if (is_worth_a_line) sum.logged = now;
  sum.event = feed_->tally(*sources_.upstreams[what.upstream], {.kind = what.kind,
                                                                .reason = what.reason,
                                                                .endpoint = what.endpoint,
                                                                .count = sum.count,
                                                                .since = sum.since,
                                                                .until = sum.until,
                                                                .instead_of = sum.event,
                                                                .logged = is_worth_a_line});
}

}  // namespace candor::observe
