// The bound of the budget while a stretch comes and goes, with many threads at it.
#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <thread>
#include <vector>

#include "candor/core/rng.hpp"
#include "candor/resilience/budget.hpp"
#include "resilience/driver.hpp"

namespace candor {
namespace {

struct Step {
  Instant at;
  bool stretched;
  std::atomic<std::uint64_t> requests = 0;
  std::atomic<std::uint64_t> retries = 0;
};

TEST(BudgetThreads, KeepTheBoundWhileTheStretchFlips) {
  constexpr unsigned threads = 8;
  BudgetSettings const settings{};
  Budget budget{settings};
  std::vector<Step> steps(300);
  Rng rng{1};
  auto now = test::start;
  bool stretched = false;
  for (auto& step : steps) {
    now += rng.between(1ms, 200ms);
    if (rng.chance(0.05)) stretched = !stretched;
    step.at = now;
    step.stretched = stretched;
  }
  std::barrier together{threads};
  {
    std::vector<std::jthread> crowd;
    for (unsigned t = 0; t < threads; ++t) {
      crowd.emplace_back([&, own = Rng{t}]() mutable {
        for (auto& step : steps) {
          together.arrive_and_wait();
          for (auto left = own.below(40); left > 0; --left) {
            budget.request(step.at, step.stretched);
            step.requests.fetch_add(1, std::memory_order_relaxed);
            auto token = budget.take(step.at);
            if (!token || own.chance(0.2)) continue;  // some are given back
            std::move(*token).spend(step.at);
            step.retries.fetch_add(1, std::memory_order_relaxed);
          }
        }
      });
    }
  }
  double fullest = 0;
  for (std::size_t first = 0; first < steps.size(); ++first) {
    double bound = settings.per_second * seconds(settings.over);
    double retries = 0;
    for (std::size_t i = first; i < steps.size() && steps[i].at - steps[first].at <= settings.over; ++i) {
      auto const ratio = steps[i].stretched ? *settings.stretch : settings.ratio;
      bound += ratio * static_cast<double>(steps[i].requests);
      retries += static_cast<double>(steps[i].retries);
      ASSERT_LE(retries, bound + 1e-6);
      fullest = std::max(fullest, retries / bound);
    }
  }
  EXPECT_GT(fullest, 0.99);
}

}  // namespace
}  // namespace candor
