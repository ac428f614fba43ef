#include "candor/core/scheduler.hpp"

#include <algorithm>
#include <utility>

namespace candor {

namespace {
constexpr std::size_t children = 4;
}

void Wakeup::disarm() {
  if (scheduler_) scheduler_->forget(*this);
}

Scheduler::~Scheduler() {
  while (!heap_.empty()) forget(*heap_.back());
  while (ready_.first) forget(*ready_.first);
  while (next_.first) forget(*next_.first);
}

bool Scheduler::earlier(Wakeup const& a, Wakeup const& b) {
  return a.at_ != b.at_ ? a.at_ < b.at_ : a.order_ < b.order_;
}

void Scheduler::at(Wakeup& wakeup, Instant when) {
  wakeup.disarm();
  wakeup.scheduler_ = this;
  wakeup.at_ = std::max(when, now_);
  wakeup.order_ = orders_++;
  heap_.push_back(&wakeup);
  place(heap_.size() - 1, &wakeup);
  sift_up(heap_.size() - 1);
}

void Scheduler::append(List& list, std::size_t slot, Wakeup& wakeup) {
  wakeup.disarm();
  wakeup.scheduler_ = this;
  wakeup.slot_ = slot;
  wakeup.previous_ = list.last;
  wakeup.next_ = nullptr;
  (list.last ? list.last->next_ : list.first) = &wakeup;
  list.last = &wakeup;
}

void Scheduler::soon(Wakeup& wakeup) { append(ready_, Wakeup::in_ready_list, wakeup); }
void Scheduler::next_turn(Wakeup& wakeup) { append(next_, Wakeup::in_next_list, wakeup); }

void Scheduler::forget(Wakeup& wakeup) {
  if (wakeup.slot_ >= Wakeup::in_next_list) {
    List& list = wakeup.slot_ == Wakeup::in_ready_list ? ready_ : next_;
    (wakeup.previous_ ? wakeup.previous_->next_ : list.first) = wakeup.next_;
    (wakeup.next_ ? wakeup.next_->previous_ : list.last) = wakeup.previous_;
    wakeup.previous_ = wakeup.next_ = nullptr;
  } else {
    std::size_t const slot = wakeup.slot_;
    Wakeup* last = heap_.back();
    heap_.pop_back();
    if (last != &wakeup) {
      place(slot, last);
      sift_up(slot);
      sift_down(last->slot_);
    }
  }
  wakeup.scheduler_ = nullptr;
}

void Scheduler::place(std::size_t slot, Wakeup* wakeup) {
  heap_[slot] = wakeup;
  wakeup->slot_ = slot;
}

void Scheduler::sift_up(std::size_t slot) {
  Wakeup* moving = heap_[slot];
  while (slot > 0) {
    std::size_t const parent = (slot - 1) / children;
    if (!earlier(*moving, *heap_[parent])) break;
    place(slot, heap_[parent]);
    slot = parent;
  }
  place(slot, moving);
}

void Scheduler::sift_down(std::size_t slot) {
  Wakeup* moving = heap_[slot];
  for (;;) {
    std::size_t const first = slot * children + 1;
    if (first >= heap_.size()) break;
    std::size_t const end = std::min(first + children, heap_.size());
    std::size_t least = first;
    for (std::size_t child = first + 1; child < end; ++child) {
      if (earlier(*heap_[child], *heap_[least])) least = child;
    }
    if (!earlier(*heap_[least], *moving)) break;
    place(slot, heap_[least]);
    slot = least;
  }
  place(slot, moving);
}

std::optional<Instant> Scheduler::next_due() const {
  if (ready_.first || next_.first) return now_;
  if (heap_.empty()) return std::nullopt;
  return std::max(heap_.front()->at_, now_);
}

void Scheduler::run_ready() {
  while (ready_.first) {
    Wakeup& wakeup = *ready_.first;
    forget(wakeup);
    wakeup.wake();
  }
}

void Scheduler::advance(Instant now) {
  set_now(now);
  while (next_.first) soon(*next_.first);
  run_ready();
  while (!heap_.empty() && heap_.front()->at_ <= now_) {
    Wakeup& wakeup = *heap_.front();
    forget(wakeup);
    wakeup.wake();
    run_ready();
  }
}

}  // namespace candor
