#include "candor/core/frames.hpp"

#include <new>

namespace candor::detail {

constinit thread_local std::array<FrameClass, FrameClass::count> frame_classes{};

namespace {

/// Opens the thread's classes, and gives back what they have kept when the thread ends.
struct Keeper {
  Keeper() {
    for (auto& each : frame_classes) each.room = FrameClass::kept;
  }
  Keeper(Keeper const&) = delete;
  Keeper& operator=(Keeper const&) = delete;
  ~Keeper() {
    for (auto& each : frame_classes) {
      each.room = 0;
      while (auto* const frame = each.first) {
        each.first = frame->next;
        ::operator delete(frame);
      }
    }
  }
};

}  // namespace

void* allocate_new_frame(std::size_t size) {
  thread_local Keeper const keeper;
  bool const is_large = FrameClass::of(size) >= FrameClass::count;
  return ::operator new(is_large ? size : (FrameClass::of(size) + 1) * FrameClass::step);
}

void release_for_good(void* frame) noexcept { ::operator delete(frame); }

}  // namespace candor::detail
