// How other threads reach a worker. Thread-safe.
#pragma once

#include <functional>

namespace candor {

class Mailbox {
 public:
  /// Runs the action on the worker's thread, at its next turn; never from in here. For rare things.
  virtual void post(std::function<void()> action) = 0;

 protected:
  ~Mailbox() = default;
};

}  // namespace candor
