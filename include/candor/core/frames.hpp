// Where the frames of coroutines come from, and what else a request has one of: a free list per thread and
// size, so that in steady state a request allocates nothing. A block may be released on another thread.
#pragma once

#include <array>
#include <cstddef>
#include <new>

namespace candor::detail {

// The address sanitizer sees a use of a dead frame only if it has gone back to the allocator.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool keeps_frames = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
inline constexpr bool keeps_frames = false;
#else
inline constexpr bool keeps_frames = true;
#endif
#else
inline constexpr bool keeps_frames = true;
#endif

// Frames are kept in size classes of 64 bytes up to 2 KiB; larger ones go to the allocator. A class keeps at
// most `kept` frames, so that a burst of sessions does not pin its memory for ever.
struct FrameClass {
  static constexpr std::size_t step = 64;
  static constexpr std::size_t count = 32;
  static constexpr std::size_t kept = 256;
  static constexpr std::size_t of(std::size_t size) { return (size - 1) / step; }

  struct Free {
    Free* next;
  };
  Free* first = nullptr;
  std::size_t room = 0;  // for so many more; none before the thread's first frame and after its last
};

// Plain data, so that to reach it takes no look whether it has been made: the sizes are known where frames
// are made, and all this comes down to a few instructions there.
extern constinit thread_local std::array<FrameClass, FrameClass::count> frame_classes;

void* allocate_new_frame(std::size_t size);
void release_for_good(void* frame) noexcept;

inline void* allocate_frame(std::size_t size) {
  if (keeps_frames && FrameClass::of(size) < FrameClass::count) {
    auto& kept = frame_classes[FrameClass::of(size)];
    if (auto* const frame = kept.first) {
      kept.first = frame->next;
      ++kept.room;
      return frame;
    }
  }
  return allocate_new_frame(size);
}

inline void release_frame(void* frame, std::size_t size) noexcept {
  if (keeps_frames && FrameClass::of(size) < FrameClass::count) {
    auto& kept = frame_classes[FrameClass::of(size)];
    if (kept.room > 0) {
      kept.first = new (frame) FrameClass::Free{kept.first};
      --kept.room;
      return;
    }
  }
  release_for_good(frame);
}

}  // namespace candor::detail
