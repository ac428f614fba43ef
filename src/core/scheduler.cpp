#include "candor/core/scheduler.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace candor {

namespace {
constexpr std::size_t children = 4;
constexpr int most_steps = 4;
}  // namespace

void Wakeup::disarm() {
  if (scheduler_) scheduler_->forget(*this);
}

Scheduler::~Scheduler() {
  for (auto const& list : lists_) {
    while (list.first) forget(*list.first);
  }
  while (!heap_.empty()) forget(*heap_.back());
}

bool Scheduler::earlier(Wakeup const& a, Wakeup const& b) {
  return a.at_ != b.at_ ? a.at_ < b.at_ : a.order_ < b.order_;
}

void Scheduler::at(Wakeup& wakeup, Instant when) {
  wakeup.disarm();
  wakeup.scheduler_ = this;
  wakeup.at_ = std::max(when, now_);
  wakeup.order_ = orders_++;
  Duration const delay = wakeup.at_ - now_;
  std::size_t const row = std::bit_width(static_cast<std::uint64_t>(delay.count())) % row_count;
  // Past the few of a slightly longer delay that may be there.
  auto* before = lists_[row].last;
  for (int steps = 0; before && before->at_ > wakeup.at_; ++steps) {
    if (steps == most_steps) return push(wakeup);
    before = before->previous_;
  }
  insert(row, before, wakeup);
}

void Scheduler::soon(Wakeup& wakeup) {
  wakeup.disarm();
  wakeup.scheduler_ = this;
  insert(ready_list, lists_[ready_list].last, wakeup);
}

void Scheduler::next_turn(Wakeup& wakeup) {
  wakeup.disarm();
  wakeup.scheduler_ = this;
  insert(next_list, lists_[next_list].last, wakeup);
}

void Scheduler::forget(Wakeup& wakeup) {
  if (wakeup.slot_ < list_count) {
    unlink(wakeup);
  } else {
    remove(wakeup.slot_ - list_count);
  }
  wakeup.scheduler_ = nullptr;
}

/// `before`: absent, it will be the first.
void Scheduler::insert(std::size_t list, Wakeup* before, Wakeup& wakeup) {
  auto& [first, last] = lists_[list];
  auto& after = before ? before->next_ : first;
  wakeup.slot_ = list;
  wakeup.previous_ = before;
  wakeup.next_ = after;
  (after ? after->previous_ : last) = &wakeup;
  after = &wakeup;
}

void Scheduler::unlink(Wakeup& wakeup) {
  auto& [first, last] = lists_[wakeup.slot_];
  (wakeup.previous_ ? wakeup.previous_->next_ : first) = wakeup.next_;
  (wakeup.next_ ? wakeup.next_->previous_ : last) = wakeup.previous_;
}

/// Absent: there is none.
Wakeup* Scheduler::first_timer() const {
  Wakeup* first = heap_.empty() ? nullptr : heap_.front();
  for (std::size_t row = 0; row < row_count; ++row) {
    auto* const candidate = lists_[row].first;
    if (candidate && (!first || earlier(*candidate, *first))) first = candidate;
  }
  return first;
}

void Scheduler::push(Wakeup& wakeup) {
  heap_.push_back(&wakeup);
  sift_up(heap_.size() - 1);
}

void Scheduler::remove(std::size_t place) {
  Wakeup* const last = heap_.back();
  heap_.pop_back();
  if (place == heap_.size()) return;
  put(place, last);
  sift_up(place);
  sift_down(last->slot_ - list_count);
}

void Scheduler::put(std::size_t place, Wakeup* wakeup) {
  heap_[place] = wakeup;
  wakeup->slot_ = list_count + place;
}

void Scheduler::sift_up(std::size_t place) {
  Wakeup* moving = heap_[place];
  while (place > 0) {
    std::size_t const parent = (place - 1) / children;
    if (!earlier(*moving, *heap_[parent])) break;
    put(place, heap_[parent]);
    place = parent;
  }
  put(place, moving);
}

void Scheduler::sift_down(std::size_t place) {
  Wakeup* moving = heap_[place];
  for (;;) {
    std::size_t const first = place * children + 1;
    if (first >= heap_.size()) break;
    std::size_t const end = std::min(first + children, heap_.size());
    std::size_t least = first;
    for (std::size_t child = first + 1; child < end; ++child) {
      if (earlier(*heap_[child], *heap_[least])) least = child;
    }
    if (!earlier(*heap_[least], *moving)) break;
    put(place, heap_[least]);
    place = least;
  }
  put(place, moving);
}

std::optional<Instant> Scheduler::next_due() const {
  if (lists_[ready_list].first || lists_[next_list].first) return now_;
  auto const* const timer = first_timer();
  if (!timer) return std::nullopt;
  return std::max(timer->at_, now_);
}

void Scheduler::run_ready() {
  while (auto* const wakeup = lists_[ready_list].first) {
    forget(*wakeup);
    wakeup->wake();
  }
}

void Scheduler::advance(Instant now) {
  set_now(now);
  while (auto* const wakeup = lists_[next_list].first) soon(*wakeup);
  run_ready();
  for (auto* timer = first_timer(); timer && timer->at_ <= now_; timer = first_timer()) {
    forget(*timer);
    timer->wake();
    run_ready();
  }
}

}  // namespace candor
