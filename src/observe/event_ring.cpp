#include "candor/observe/event_ring.hpp"

#include <algorithm>

namespace candor::observe {

std::string_view name(Event::Kind kind) {
  switch (kind) {
    case Event::Kind::transition: return "transition";
    case Event::Kind::shadow: return "shadow";
    case Event::Kind::check: return "check";
    case Event::Kind::order: return "order";
    case Event::Kind::refused: return "refused";
    case Event::Kind::retry_denied: return "retry_denied";
    case Event::Kind::late_break: return "late_break";
    case Event::Kind::note: return "note";
  }
  return {};
}

namespace {

bool is_before(std::shared_ptr<Event const> const& event, std::uint64_t number) {
  return event->number < number;
}

}  // namespace

std::uint64_t EventRing::add(Event event, std::optional<std::uint64_t> instead_of) {
  auto kept = std::make_shared<Event>(std::move(event));
  std::lock_guard const held{lock_};
  if (instead_of) {
    auto const before = std::lower_bound(events_.begin(), events_.end(), *instead_of, is_before);
    if (before != events_.end() && (*before)->number == *instead_of) events_.erase(before);
  }
  auto const number = kept->number = next_++;
  events_.push_back(std::move(kept));
  if (events_.size() > capacity_) {
    last_let_go_ = events_.front()->number;
    events_.pop_front();
  }
  for (auto const& more : subscribers_) more();
  return number;
}

EventRing::Reading EventRing::read(std::uint64_t from, std::size_t most) const {
  std::lock_guard const held{lock_};
  bool const is_known = from > 0 && from <= next_;
  auto const first = std::lower_bound(events_.begin(), events_.end(), is_known ? from : 0, is_before);
  auto const left = static_cast<std::size_t>(events_.end() - first);
  auto const end = first + static_cast<std::ptrdiff_t>(std::min(left, most));
  Reading reading{.next = end == events_.end() ? next_ : (*end)->number};
  // Numbers between those that are kept are no loss: what had them has one of these now.
  if (is_known && from <= last_let_go_) reading.lost = last_let_go_ + 1 - from;
  reading.events.assign(first, end);
  return reading;
}

EventRing::Subscription::Subscription(EventRing& ring, std::function<void()> more) : ring_(ring) {
  std::lock_guard const held{ring_.lock_};
  place_ = ring_.subscribers_.insert(ring_.subscribers_.end(), std::move(more));
}

EventRing::Subscription::~Subscription() {
  std::lock_guard const held{ring_.lock_};
  ring_.subscribers_.erase(place_);
}

}  // namespace candor::observe
