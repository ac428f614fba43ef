// Says that file descriptors have run out, and that there are some again: once for all workers, and not more
// often than anybody wants to read it, however often it changes.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <string_view>
#include <utility>

#include "candor/core/time.hpp"

namespace candor {

/// What the workers share. Thread-safe.
class DescriptorShortage {
 public:
  using Say = std::function<void(std::string_view)>;

  explicit DescriptorShortage(Say const& say) : say_(say) {}

  /// A worker found none. `newly`: it had found some before.
  void goes_on(Instant now, bool newly) {
    std::lock_guard const held(lock_);
    if (newly) ++workers_;
    if (told_ || now < silent_until_) return;
    silent_until_ = now + pause;
    told_ = true;
    say("no file descriptors left for new connections: they wait (raise the limit on open files, of which "
        "callers get half, or lower limits.connections)");
  }
  /// One that had found none has enough again.
  void ends_for_one() {
    std::lock_guard const held(lock_);
    if (--workers_ > 0 || !told_) return;
    told_ = false;
    say("there are file descriptors again");
  }

  static constexpr Duration pause = 10s;

 private:
  void say(std::string_view line) const {
    if (say_) say_(line);
  }

  Say const& say_;
  std::mutex lock_;
  std::size_t workers_ = 0;  // that have found none
  Instant silent_until_{};
  bool told_ = false;
};

/// One worker's part in it.
class DescriptorAlarm {
 public:
  explicit DescriptorAlarm(DescriptorShortage& shortage) : shortage_(shortage) {}

  /// Callers can't be accepted: they wait.
  void callers_wait(Instant now) {
    callers_wait_ = true;
    none_left(now);
  }
  void all_callers_accepted() {
    callers_wait_ = false;
    enough();
  }
  /// An endpoint can't be connected to.
  void none_left(Instant now) { shortage_.goes_on(now, !std::exchange(out_, true)); }
  void connected() {
    if (!callers_wait_) enough();
  }

 private:
  void enough() {
    if (std::exchange(out_, false)) shortage_.ends_for_one();
  }

  DescriptorShortage& shortage_;
  bool out_ = false;
  bool callers_wait_ = false;
};

}  // namespace candor
