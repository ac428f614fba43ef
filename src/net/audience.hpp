// Thread-safe, once all are admitted. The workers that can still be told something. Those who tell may
// outlive the server: they share it.
#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "worker.hpp"

namespace candor {

class Audience {
 public:
  void admit(Worker& worker) { workers_.push_back(&worker); }
  void tell(std::function<void(Worker&)> const& what) {
    std::lock_guard const held(lock_);
    for (auto* worker : workers_) worker->post([worker, what] { what(*worker); });
  }
  void dismiss() {
    std::lock_guard const held(lock_);
    workers_.clear();
  }

 private:
  std::mutex lock_;
  std::vector<Worker*> workers_;
};

}  // namespace candor
