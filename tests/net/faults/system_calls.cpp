// What stands before the C library's calls; see fault.hpp. Not to be called by hand.
#include <dlfcn.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <ctime>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "candor/net/server.hpp"
#include "fault.hpp"

namespace candor::test {

namespace {

struct Plan {
  std::mutex lock;
  std::optional<Fault> fault;
  unsigned first = 0;
  unsigned end = 0;
  unsigned seen = 0;
};

Plan plan;
std::atomic<std::int64_t> ahead{0};  // of the real clock, in nanoseconds

/// A socket as its worker registered it, and what has become of it.
struct Peer {
  int epoll = -1;
  epoll_event event{};
  bool ended = false;   // reads find the end
  bool broken = false;  // writes find nobody
};

thread_local bool is_worker = false;
thread_local std::map<int, Peer> peers;
thread_local bool overtakes_a_pause = false;

/// The trick, if this call is the one.
std::optional<Trick> meet(Operation operation) {
  if (!is_worker) return std::nullopt;
  std::lock_guard const held(plan.lock);
  if (!plan.fault || plan.fault->operation != operation) return std::nullopt;
  ++plan.seen;
  if (plan.seen < plan.first || plan.seen >= plan.end) return std::nullopt;
  return plan.fault->trick;
}

/// Whether the clock has jumped: what is left waiting then waits for its own timer, and need not do so in
/// real time.
bool time_flies() {
  std::lock_guard const held(plan.lock);
  bool const jumps =
      plan.fault && (plan.fault->trick == Trick::hour || plan.fault->trick == Trick::hour_of_late);
  return jumps && plan.first > 0 && plan.seen >= plan.first;
}

void move_on(Duration by) { ahead += std::chrono::nanoseconds{by}.count(); }

/// The call that ours hides.
template <class Call>
Call* hidden(char const* name) {
  return reinterpret_cast<Call*>(dlsym(RTLD_NEXT, name));
}

int fail(int error) {
  errno = error;
  return -1;
}

/// Has the kernel tell once more what the socket is ready for, as it would after it was not.
void tell_again(int fd) {
  auto& peer = peers[fd];
  ::epoll_ctl(peer.epoll, EPOLL_CTL_MOD, fd, &peer.event);
}

/// No more comes; the peer itself learns nothing of it.
void end_reading(int fd) {
  peers[fd].ended = true;
  ::shutdown(fd, SHUT_RD);
}

int break_off(int fd, int error) {
  end_reading(fd);
  peers[fd].broken = true;
  return fail(error);
}

/// What the tricks make of a read; nothing: it is to be done.
std::optional<ssize_t> read_with(Trick trick, int fd) {
  switch (trick) {
    case Trick::reset: return break_off(fd, ECONNRESET);
    case Trick::end: end_reading(fd); return 0;
    case Trick::blocked: tell_again(fd); return fail(EAGAIN);
    case Trick::interrupted: return fail(EINTR);
    default: return std::nullopt;
  }
}

std::optional<ssize_t> write_with(Trick trick, int fd) {
  switch (trick) {
    case Trick::reset: return break_off(fd, ECONNRESET);
    case Trick::broken_pipe: return break_off(fd, EPIPE);
    case Trick::blocked: tell_again(fd); return fail(EAGAIN);
    case Trick::interrupted: return fail(EINTR);
    default: return std::nullopt;
  }
}

}  // namespace

void arm(Fault fault, unsigned which, unsigned times) {
  std::lock_guard const held(plan.lock);
  plan.fault = fault;
  plan.first = which;
  plan.end = which == 0 ? 0 : which + times;
  plan.seen = 0;
}

unsigned disarm() {
  std::lock_guard const held(plan.lock);
  plan.fault.reset();
  return plan.seen;
}

Instant workers_now() {
  return monotonic_now() + std::chrono::duration_cast<Duration>(std::chrono::nanoseconds{ahead.load()});
}

}  // namespace candor::test

using namespace candor::test;  // NOLINT: what follows has to stand outside
using namespace std::chrono_literals;

extern "C" {

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  static auto* const real = hidden<decltype(::clock_gettime)>("clock_gettime");
  int const result = real(clock, time);
  if (result != 0 || clock != CLOCK_MONOTONIC || !is_worker) return result;
  constexpr std::int64_t second = 1'000'000'000;
  auto const nanoseconds = time->tv_nsec + ahead.load();
  time->tv_sec += nanoseconds / second;
  time->tv_nsec = nanoseconds % second;
  return 0;
}

int epoll_wait(int epoll, epoll_event* events, int most, int timeout) {
  static auto* const real = hidden<decltype(::epoll_wait)>("epoll_wait");
  is_worker = true;
  auto const trick = meet(Operation::wait);
  if (trick == Trick::hour) {
    move_on(1h);
    return 0;
  }
  if (std::exchange(overtakes_a_pause, false)) {
    move_on(1s);
    return 0;
  }
  if (trick == Trick::interrupted) return fail(EINTR);
  constexpr int for_others = 100;  // milliseconds
  bool const shortened = timeout > for_others && time_flies();
  int const ready = real(epoll, events, most, shortened ? for_others : timeout);
  if (trick == Trick::hour_of_late || (shortened && ready == 0)) move_on(1h);
  return ready;
}

int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept {
  static auto* const real = hidden<decltype(::epoll_ctl)>("epoll_ctl");
  if (is_worker && operation == EPOLL_CTL_ADD) {
    if (meet(Operation::watch)) return fail(ENOSPC);
    peers[fd] = {.epoll = epoll, .event = *event};
  }
  return real(epoll, operation, fd, event);
}

int socket(int family, int type, int protocol) noexcept {
  static auto* const real = hidden<decltype(::socket)>("socket");
  if (meet(Operation::socket)) return fail(EMFILE);
  return real(family, type, protocol);
}

int connect(int fd, sockaddr const* address, socklen_t size) {
  static auto* const real = hidden<decltype(::connect)>("connect");
  if (auto const trick = meet(Operation::connect)) {
    return fail(trick == Trick::refused ? ECONNREFUSED : EADDRNOTAVAIL);
  }
  return real(fd, address, size);
}

int getsockopt(int fd, int level, int option, void* value, socklen_t* size) noexcept {
  static auto* const real = hidden<decltype(::getsockopt)>("getsockopt");
  int const result = real(fd, level, option, value, size);
  if (level == SOL_SOCKET && option == SO_ERROR && meet(Operation::connected)) {
    *static_cast<int*>(value) = ECONNREFUSED;
  }
  return result;
}

int accept4(int listening, sockaddr* address, socklen_t* size, int flags) {
  static auto* const real = hidden<decltype(::accept4)>("accept4");
  auto const trick = meet(Operation::accept);
  if (trick == Trick::no_descriptors) {
    overtakes_a_pause = true;
    return fail(EMFILE);
  }
  if (trick == Trick::interrupted) return fail(EINTR);
  int const taken = real(listening, address, size, flags);
  if (trick == Trick::left) {
    if (taken >= 0) ::close(taken);
    return fail(ECONNABORTED);
  }
  if (is_worker && taken >= 0) peers.erase(taken);
  return taken;
}

ssize_t recv(int fd, void* to, std::size_t size, int flags) {
  static auto* const real = hidden<decltype(::recv)>("recv");
  if (!is_worker) return real(fd, to, size, flags);
  auto const trick = meet(Operation::read);
  if (peers[fd].ended) return 0;
  if (trick) {
    if (auto const done = read_with(*trick, fd)) return *done;
    size = std::min<std::size_t>(size, 1);
  }
  auto const got = real(fd, to, size, flags);
  if (got == 0) peers[fd].ended = true;
  if (trick && got > 0) tell_again(fd);
  return got;
}

ssize_t send(int fd, void const* from, std::size_t size, int flags) {
  static auto* const real = hidden<decltype(::send)>("send");
  if (!is_worker) return real(fd, from, size, flags);
  auto const trick = meet(Operation::write);
  if (peers[fd].broken) return fail(EPIPE);
  if (trick) {
    if (auto const done = write_with(*trick, fd)) return *done;
    size = std::min<std::size_t>(size, 1);
  }
  return real(fd, from, size, flags);
}

ssize_t sendmsg(int fd, msghdr const* message, int flags) {
  static auto* const real = hidden<decltype(::sendmsg)>("sendmsg");
  if (!is_worker) return real(fd, message, flags);
  auto const trick = meet(Operation::write);
  if (peers[fd].broken) return fail(EPIPE);
  if (!trick) return real(fd, message, flags);
  if (auto const done = write_with(*trick, fd)) return *done;
  iovec first{.iov_base = message->msg_iov[0].iov_base, .iov_len = 1};
  msghdr shorter = *message;
  shorter.msg_iov = &first;
  shorter.msg_iovlen = 1;
  return real(fd, &shorter, flags);
}

}  // extern "C"
