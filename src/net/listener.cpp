#include "listener.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace candor {

namespace {

constexpr int backlog = 4096;  // the kernel lowers it to net.core.somaxconn
constexpr int accepts_a_turn = 64;
/// How long callers wait in the backlog before we look again whether there is a descriptor for them.
constexpr Duration descriptor_pause = 100ms;

[[noreturn]] void refuse(std::string const& what) {
  throw std::runtime_error("cannot listen on " + what + ": " + std::generic_category().message(errno));
}

Descriptor bind_to(Address const& address, bool shared, std::string const& what) {
  Descriptor fd{::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!fd) refuse(what);
  int const on = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (shared && setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) refuse(what);
  if (::bind(fd.get(), address.data(), address.size()) != 0) refuse(what);
  return fd;
}

/// Of the socket that stands there; 0: there is none.
std::uint64_t socket_file(std::string const& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0 || !S_ISSOCK(found.st_mode)) return 0;
  return found.st_ino;
}

/// Whether a socket's file was left behind by one who listens no more.
bool is_left_behind(Address const& address, std::string const& path) {
  if (socket_file(path) == 0) return false;
  Descriptor const caller{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  return caller && ::connect(caller.get(), address.data(), address.size()) != 0 && errno == ECONNREFUSED;
}

/// To be accepted.
bool somebody_waits(int listening) {
  pollfd waiting{.fd = listening, .events = POLLIN, .revents = 0};
  return ::poll(&waiting, 1, 0) > 0;
}

}  // namespace

ListeningPath::ListeningPath(Address const& address, std::string path, std::string const& what)
    : path_(std::move(path)), what_(what) {
  if (is_left_behind(address, path_)) ::unlink(path_.c_str());
  socket_ = bind_to(address, false, what_);
  file_ = socket_file(path_);
  if (::listen(socket_.get(), backlog) != 0) refuse(what_);
}

ListeningPath::~ListeningPath() {
  if (file_ != 0 && socket_file(path_) == file_) ::unlink(path_.c_str());
}

Descriptor ListeningPath::share() const {
  Descriptor copy{::fcntl(socket_.get(), F_DUPFD_CLOEXEC, 0)};
  if (!copy) refuse(what_);
  return copy;
}

Descriptor listen_at(Address const& address, bool shared, std::string const& what) {
  auto fd = bind_to(address, shared, what);
  if (::listen(fd.get(), backlog) != 0) refuse(what);
  return fd;
}

Address free_address(Address const& address, std::string const& what) {
  auto const fd = bind_to(address, false, what);
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  getsockname(fd.get(), reinterpret_cast<sockaddr*>(&storage), &size);
  return {reinterpret_cast<sockaddr const*>(&storage), size};
}

Listener::Listener(Reactor& reactor, DescriptorAlarm& alarm, Descriptor listening, Callers callers)
    : reactor_(reactor), alarm_(alarm), listening_(std::move(listening)), callers_(std::move(callers)) {
  if (!reactor_.watch(listening_.get(), *this))
    throw std::system_error(errno, std::generic_category(), "epoll");
}

void Listener::on_events(std::uint32_t /*events*/) {
  // One of this turn may be handed out when it is closed already.
  if (listening_) reactor_.scheduler().soon(*this);
}

/// Whether somebody may still be waiting.
bool Listener::accept_some() {
  for (int i = 0; i < accepts_a_turn; ++i) {
    if (!closing_ && !callers_.may_come()) {
      somebody_waits(listening_.get()) ? let_wait() : alarm_.all_callers_accepted();
      return false;
    }
    Descriptor connection{::accept4(listening_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
    if (connection) {
      callers_.accepted(std::move(connection));
      continue;
    }
    switch (errno) {
      case EAGAIN: alarm_.all_callers_accepted(); return false;
      case EMFILE:
      case ENFILE:
      case ENOBUFS:
      case ENOMEM: let_wait(); return false;
      default: break;  // a caller who has already left, or an interruption: the next one
    }
  }
  return true;
}

void Listener::let_wait() {
  alarm_.callers_wait(reactor_.scheduler().now());
  reactor_.scheduler().after(*this, descriptor_pause);
}

// Edge-triggered: it goes on until there is nobody left, with other work in between.
void Listener::wake() {
  if (accept_some()) reactor_.scheduler().next_turn(*this);
}

void Listener::close() {
  if (!listening_) return;
  closing_ = true;
  for (int turns = 0; turns < backlog / accepts_a_turn && accept_some(); ++turns) {
  }
  disarm();
  reactor_.forget(listening_.get());
  listening_.reset();
}

}  // namespace candor
