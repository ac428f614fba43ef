#include "candor/app/signals.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <limits>
#include <system_error>

namespace candor::app {

namespace {

sigset_t awaited() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  return set;
}

int checked(int number, char const* what) {
  if (number < 0) throw std::system_error(errno, std::generic_category(), what);
  return number;
}

int open_signals() {
  auto const set = awaited();
  return checked(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), "signals");
}

int open_notifications() {
  return checked(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "notifications between threads");
}

}  // namespace

Signals::Signals() : signals_(open_signals()), notifications_(open_notifications()) {
  auto const set = awaited();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

Signals::Event Signals::wait() {
  constexpr int without_end = -1;
  for (;;) {
    if (auto const event = wait_milliseconds(without_end)) return *event;
  }
}

std::optional<Signals::Event> Signals::wait_for(Duration most) {
  auto const whole = std::chrono::ceil<std::chrono::milliseconds>(std::max(most, Duration{})).count();
  return wait_milliseconds(static_cast<int>(std::min<std::int64_t>(whole, std::numeric_limits<int>::max())));
}

void Signals::notify() const {
  std::uint64_t const one = 1;
  // It only fails when the count is full: then the main thread has been told often enough.
  [[maybe_unused]] auto const written = ::write(notifications_.get(), &one, sizeof one);
}

std::optional<Signals::Event> Signals::wait_milliseconds(int most) {
  std::array<pollfd, 2> watched{{{signals_.get(), POLLIN, 0}, {notifications_.get(), POLLIN, 0}}};
  if (::poll(watched.data(), watched.size(), most) <= 0) return std::nullopt;
  return take();
}

std::optional<Signals::Event> Signals::take() const {
  signalfd_siginfo info{};
  if (::read(signals_.get(), &info, sizeof info) == sizeof info) {
    return info.ssi_signo == SIGHUP ? Event::reload : Event::stop;
  }
  std::uint64_t count = 0;
  if (::read(notifications_.get(), &count, sizeof count) == sizeof count) return Event::notified;
  return std::nullopt;
}

}  // namespace candor::app
