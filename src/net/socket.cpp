#include "candor/net/socket.hpp"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

#include <cassert>
#include <cerrno>

namespace candor {

namespace {

void send_at_once(int fd) {
  int const on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

bool Socket::adopt(Descriptor fd) {
  send_at_once(fd.get());
  fd_ = std::move(fd);
  return reactor_.watch(fd_.get(), *this);
}

int Socket::connect(Address const& address) {
  Descriptor fd{::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!fd) return errno;
  send_at_once(fd.get());
  // Registered after connect(): before it the kernel would report a hang-up of a socket that isn't anything
  // yet.
  if (::connect(fd.get(), address.data(), address.size()) != 0 && errno != EINPROGRESS) return errno;
  readable_ = writable_ = hung_up_ = broken_ = false;
  fd_ = std::move(fd);
  return reactor_.watch(fd_.get(), *this) ? 0 : errno;
}

int Socket::connect_error() const {
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

Moved Socket::read(char* to, std::size_t size) {
  assert(size > 0);  // the kernel would answer as it does at the end
  if (!readable_) return {};
  ssize_t const got = ::recv(fd_.get(), to, size, 0);
  if (got > 0) {
    auto const bytes = static_cast<std::size_t>(got);
    // Less than was asked for: there is no more now, and the next edge says when. Unless the end has been
    // told already: it makes no further edge.
    if (bytes < size && !hung_up_) readable_ = false;
    return {.state = Moved::State::some, .bytes = bytes};
  }
  if (got == 0) return {.state = Moved::State::end};
  if (errno == EAGAIN || errno == EINTR) {
    readable_ = errno == EINTR;
    return {};
  }
  return {.state = Moved::State::broken, .error = errno};
}

bool Socket::peek_is_quiet() const {
  char next = 0;
  return ::recv(fd_.get(), &next, 1, MSG_PEEK) < 0 && errno == EAGAIN;
}

Moved Socket::write(std::span<iovec const> parts) {
  ssize_t sent = 0;
  if (parts.size() == 1) {
    sent = ::send(fd_.get(), parts[0].iov_base, parts[0].iov_len, MSG_NOSIGNAL);
  } else {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(parts.data());  // NOLINT: sendmsg() does not write to it
    message.msg_iovlen = parts.size();
    sent = ::sendmsg(fd_.get(), &message, MSG_NOSIGNAL);
  }
  if (sent > 0) return {.state = Moved::State::some, .bytes = static_cast<std::size_t>(sent)};
  if (sent == 0 || errno == EAGAIN || errno == EINTR) {
    writable_ = sent != 0 && errno == EINTR;
    return {};
  }
  return {.state = Moved::State::broken, .error = errno};
}

std::size_t Socket::unsent() const {
  int bytes = 0;
  if (ioctl(fd_.get(), SIOCOUTQ, &bytes) != 0) return 0;
  return static_cast<std::size_t>(bytes);
}

void Socket::shut_down_writing() { ::shutdown(fd_.get(), SHUT_WR); }

void Socket::abort_on_close() {
  linger const at_once{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

void Socket::on_events(std::uint32_t events) {
  bool const broke = (events & (EPOLLERR | EPOLLHUP)) != 0;
  bool const ended = broke || (events & EPOLLRDHUP) != 0;
  if (broke || (events & EPOLLOUT) != 0) {
    writable_ = true;
    if (writer_ != nullptr) writer_->on_ready();
  }
  if (ended || (events & EPOLLIN) != 0) {
    readable_ = true;
    if (reader_ != nullptr) {
      reader_->on_ready();
    } else if (watcher_ != nullptr) {
      watcher_->on_readable();
    }
  }
  if (ended && !hung_up_) {
    hung_up_ = true;
    if (watcher_ != nullptr) watcher_->on_hang_up();
  }
  if ((events & EPOLLERR) != 0 && !broken_) {
    broken_ = true;
    if (watcher_ != nullptr) watcher_->on_broken();
  }
}

void Socket::Wait::await_suspend(std::coroutine_handle<> waiter) {
  waiter_ = waiter;
  place() = this;
  if (until_) socket_.reactor_.scheduler().at(*this, *until_);
  scope_.listen(*this);
}

void Socket::Wait::on_ready() {
  ready_ = true;
  place() = nullptr;
  socket_.reactor_.scheduler().soon(*this);
}

void Socket::Wait::on_cancel() { socket_.reactor_.scheduler().soon(*this); }

void Socket::Wait::wake() {
  leave();
  unlisten();
  waiter_.resume();
}

void Socket::Wait::leave() {
  if (place() == this) place() = nullptr;
}

}  // namespace candor
