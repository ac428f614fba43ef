// What several threads see of one thing at the same time is what they would see one after the other, in some
// order that is possible: linearizability (M. Herlihy and J. Wing, ACM TOPLAS 12(3), 1990), found by search
// through the orders (J. Wing and C. Gong, Journal of Parallel and Distributed Computing 17, 1993).
//
// Threads make a few steps at the same time, over and over. After each round the orders that the steps'
// beginnings and ends allow are searched for one in which a sequential model shows each step the same result,
// and ends as the real thing did. Two orders that show the same may leave different things behind, which show
// rounds later: so if a round has no such order, the rounds before it are gone through again, with every
// order that they had.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "candor/core/rng.hpp"
#include "candor/core/time.hpp"
#include "support/effort.hpp"

namespace candor::test {

inline constexpr unsigned threads = 8;
inline constexpr unsigned steps_a_round = 2;  // of each thread

inline constexpr unsigned enough_overlapped = 100;

/// At least; more, until enough steps had another beside them. All of them are two million steps.
inline unsigned rounds() { return static_cast<unsigned>(of_all(130'000, 1'000)); }

/// One step of one thread: when it began and ended, by a common count, and what it showed.
template <class What>
struct Step {
  What what{};
  std::uint64_t began = 0;
  std::uint64_t ended = 0;
  std::string shown;
};

/// What all threads did between two meetings, when it was, and what it left behind.
template <class What>
struct Round {
  std::vector<Step<What>> steps;
  Instant now{};
  std::string end;
};

/// Looks for orders of a round's steps in which the model shows the same.
template <class Model>
class Search {
 public:
  using What = typename Model::What;
  using Models = std::vector<std::unique_ptr<Model>>;

  enum class For : std::uint8_t { any, all };

  Search(Round<What> const& round, For what) : round_(round), what_(what), made_(round.steps.size()) {}

  /// Adds what this one may have become.
  void from(Model const& model) {
    auto copy = std::make_unique<Model>(model);
    copy->now = round_.now;
    go_on(std::move(copy));
  }

  /// One of each behaviour. To find out how one behaves costs more than all steps of a round, so that it is
  /// asked for only where there is a choice.
  [[nodiscard]] Models take() {
    if (found_.size() < 2) return std::move(found_);
    std::map<std::string, std::unique_ptr<Model>> different;
    for (auto& model : found_) different.try_emplace(model->behaviour(), std::move(model));
    Models models;
    for (auto& [behaviour, model] : different) models.push_back(std::move(model));
    return models;
  }

 private:
  void go_on(std::unique_ptr<Model> model) {
    auto const next = may_be_next();
    if (next.empty()) {
      if (model->end() == round_.end) found_.push_back(std::move(model));
      return;
    }
    // A step that met no other, as most do, needs no copy to come back to.
    if (next.size() == 1) return with(next.front(), std::move(model));
    if (what_ == For::all && been_here(*model)) return;
    for (auto const step : next) {
      if (what_ == For::any && !found_.empty()) return;
      with(step, std::make_unique<Model>(*model));
    }
  }

  void with(std::size_t step, std::unique_ptr<Model> model) {
    if (model->make(round_.steps[step].what) != round_.steps[step].shown) return;
    if (!model->may_end(round_.end)) return;
    made_[step] = true;
    go_on(std::move(model));
    made_[step] = false;
  }

  /// By another order of the same steps. To find out how one behaves is dear: the first that comes somewhere
  /// is only asked once another has come there.
  [[nodiscard]] bool been_here(Model const& model) {
    auto [there, is_first] = seen_.try_emplace({made_, model.end()});
    auto& seen = there->second;
    if (is_first) {
      seen.first = std::make_unique<Model>(model);
      return false;
    }
    if (seen.first) seen.behaviours.insert(std::exchange(seen.first, nullptr)->behaviour());
    return !seen.behaviours.insert(model.behaviour()).second;
  }

  /// Nothing may come before what had ended when it began.
  [[nodiscard]] std::vector<std::size_t> may_be_next() const {
    auto first_end = ~std::uint64_t{0};
    for (std::size_t i = 0; i < made_.size(); ++i) {
      if (!made_[i]) first_end = std::min(first_end, round_.steps[i].ended);
    }
    std::vector<std::size_t> next;
    for (std::size_t i = 0; i < made_.size(); ++i) {
      if (!made_[i] && round_.steps[i].began <= first_end) next.push_back(i);
    }
    return next;
  }

  /// Those that came to one place.
  struct Seen {
    std::unique_ptr<Model> first;  // while it is the only one
    std::set<std::string> behaviours;
  };

  Round<What> const& round_;
  For what_;
  std::vector<bool> made_;
  std::map<std::pair<std::vector<bool>, std::string>, Seen> seen_;
  Models found_;
};

/// The rounds so far, and a model that has shown the same in all of them.
template <class Model>
class Orders {
 public:
  using What = typename Model::What;

  explicit Orders(std::unique_ptr<Model> model) : model_(std::move(model)) {}

  /// Whether this round, too, has an order, as far back as rounds are remembered.
  [[nodiscard]] bool explain(Round<What> const& round) {
    if (parts_.empty() || parts_.back().rounds.size() == rounds_a_part) {
      parts_.push_back({std::make_unique<Model>(*model_), {}});
      if (parts_.size() > parts_kept) parts_.pop_front();
    }
    auto& rounds = parts_.back().rounds;
    rounds.push_back(round);
    Search<Model> search{rounds.back(), Search<Model>::For::any};
    search.from(*model_);
    auto found = search.take();
    for (std::size_t back = 1; found.empty(); back *= 2) {
      ++gone_back_;
      found = again(std::min(back, parts_.size()));
      if (back >= parts_.size()) break;
    }
    if (found.empty()) return false;
    model_ = std::move(found.front());
    return true;
  }

  [[nodiscard]] std::string end() const { return model_->end(); }

  /// How often the order that was followed turned out not to be the one.
  [[nodiscard]] unsigned gone_back() const { return gone_back_; }

 private:
  static constexpr std::size_t rounds_a_part = 16;
  static constexpr std::size_t parts_kept = 64;

  struct Part {
    std::unique_ptr<Model> before;
    std::vector<Round<What>> rounds;
  };

  /// The last parts once more, with every order that they had.
  [[nodiscard]] typename Search<Model>::Models again(std::size_t parts) const {
    auto const first = parts_.end() - static_cast<std::ptrdiff_t>(parts);
    typename Search<Model>::Models models;
    models.push_back(std::make_unique<Model>(*first->before));
    for (auto part = first; part != parts_.end(); ++part) {
      for (auto const& round : part->rounds) {
        Search<Model> search{round, Search<Model>::For::all};
        for (auto const& model : models) search.from(*model);
        models = search.take();
      }
    }
    return models;
  }

  std::unique_ptr<Model> model_;
  std::deque<Part> parts_;
  unsigned gone_back_ = 0;
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
  Orders<Model> orders{std::move(first)};
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
  unsigned round = 0;
  auto const goes_on = [&] {
    return round < rounds() || (overlapped < enough_overlapped && round < 100 * rounds());
  };
  for (; goes_on() && !testing::Test::HasFailure(); ++round) {
    real.pass(rng);
    barrier.arrive_and_wait();
    barrier.arrive_and_wait();
    Round<What> all{.steps = {}, .now = real.now, .end = real.end()};
    for (auto const& each : made) all.steps.insert(all.steps.end(), each.begin(), each.end());
    for (auto const& step : all.steps) overlapped += step.ended > step.began + 1 ? 1U : 0U;
    auto const before = orders.end();
    EXPECT_TRUE(orders.explain(all)) << "round " << round << ", from " << before << " to " << all.end << "\n"
                                     << told(all.steps);
  }
  stop = true;
  barrier.arrive_and_wait();
  std::printf("  %u steps, of which %u had another beside them; gone back %u times for another order\n",
              round * threads * steps_a_round, overlapped, orders.gone_back());
  EXPECT_GT(overlapped, 0U) << "nothing ever met: the test shows nothing";
}

}  // namespace candor::test
