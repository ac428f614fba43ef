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
    case Event::Kind::note: return "note";
  }
  return {};
}

void EventRing::add(Event event) {
  auto kept = std::make_shared<Event>(std::move(event));
  std::lock_guard const held{lock_};
  kept->number = next_++;
  events_.push_back(std::move(kept));
  if (events_.size() > capacity_) events_.pop_front();
  for (auto const& more : subscribers_) more();
}

EventRing::Reading EventRing::read(std::uint64_t from, std::size_t most) const {
  std::lock_guard const held{lock_};
  auto const oldest = next_ - events_.size();
  bool const is_known = from > 0 && from <= next_;
  auto const first = is_known ? std::max(from, oldest) : oldest;
  auto const begin = static_cast<std::size_t>(first - oldest);
  auto const count = std::min(events_.size() - begin, most);
  Reading reading{.lost = is_known ? first - from : 0, .next = first + count};
  auto const at = events_.begin() + static_cast<std::ptrdiff_t>(begin);
  reading.events.assign(at, at + static_cast<std::ptrdiff_t>(count));
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
