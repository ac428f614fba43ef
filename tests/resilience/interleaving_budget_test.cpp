// What threads see of a budget at the same time is what they would see one after the other.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "candor/resilience/budget.hpp"
#include "resilience/driver.hpp"
#include "resilience/interleaving.hpp"

namespace candor {
namespace {

using test::expect_possible_orders;
using test::start;
using test::threads;

struct BudgetStep {
  enum class Kind : std::uint8_t { request, take, spend, give_back };
  Kind kind = Kind::request;
};

std::string told(BudgetStep const& what) {
  static constexpr std::string_view names[] = {"request", "take", "spend", "give back"};
  return std::string(names[static_cast<std::size_t>(what.kind)]);
}

constexpr BudgetSettings small{.ratio = 0.5, .per_second = 2, .over = 1s};

class RealBudget {
 public:
  BudgetStep choose(unsigned thread, Rng& rng) {
    auto const& held = tokens_[thread];
    if (rng.chance(0.3)) return {BudgetStep::Kind::request};
    if (held.empty() || rng.chance(0.4)) return {BudgetStep::Kind::take};
    return {rng.chance(0.7) ? BudgetStep::Kind::spend : BudgetStep::Kind::give_back};
  }

  std::string make(unsigned thread, BudgetStep const& what) {
    auto& held = tokens_[thread];
    switch (what.kind) {
      case BudgetStep::Kind::request: budget.request(now); return "asked";
      case BudgetStep::Kind::take: {
        auto token = budget.take(now);
        if (!token) return "no";
        held.push_back(std::move(*token));
        return "yes";
      }
      case BudgetStep::Kind::spend:
        std::move(held.back()).spend(now);
        held.pop_back();
        return "spent";
      case BudgetStep::Kind::give_back: held.pop_back(); return "back";
    }
    return {};
  }

  void pass(Rng& rng) { now += rng.between({}, 40ms); }
  [[nodiscard]] std::string end() const { return std::to_string(std::llround(budget.available(now) * 1000)); }

  Budget budget{small};
  Instant now = start;

 private:
  std::vector<BudgetToken> tokens_[threads];
};

/// The bound, by looking at every span there is.
class ModelBudget {
 public:
  using What = BudgetStep;

  std::string make(BudgetStep const& what) {
    auto const slot = now.time_since_epoch() / width;
    switch (what.kind) {
      case BudgetStep::Kind::request: note(slot, -ratio); return "asked";
      case BudgetStep::Kind::take:
        if (worst(slot) + (out_ + 1) * unit > allowance) return "no";
        ++out_;
        return "yes";
      case BudgetStep::Kind::spend:
        --out_;
        note(slot, unit);
        return "spent";
      case BudgetStep::Kind::give_back: --out_; return "back";
    }
    return {};
  }

  [[nodiscard]] std::string end() const {
    auto const left = allowance - worst(now.time_since_epoch() / width) - out_ * unit;
    return std::to_string(std::max<std::int64_t>(left, 0));
  }

  /// There is nothing else to it.
  [[nodiscard]] std::string behaviour() const { return end(); }
  [[nodiscard]] static bool may_end(std::string const&) { return true; }

  Instant now = start;

 private:
  static constexpr std::int64_t unit = 1000;  // one retry
  static constexpr std::int64_t ratio = 500;
  static constexpr std::int64_t allowance = 2 * unit;
  static constexpr Duration width = 10ms;

  struct Event {
    std::int64_t slot;
    std::int64_t net;
  };

  void note(std::int64_t slot, std::int64_t net) {
    std::erase_if(events_, [slot](Event const& event) { return event.slot < slot - 100; });
    events_.push_back({slot, net});
  }
  /// The largest sum of any span that ends now.
  [[nodiscard]] std::int64_t worst(std::int64_t slot) const {
    std::int64_t sum = 0;
    std::int64_t most = 0;
    for (auto event = events_.rbegin(); event != events_.rend() && event->slot >= slot - 100; ++event) {
      sum += event->net;
      most = std::max(most, sum);
    }
    return most;
  }

  std::vector<Event> events_;
  std::int64_t out_ = 0;
};

TEST(ThreadsInterleaved, SeeOfTheBudgetWhatTheyWouldOneAfterTheOther) {
  RealBudget real;
  expect_possible_orders(real, std::make_unique<ModelBudget>());
}

}  // namespace
}  // namespace candor
