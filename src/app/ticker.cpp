#include "candor/app/ticker.hpp"

namespace candor::app {

Ticker::Ticker(Duration every, std::function<void()> what)
    : what_(std::move(what)), thread_([this, every] { run(every); }) {}

Ticker::~Ticker() {
  {
    std::lock_guard const held{lock_};
    ended_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Ticker::run(Duration every) {
  std::unique_lock held{lock_};
  while (!wake_.wait_for(held, every, [this] { return ended_; })) {
    held.unlock();
    what_();
    held.lock();
  }
}

}  // namespace candor::app
