#include "candor/proxy/attempt_queue.hpp"

#include <algorithm>
#include <utility>

namespace candor {

void AttemptQueue::List::push_back(Place& place) {
  place.in_ = this;
  place.previous_ = last;
  place.next_ = nullptr;
  (last != nullptr ? last->next_ : first) = &place;
  last = &place;
  ++size;
}

void AttemptQueue::List::push_front(Place& place) {
  place.in_ = this;
  place.previous_ = nullptr;
  place.next_ = first;
  (first != nullptr ? first->previous_ : last) = &place;
  first = &place;
  ++size;
}

void AttemptQueue::List::remove(Place& place) {
  (place.previous_ != nullptr ? place.previous_->next_ : first) = place.next_;
  (place.next_ != nullptr ? place.next_->previous_ : last) = place.previous_;
  place.in_ = nullptr;
  --size;
}

AttemptQueue::AttemptQueue(std::size_t bound, std::size_t lanes, Health& health)
    : bound_(bound), health_(health), lanes_(std::max<std::size_t>(lanes, 1)) {}

AttemptQueueSnapshot AttemptQueue::snapshot() const {
  std::lock_guard const held(lock_);
  return {.waiting = waiting_, .refused_full = refused_full_, .refused_timeout = refused_timeout_};
}

void AttemptQueue::call_whom_there_is_room_for() {
  std::lock_guard const held(lock_);
  look_again();
}

/// After everything that happens here; and whoever makes room looks whether the queue is occupied,
/// afterwards. One of the two sees what the other has done: the queue says that it is occupied before it asks
/// the account for room, under the account's lock, and the account has the room before the other one looks
/// here. So none waits while there is room that nobody was called to take.
void AttemptQueue::look_again() {
  note_occupancy();
  if (waiting_ == 0) return;
  for (auto const room = health_.room(); waiting_ > 0 && called_ < room;) call_next();
}

void AttemptQueue::call_next() {
  while (lanes_[turn_].first == nullptr) turn_ = (turn_ + 1) % lanes_.size();
  auto& place = *lanes_[turn_].first;
  turn_ = (turn_ + 1) % lanes_.size();
  wake(place, State::called);
  ++called_;
}

void AttemptQueue::wake(Place& place, State why) {
  lanes_[place.lane_].remove(place);
  --waiting_;
  place.state_ = why;
  auto& desk = place.desk_;
  if (desk.mailbox_ == nullptr) return place.ring();
  desk.to_tell_.push_back(place);
  if (!std::exchange(desk.posted_, true)) desk.mailbox_->post([&desk] { desk.tell_all(); });
}

void AttemptQueue::Desk::tell_all() {
  std::lock_guard const held(queue_.lock_);
  posted_ = false;
  while (to_tell_.first != nullptr) {
    auto& place = *to_tell_.first;
    to_tell_.remove(place);
    place.ring();
  }
}

/// The newest of the longest lane makes way, where that is longer than the own one will be: so one lane that
/// is flooded leaves the others their share (as P. McKenney drops packets, "Stochastic Fairness Queueing",
/// 1990).
bool AttemptQueue::push_out_for(std::size_t lane) {
  auto const longest = std::max_element(lanes_.begin(), lanes_.end(),
                                        [](List const& a, List const& b) { return a.size < b.size; });
  if (longest->size <= lanes_[lane].size + 1) return false;
  wake(*longest->last, State::pushed_out);
  return true;
}

bool AttemptQueue::line_up(Place& place) {
  bool const called_in_vain = place.state_ == State::called;
  if (!called_in_vain && waiting_ >= bound_ && !push_out_for(place.lane_)) {
    ++refused_full_;
    return false;
  }
  auto& lane = lanes_[place.lane_];
  called_in_vain ? lane.push_front(place) : lane.push_back(place);
  if (called_in_vain) --called_;
  place.state_ = State::waiting;
  ++waiting_;
  look_again();
  return true;
}

void AttemptQueue::leave(Place& place) {
  auto const state = std::exchange(place.state_, State::outside);
  if (place.in_ != nullptr) place.in_->remove(place);
  if (state == State::waiting) --waiting_;
  if (state == State::called) --called_;
  look_again();
}

/// While some wait, whoever comes does not ask the account: what is over by now it hears from here.
bool AttemptQueue::Place::line_up() {
  queue_.health_.pass(desk_.scheduler_.now());
  std::lock_guard const held(queue_.lock_);
  return queue_.line_up(*this);
}

void AttemptQueue::Place::leave() {
  std::lock_guard const held(queue_.lock_);
  queue_.leave(*this);
}

bool AttemptQueue::Place::still_waits() const {
  std::lock_guard const held(queue_.lock_);
  return state_ == State::waiting;
}

/// Called since it was looked at, it hears of it all the same: by its own thread, which is here.
void AttemptQueue::Place::sleep(std::coroutine_handle<> waiter, Instant until, CancelScope& scope) {
  waiter_ = waiter;
  desk_.scheduler_.at(*this, until);
  scope.listen(*this);
}

void AttemptQueue::Place::wake() {
  unlisten();
  std::exchange(waiter_, {}).resume();
}

AttemptQueue::Place::Turn AttemptQueue::Place::turn(CancelScope const& scope) {
  std::lock_guard const held(queue_.lock_);
  // It may have been looked at before it was told.
  if (state_ != State::waiting && in_ != nullptr) in_->remove(*this);
  switch (state_) {
    case State::called:
      if (scope.cancelled()) return Turn::cancelled;
      return Turn::called;
    case State::pushed_out: ++queue_.refused_full_; return Turn::pushed_out;
    case State::outside:
    case State::waiting: break;
  }
  if (scope.cancelled()) return Turn::cancelled;
  ++queue_.refused_timeout_;
  return Turn::timed_out;
}

}  // namespace candor
