// Calls something again and again, on a thread of its own. Made and ended by one thread.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "candor/core/time.hpp"

namespace candor::app {

class Ticker {
 public:
  Ticker(Duration every, std::function<void()> what);
  Ticker(Ticker const&) = delete;
  Ticker& operator=(Ticker const&) = delete;
  /// Waits for a call that is under way.
  ~Ticker();

 private:
  void run(Duration every);

  std::function<void()> what_;
  std::mutex lock_;
  std::condition_variable wake_;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace candor::app
