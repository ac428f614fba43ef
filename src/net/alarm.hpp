// Says that descriptors have run out, and that there are some again; not more often than anybody wants to
// read it, however often it changes. One worker's.
#pragma once

#include <functional>
#include <string_view>

#include "candor/core/time.hpp"

namespace candor {

class DescriptorAlarm {
 public:
  explicit DescriptorAlarm(std::function<void(std::string_view)> const& say) : say_(say) {}

  void out_of_descriptors(Instant now) {
    if (now < silent_until_) return;
    silent_until_ = now + pause;
    told_ = true;
    say("no file descriptors left: new connections wait (raise the limit on open files, or lower "
        "limits.connections)");
  }
  /// Nobody waits for one any more.
  void enough_descriptors() {
    if (told_) say("there are file descriptors again");
    told_ = false;
  }

  static constexpr Duration pause = 10s;

 private:
  void say(std::string_view line) const {
    if (say_) say_(line);
  }

  std::function<void(std::string_view)> const& say_;
  Instant silent_until_{};
  bool told_ = false;
};

}  // namespace candor
