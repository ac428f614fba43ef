// How much one transfer may move before the others on its worker get their turn. One worker's.
#pragma once

#include <cstddef>

#include "candor/core/scheduler.hpp"

namespace candor {

/// As long as both sides of a transfer are ready it would never wait, and so nobody else would run. Ask after
/// each step, and yield when it says so.
class Fairness {
 public:
  explicit Fairness(Scheduler const& scheduler) : scheduler_(scheduler), turn_(scheduler.now()) {}

  /// Whether this turn's share is used up, with these bytes.
  [[nodiscard]] bool used_up(std::size_t bytes) {
    if (scheduler_.now() != turn_) {
      turn_ = scheduler_.now();
      moved_ = 0;
      steps_ = 0;
    }
    moved_ += bytes;
    return moved_ >= most_bytes || ++steps_ >= most_steps;
  }

 private:
  static constexpr std::size_t most_bytes = std::size_t{256} * 1024;
  static constexpr unsigned most_steps = 16;

  Scheduler const& scheduler_;
  Instant turn_;
  std::size_t moved_ = 0;
  unsigned steps_ = 0;
};

}  // namespace candor
