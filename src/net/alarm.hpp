// Says once that something has run out, and once that there is some again. One worker's.
#pragma once

#include <functional>
#include <string_view>

namespace candor {

class DescriptorAlarm {
 public:
  explicit DescriptorAlarm(std::function<void(std::string_view)> const& say) : say_(say) {}

  void out_of_descriptors() {
    if (!raised_ && say_) {
      say_(
          "no file descriptors left: new connections wait (raise the limit on open files, or lower "
          "limits.connections)");
    }
    raised_ = true;
  }
  void got_descriptor() {
    if (raised_ && say_) say_("file descriptors are free again");
    raised_ = false;
  }

 private:
  std::function<void(std::string_view)> const& say_;
  bool raised_ = false;
};

}  // namespace candor
