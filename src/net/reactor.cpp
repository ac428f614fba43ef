#include "candor/net/reactor.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>

#include "candor/net/server.hpp"

namespace candor {

namespace {

constexpr std::size_t events_a_turn = 256;
/// How old a reading of the time of day may be: clocks are set, and a machine that slept has not counted it.
constexpr Duration wall_stands_for = 1s;

[[noreturn]] void throw_errno(char const* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

WallTime wall_now() { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

}  // namespace

Instant monotonic_now() {
  return Instant{std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch())};
}

WallClock wall_clock() { return {monotonic_now(), wall_now()}; }

Clocks machine_clocks() { return {monotonic_now, wall_now}; }

Reactor::Reactor(Clocks clocks)
    : clocks_(clocks),
      scheduler_(clocks.monotonic()),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      bell_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (!epoll_) throw_errno("epoll");
  if (!bell_) throw_errno("eventfd");
  if (!watch(bell_.get(), doorbell_)) throw_errno("epoll");
  read_wall();
}

void Reactor::read_wall() {
  auto const now = scheduler_.now();
  if (now < wall_due_) return;
  scheduler_.set_wall({now, clocks_.wall()});
  wall_due_ = now + wall_stands_for;
}

/// What the kernel may wait, in its milliseconds: rounded up, so that a turn finds its timer due.
int Reactor::longest_wait() const {
  constexpr std::int64_t longest = 60'000;
  auto const due = scheduler_.next_due();
  if (!due) return -1;
  if (*due <= scheduler_.now()) return 0;
  // From now, not from the turn's beginning: it may have been a long one.
  auto const wait = std::chrono::ceil<std::chrono::milliseconds>(*due - clocks_.monotonic()).count();
  return static_cast<int>(std::clamp<std::int64_t>(wait, 0, longest));
}

bool Reactor::watch(int fd, EventSink& sink) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = &sink;
  return epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

void Reactor::forget(int fd) { epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

void Reactor::run() {
  scheduler_.advance(clocks_.monotonic());
  while (!stopped_) turn();
}

void Reactor::turn() {
  std::array<epoll_event, events_a_turn> events;  // filled as far as `ready` says
  int ready = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), longest_wait());
  // Interrupted, for however long: what has come meanwhile is looked at before what is overdue.
  while (ready < 0 && errno == EINTR) {
    ready = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
  }
  told_all_ = ready < static_cast<int>(events.size());
  scheduler_.set_now(clocks_.monotonic());
  read_wall();
  for (int i = 0; i < ready; ++i) {
    auto const& event = events[static_cast<std::size_t>(i)];
    static_cast<EventSink*>(event.data.ptr)->on_events(event.events);
  }
  if (doorbell_.rung) run_posted();
  scheduler_.advance(scheduler_.now());
}

void Reactor::post(std::function<void()> action) {
  {
    std::lock_guard const lock(posted_lock_);
    posted_.push_back(std::move(action));
  }
  // Full, it has been rung often enough.
  eventfd_write(bell_.get(), 1);
}

void Reactor::run_posted() {
  doorbell_.rung = false;
  eventfd_t rings = 0;
  eventfd_read(bell_.get(), &rings);
  std::vector<std::function<void()>> actions;
  {
    std::lock_guard const lock(posted_lock_);
    actions.swap(posted_);
  }
  for (auto& action : actions) action();
}

}  // namespace candor
