// A stream socket that never blocks. One worker's.
//
// Reading and writing are plain calls that say what happened; waiting is a separate step, taken only when the
// kernel is known to have nothing. So a request that finds its bytes in place costs no trip through the
// reactor.
#pragma once

#include <sys/uio.h>

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "candor/core/cancellation.hpp"
#include "candor/core/scheduler.hpp"
#include "candor/net/address.hpp"
#include "candor/net/reactor.hpp"

namespace candor {

/// What one read or write did.
struct Moved {
  enum class State : std::uint8_t {
    some,     ///< `bytes` of it, at least one
    blocked,  ///< nothing now; wait
    end,      ///< reading: the peer has ended its sending
    broken,   ///< `error`, an errno
  };
  State state = State::blocked;
  std::size_t bytes = 0;
  int error = 0;
};

/// How a wait for a socket ended.
enum class WaitEnd : std::uint8_t { ready, timed_out, cancelled };

class Socket final : private EventSink {
 public:
  class Wait;

  /// Hears that the peer ended or broke the connection, or that bytes came, while nobody waits for them.
  /// Under EventSink's rule: take note and schedule.
  class Watcher {
   public:
    virtual void on_readable() = 0;
    virtual void on_hang_up() = 0;
    /// It broke, maybe some time after the peer's end: nothing can be sent any more.
    virtual void on_broken() {}

   protected:
    ~Watcher() = default;
  };

  explicit Socket(Reactor& reactor) : reactor_(reactor) {}
  Socket(Socket const&) = delete;
  Socket& operator=(Socket const&) = delete;

  /// Takes a connected descriptor; false if the kernel has no room for it.
  [[nodiscard]] bool adopt(Descriptor fd);

  /// Begins to connect; 0 or an errno. Then wait for until_writable() and ask connect_error().
  [[nodiscard]] int connect(Address const& address);
  [[nodiscard]] int connect_error() const;

  [[nodiscard]] Moved read(char* to, std::size_t size);
  [[nodiscard]] Moved write(std::span<iovec const> parts);

  /// Waits until reading is worth a try, or `until`, or the scope is cancelled. Awaitable; one reader and one
  /// writer at a time.
  [[nodiscard]] Wait until_readable(CancelScope& scope, std::optional<Instant> until = {});
  [[nodiscard]] Wait until_writable(CancelScope& scope, std::optional<Instant> until = {});

  /// As far as the kernel has told: there is nothing to read, and the peer is there.
  [[nodiscard]] bool quiet() const { return !readable_ && !hung_up_; }
  /// The same, by asking the kernel now.
  [[nodiscard]] bool peek_is_quiet() const;
  /// The peer has ended its sending, or the connection broke.
  [[nodiscard]] bool hung_up() const { return hung_up_; }

  void set_watcher(Watcher* watcher) { watcher_ = watcher; }

  /// Bytes that were written and that the peer has not taken yet.
  [[nodiscard]] std::size_t unsent() const;

  /// No more will be sent; the peer reads an end.
  void shut_down_writing();
  /// Makes close() a reset: the peer can't take what it got for the whole.
  void abort_on_close();
  void close() { fd_.reset(); }
  [[nodiscard]] bool is_open() const { return static_cast<bool>(fd_); }

 private:
  void on_events(std::uint32_t events) override;

  Reactor& reactor_;
  Descriptor fd_;
  Watcher* watcher_ = nullptr;
  Wait* reader_ = nullptr;
  Wait* writer_ = nullptr;
  bool readable_ = false;
  bool writable_ = false;
  bool hung_up_ = false;
  bool broken_ = false;
};

class [[nodiscard]] Socket::Wait final : private Wakeup, private CancelListener {
 public:
  Wait(Socket& socket, bool reading, CancelScope& scope, std::optional<Instant> until)
      : socket_(socket), scope_(scope), until_(until), reading_(reading) {}
  ~Wait() override { leave(); }

  bool await_ready() {
    ready_ = reading_ ? socket_.readable_ : socket_.writable_;
    return ready_ || scope_.cancelled();
  }
  void await_suspend(std::coroutine_handle<> waiter);
  WaitEnd await_resume() const {
    if (scope_.cancelled()) return WaitEnd::cancelled;
    return ready_ ? WaitEnd::ready : WaitEnd::timed_out;
  }

 private:
  friend class Socket;

  void wake() override;
  void on_cancel() override;
  void on_ready();
  void leave();
  [[nodiscard]] Wait*& place() const { return reading_ ? socket_.reader_ : socket_.writer_; }

  Socket& socket_;
  CancelScope& scope_;
  std::optional<Instant> until_;
  std::coroutine_handle<> waiter_;
  bool reading_;
  bool ready_ = false;
};

inline Socket::Wait Socket::until_readable(CancelScope& scope, std::optional<Instant> until) {
  return Wait{*this, true, scope, until};
}
inline Socket::Wait Socket::until_writable(CancelScope& scope, std::optional<Instant> until) {
  return Wait{*this, false, scope, until};
}

}  // namespace candor
