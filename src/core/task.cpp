#include "candor/core/task.hpp"

#include <array>
#include <new>

namespace candor {

namespace detail {

namespace {

// The address sanitizer sees a use of a dead frame only if it has gone back to the allocator.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool keeps_frames = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool keeps_frames = false;
#else
constexpr bool keeps_frames = true;
#endif
#else
constexpr bool keeps_frames = true;
#endif

// Frames are kept in size classes of 64 bytes up to 2 KiB; larger ones go to the allocator. A class keeps at
// most `kept` frames, so that a burst of sessions does not pin its memory for ever.
constexpr std::size_t class_size = 64;
constexpr std::size_t classes = 32;
constexpr std::size_t kept = 256;

struct FreeFrame {
  FreeFrame* next;
};

struct FrameCache {
  struct List {
    FreeFrame* first = nullptr;
    std::size_t count = 0;
  };
  std::array<List, classes> lists{};

  ~FrameCache() {
    for (auto& list : lists) {
      while (list.first) {
        FreeFrame* frame = std::exchange(list.first, list.first->next);
        ::operator delete(frame);
      }
    }
  }
};

FrameCache& cache() {
  thread_local FrameCache instance;
  return instance;
}

}  // namespace

void* allocate_frame(std::size_t size) {
  std::size_t const index = (size - 1) / class_size;
  if (!keeps_frames || index >= classes) return ::operator new(size);
  auto& list = cache().lists[index];
  if (list.first) {
    --list.count;
    return std::exchange(list.first, list.first->next);
  }
  return ::operator new((index + 1) * class_size);
}

void release_frame(void* frame, std::size_t size) noexcept {
  std::size_t const index = (size - 1) / class_size;
  if (keeps_frames && index < classes) {
    auto& list = cache().lists[index];
    if (list.count < kept) {
      list.first = new (frame) FreeFrame{list.first};
      ++list.count;
      return;
    }
  }
  ::operator delete(frame);
}

}  // namespace detail

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
