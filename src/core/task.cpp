#include "candor/core/task.hpp"

#include <utility>

namespace candor {

// One task of a group, in the promise of the coroutine around it: it leaves its group when the task has
// ended, and its frame goes with it.
struct TaskGroup::Root {
  TaskGroup* group = nullptr;
  Root* previous = nullptr;
  Root* next = nullptr;
  std::coroutine_handle<> handle;

  void unlink() {
    (previous ? previous->next : group->first_) = next;
    if (next) next->previous = previous;
    --group->count_;
  }
};

namespace {

struct RootCoroutine {
  struct promise_type : TaskGroup::Root {
    static void* operator new(std::size_t size) { return detail::allocate_frame(size); }
    static void operator delete(void* frame, std::size_t size) { detail::release_frame(frame, size); }

    RootCoroutine get_return_object() {
      handle = std::coroutine_handle<promise_type>::from_promise(*this);
      return {this};
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept {
      unlink();
      return {};
    }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::terminate(); }
  };

  TaskGroup::Root* root;
};

RootCoroutine run(Task<void> task) { co_await task; }

}  // namespace

void TaskGroup::spawn(Task<void> task) {
  Root* root = run(std::move(task)).root;
  root->group = this;
  root->next = first_;
  if (first_) first_->previous = root;
  first_ = root;
  ++count_;
  root->handle.resume();
}

void TaskGroup::clear() {
  while (first_) {
    Root* root = first_;
    root->unlink();
    root->handle.destroy();
  }
}

TaskGroup::~TaskGroup() { clear(); }

}  // namespace candor
