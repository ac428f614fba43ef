// Coroutines of one worker. Not thread-safe: a task starts, waits and ends on the worker that made it.
#pragma once

#include <cassert>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <list>
#include <optional>
#include <utility>

#include "candor/core/frames.hpp"

namespace candor {

namespace detail {

/// What every promise shares: who waits for the end, and whether that one has really suspended.
///
/// A task runs inside its awaiter's await_suspend. If it ends there, the awaiter goes on without having been
/// suspended, so a loop over work that is always ready uses no stack in any build, optimised or not.
struct PromiseBase {
  static void* operator new(std::size_t size) { return allocate_frame(size); }
  static void operator delete(void* frame, std::size_t size) { release_frame(frame, size); }

  std::coroutine_handle<> awaiter;
  bool awaiter_sleeps = false;
  std::exception_ptr thrown;

  std::suspend_always initial_suspend() noexcept { return {}; }

  struct Final {
    bool await_ready() noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) noexcept {
      PromiseBase& promise = self.promise();
      if (promise.awaiter_sleeps) return promise.awaiter;
      return std::noop_coroutine();
    }
    void await_resume() noexcept {}
  };
  Final final_suspend() noexcept { return {}; }

  void unhandled_exception() noexcept { thrown = std::current_exception(); }
};

template <class T>
struct Promise : PromiseBase {
  std::optional<T> value;

  auto get_return_object() { return std::coroutine_handle<Promise>::from_promise(*this); }
  template <class U>
  void return_value(U&& result) {
    value.emplace(std::forward<U>(result));
  }
  T&& take() { return std::move(look()); }
  T& look() {
    if (thrown) std::rethrow_exception(thrown);
    return *value;
  }
};

template <>
struct Promise<void> : PromiseBase {
  auto get_return_object() { return std::coroutine_handle<Promise>::from_promise(*this); }
  void return_void() noexcept {}
  void look() const { take(); }
  void take() const {
    if (thrown) std::rethrow_exception(thrown);
  }
};

}  // namespace detail

/// A lazy coroutine: it starts when it is awaited and is awaited once. Dropping a task that is suspended ends
/// it: its locals are destroyed from the inside out, so what they hold is given back.
template <class T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::Promise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  Task(Handle handle) : handle_(handle) {}  // NOLINT: made by the promise
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> awaiter) {
    auto& promise = handle_.promise();
    promise.awaiter = awaiter;
    handle_.resume();
    if (handle_.done()) return false;
    promise.awaiter_sleeps = true;
    return true;
  }
  /// What it has come to, in its frame, which ends with the expression that awaits it.
  decltype(auto) await_resume() { return handle_.promise().take(); }

  /// For owners that start a task without awaiting it: SideTask and TaskGroup.
  Handle release() { return std::exchange(handle_, {}); }

 private:
  Handle handle_;
};

/// A task that runs beside the coroutine that made it: started at once, joined or ended by its owner.
template <class T = void>
class SideTask {
 public:
  explicit SideTask(Task<T> task) : handle_(task.release()) { handle_.resume(); }
  SideTask(SideTask const&) = delete;
  SideTask& operator=(SideTask const&) = delete;
  ~SideTask() { handle_.destroy(); }

  [[nodiscard]] bool done() const { return handle_.done(); }
  /// What it has come to, once it is done. Throws what escaped the task.
  decltype(auto) result() const { return handle_.promise().look(); }

  /// Who goes on when it ends; none: nobody does. One that is told has to be suspended until then.
  void tell(std::coroutine_handle<> waiter) const {
    handle_.promise().awaiter = waiter;
    handle_.promise().awaiter_sleeps = static_cast<bool>(waiter);
  }

  /// Waits for its end; at most one waiter.
  auto join() {
    struct Join {
      SideTask const& task;
      bool await_ready() const { return task.done(); }
      void await_suspend(std::coroutine_handle<> awaiter) const { task.tell(awaiter); }
      decltype(auto) await_resume() const { return task.handle_.promise().take(); }
    };
    return Join{*this};
  }

 private:
  typename Task<T>::Handle handle_;
};

template <class T>
SideTask(Task<T>) -> SideTask<T>;

/// Owns tasks that nobody awaits, such as the sessions of a worker. A task that ends leaves by itself; what
/// is left when the group goes is ended. Ask wait_empty() to let all of them finish.
class TaskGroup {
 public:
  TaskGroup() = default;
  TaskGroup(TaskGroup const&) = delete;
  TaskGroup& operator=(TaskGroup const&) = delete;
  ~TaskGroup();

  /// Starts it now. An exception that escapes the task ends the process: nothing above could answer for it.
  void spawn(Task<void> task);

  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] bool empty() const { return count_ == 0; }

  /// Ends all that still runs.
  void clear();

  struct Root;  ///< the coroutine that holds one task; implementation

 private:
  Root* first_ = nullptr;
  std::size_t count_ = 0;
  friend struct Root;
};

}  // namespace candor
