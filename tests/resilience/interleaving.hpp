// What several threads see of one thing at the same time is what they would see one after the other, in some
// order that is possible: linearizability (M. Herlihy and J. Wing, ACM TOPLAS 12(3), 1990), found by search
// through the orders (J. Wing and C. Gong, Journal of Parallel and Distributed Computing 17, 1993).
//
// Threads make a few steps at the same time, over and over. After each round the orders that the steps'
// beginnings and ends allow are searched for one in which a sequential model shows each step the same result,
// and ends as the real thing did.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <cstdio>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "candor/core/rng.hpp"
#include "support/effort.hpp"

namespace candor::test {

inline constexpr unsigned threads = 8;
inline constexpr unsigned steps_a_round = 2;  // of each thread

inline constexpr unsigned enough_overlapped = 100;

/// At least; more, until enough steps had another beside them.
inline unsigned rounds() { return static_cast<unsigned>(of_all(100'000, 400)); }

/// One step of one thread: when it began and ended, by a common count, and what it showed.
template <class What>
struct Step {
  What what{};
  std::uint64_t began = 0;
  std::uint64_t ended = 0;
  std::string shown;
};

/// Looks for the orders of the steps in which the model shows the same. Two orders that show the same may
/// leave different things behind, which show later: so all of them are kept, as far as a model behaves
/// differently.
template <class Model, class What>
class Search {
 public:
  Search(std::vector<Step<What>> const& steps, std::string end)
      : steps_(steps), made_(steps.size()), end_(std::move(end)) {}

  /// Adds the models that this one may have become.
  void from(Model const& model) { go_on(model, false); }

  /// One of each behaviour; to find out how one behaves costs more than all steps of a round, so that it is
  /// asked for only where there is a choice.
  [[nodiscard]] std::vector<std::unique_ptr<Model>> take() {
    if (found_.size() < 2) return std::move(found_);
    std::map<std::string, std::unique_ptr<Model>> different;
    for (auto& model : found_) different.try_emplace(model->behaviour(), std::move(model));
    std::vector<std::unique_ptr<Model>> models;
    for (auto& [behaviour, model] : different) models.push_back(std::move(model));
    return models;
  }

 private:
  /// `chosen`: there was another way to go here, which may lead to the same.
  void go_on(Model const& model, bool chosen) {
    auto first_end = ~std::uint64_t{0};
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      if (!made_[i]) first_end = std::min(first_end, steps_[i].ended);
    }
    if (first_end == ~std::uint64_t{0}) {
      if (model.end() == end_) found_.push_back(std::make_unique<Model>(model));
      return;
    }
    if (chosen && !seen_.emplace(made_, model.end() + model.behaviour()).second) return;
    // Nothing may come before what had ended when it began.
    std::vector<std::pair<std::size_t, Model>> ways;
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      if (made_[i] || steps_[i].began > first_end) continue;
      Model next{model};
      if (next.make(steps_[i].what) == steps_[i].shown) ways.emplace_back(i, std::move(next));
    }
    for (auto const& [i, next] : ways) {
      made_[i] = true;
      go_on(next, ways.size() > 1);
      made_[i] = false;
    }
  }

  std::vector<Step<What>> const& steps_;
  std::vector<bool> made_;
  std::string end_;
  std::set<std::pair<std::vector<bool>, std::string>> seen_;
  std::vector<std::unique_ptr<Model>> found_;
};

/// In the order in which they began.
template <class What>
std::string told(std::vector<Step<What>> steps) {
  std::sort(steps.begin(), steps.end(), [](auto const& a, auto const& b) { return a.began < b.began; });
  std::string text;
  for (auto const& step : steps) {
    text += std::to_string(step.began) + " to " + std::to_string(step.ended) + ": " + told(step.what) +
            " showed " + step.shown + "\n";
  }
  return text;
}

/// `Real` makes steps on any thread; `Model` is its sequential twin.
template <class Real, class Model>
void expect_possible_orders(Real& real, std::unique_ptr<Model> first) {
  using What = typename Model::What;
  std::vector<std::unique_ptr<Model>> models;
  models.push_back(std::move(first));
  std::atomic<std::uint64_t> count = 0;
  std::vector<std::vector<Step<What>>> made(threads);
  std::atomic<bool> stop = false;
  std::barrier barrier{threads + 1};
  std::vector<std::jthread> running;
  for (unsigned thread = 0; thread < threads; ++thread) {
    running.emplace_back([&, thread] {
      Rng rng{thread};
      for (;;) {
        barrier.arrive_and_wait();
        if (stop) return;
        made[thread].clear();
        for (unsigned i = 0; i < steps_a_round; ++i) {
          Step<What> step;
          step.what = real.choose(thread, rng);
          step.began = count.fetch_add(1);
          step.shown = real.make(thread, step.what);
          step.ended = count.fetch_add(1);
          made[thread].push_back(step);
        }
        barrier.arrive_and_wait();
      }
    });
  }
  Rng rng{99};
  unsigned overlapped = 0;
  std::size_t most = 0;
  unsigned round = 0;
  auto const goes_on = [&] {
    return round < rounds() || (overlapped < enough_overlapped && round < 100 * rounds());
  };
  for (; goes_on() && !testing::Test::HasFailure(); ++round) {
    real.pass(rng);
    barrier.arrive_and_wait();
    barrier.arrive_and_wait();
    std::vector<Step<What>> steps;
    for (auto const& each : made) steps.insert(steps.end(), each.begin(), each.end());
    for (auto const& step : steps) overlapped += step.ended > step.began + 1 ? 1U : 0U;
    Search<Model, What> search{steps, real.end()};
    for (auto const& model : models) {
      model->now = real.now;
      search.from(*model);
    }
    auto const before = models.front()->end();
    models = search.take();
    EXPECT_FALSE(models.empty()) << "round " << round << ", from " << before << " to " << real.end() << "\n"
                                 << told(steps);
    most = std::max(most, models.size());
  }
  stop = true;
  barrier.arrive_and_wait();
  std::printf("  %u steps, of which %u had another beside them; at most %zu models to tell apart\n",
              round * threads * steps_a_round, overlapped, most);
  EXPECT_GT(overlapped, 0U) << "nothing ever met: the test shows nothing";
}

}  // namespace candor::test
