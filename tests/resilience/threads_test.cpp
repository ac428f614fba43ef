// Many threads on one health model and one budget. The time is virtual here too: the threads go through it in
// steps, all at the same instant.
#include <gtest/gtest.h>

#include <algorithm>
#include <barrier>
#include <cmath>
#include <mutex>
#include <thread>
#include <vector>

#include "candor/core/rng.hpp"
#include "candor/resilience/budget.hpp"
#include "candor/resilience/health.hpp"
#include "candor/resilience/short_lock.hpp"
#include "resilience/driver.hpp"
#include "support/effort.hpp"

namespace candor {
namespace {

using test::start;

std::uint64_t const attempts_in_all = test::of_all(10'000'000, 200'000);
constexpr std::uint32_t endpoints = 4;

TEST(ShortLock, LetsOneInAtATime) {
  ShortLock lock;
  std::uint64_t count = 0;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20'000; ++i) {
        std::lock_guard const guard{lock};
        ++count;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(count, 160'000U);
}

// What one thread saw of the world: the account that the health model's must equal.
struct Witness {
  struct Step {
    std::uint64_t requests = 0;
    std::uint64_t retries = 0;
  };

  std::vector<Ledger> upstream{endpoints};
  std::uint64_t probes = 0;
  std::uint64_t refusals = 0;
  std::uint64_t slow = 0;
  std::uint64_t denied = 0;
  std::vector<Step> steps;
};

class Crowd {
 public:
  Crowd(unsigned threads, std::uint64_t requests, std::size_t steps)
      : threads_(threads),
        per_step_((requests + threads * steps - 1) / (threads * steps)),
        witnesses_(threads) {
    Rng rng{5};
    Instant now = start;
    for (std::size_t i = 0; i < steps; ++i) {
      instants_.push_back(now);
      now += rng.chance(0.02) ? rng.between({}, 12s) : rng.between({}, 300ms);
      failing_.push_back(rng.chance(0.03) ? 0.95 : 0.3);
    }
    for (auto& witness : witnesses_) witness.steps.resize(steps);
    health.listen([this](Transition const& transition) {
      std::lock_guard const lock{mutex_};
      transitions_[transition.endpoint ? transition.endpoint->value + 1 : 0].push_back(transition);
    });
  }

  void run() {
    std::barrier barrier{static_cast<std::ptrdiff_t>(threads_)};
    std::vector<std::jthread> running;
    for (unsigned thread = 0; thread < threads_; ++thread) {
      running.emplace_back([this, thread, &barrier] {
        Rng rng{thread};
        for (std::size_t step = 0; step < instants_.size(); ++step) {
          for (std::uint64_t i = 0; i < per_step_; ++i) one_request(witnesses_[thread], rng, step);
          barrier.arrive_and_wait();
        }
      });
    }
  }

  void expect_an_exact_account() const {
    Ledger total;
    std::vector<Ledger> seen(endpoints);
    std::uint64_t probes = 0;
    std::uint64_t refusals = 0;
    for (auto const& witness : witnesses_) {
      probes += witness.probes;
      refusals += witness.refusals;
      total.slow += witness.slow;
      for (std::size_t e = 0; e < endpoints; ++e) {
        add(seen[e], witness.upstream[e]);
        add(total, witness.upstream[e]);
      }
    }
    auto const snapshot = health.snapshot(instants_.back());
    expect_equal(snapshot.ledger, total);
    EXPECT_EQ(snapshot.ledger.slow, total.slow);
    for (std::size_t e = 0; e < endpoints; ++e) expect_equal(snapshot.endpoints[e].ledger, seen[e]);
    EXPECT_EQ(snapshot.ledger.in_flight, 0U);
    EXPECT_EQ(snapshot.probes_in_flight, 0U);
    EXPECT_EQ(snapshot.refusals, refusals);
    std::uint64_t probes_told = 0;
    for (auto const count : snapshot.probes) probes_told += count;
    EXPECT_EQ(probes_told, probes);
  }

  /// The told transitions of a circuit are one unbroken chain: each generation once, each from where the last
  /// one led.
  void expect_one_transition_per_generation() {
    auto const snapshot = health.snapshot(instants_.back());
    EXPECT_EQ(transitions_[0].size(), snapshot.generation);
    EXPECT_EQ(end_of_chain(transitions_[0]), snapshot.state);
    for (std::size_t e = 0; e < endpoints; ++e) {
      EXPECT_EQ(end_of_chain(transitions_[e + 1]), snapshot.endpoints[e].state);
    }
  }

  void expect_the_bound_in_every_span(BudgetSettings const& settings) const {
    std::vector<Witness::Step> steps(instants_.size());
    std::uint64_t denied = 0;
    for (auto const& witness : witnesses_) {
      denied += witness.denied;
      for (std::size_t i = 0; i < steps.size(); ++i) {
        steps[i].requests += witness.steps[i].requests;
        steps[i].retries += witness.steps[i].retries;
      }
    }
    double const constant = settings.per_second * seconds(settings.over);
    double fullest = 0;
    for (std::size_t first = 0; first < steps.size(); ++first) {
      std::uint64_t requests = 0;
      std::uint64_t retries = 0;
      for (std::size_t i = first; i < steps.size() && instants_[i] - instants_[first] <= settings.over; ++i) {
        requests += steps[i].requests;
        retries += steps[i].retries;
        double const bound = settings.ratio * static_cast<double>(requests) + constant;
        ASSERT_LE(static_cast<double>(retries), bound + 1e-6);
        fullest = std::max(fullest, static_cast<double>(retries) / bound);
      }
    }
    EXPECT_GT(denied, 0U);     // the bound was felt
    EXPECT_GT(fullest, 0.99);  // and used
  }

  [[nodiscard]] std::size_t openings() const {
    return static_cast<std::size_t>(
        std::count_if(transitions_[0].begin(), transitions_[0].end(), [](auto const& transition) {
          return transition.to == CircuitState::open && transition.from == CircuitState::closed;
        }));
  }
  [[nodiscard]] std::uint64_t attempts() const { return health.snapshot(instants_.back()).ledger.started; }

  BreakerSettings const breaker = back_soon();
  BudgetSettings const budget_settings{};
  Health health{{.breaker = breaker, .endpoints = std::vector<EndpointShare>(endpoints)}, 1};
  Budget budget{budget_settings};

 private:
  /// So that there is more to see than refusals.
  static BreakerSettings back_soon() {
    BreakerSettings settings;
    settings.open.cap = 200ms;
    settings.ramp.cap = 200ms;
    return settings;
  }

  static CircuitState end_of_chain(std::vector<Transition>& transitions) {
    std::sort(transitions.begin(), transitions.end(),
              [](auto const& a, auto const& b) { return a.generation < b.generation; });
    auto state = CircuitState::closed;
    Instant at = start;
    for (std::size_t i = 0; i < transitions.size(); ++i) {
      EXPECT_EQ(transitions[i].generation, i + 1);
      EXPECT_EQ(transitions[i].from, state);
      EXPECT_GE(transitions[i].at, at);
      state = transitions[i].to;
      at = transitions[i].at;
    }
    return state;
  }

  static void add(Ledger& sum, Ledger const& one) {
    sum.started += one.started;
    sum.success += one.success;
    sum.excluded += one.excluded;
    sum.abandoned += one.abandoned;
    for (std::size_t i = 0; i < failure_kinds; ++i) sum.failures[i] += one.failures[i];
  }
  static void expect_equal(Ledger const& told, Ledger const& seen) {
    EXPECT_TRUE(told.balanced());
    EXPECT_EQ(told.started, seen.started);
    EXPECT_EQ(told.success, seen.success);
    EXPECT_EQ(told.excluded, seen.excluded);
    EXPECT_EQ(told.abandoned, seen.abandoned);
    EXPECT_EQ(told.failures, seen.failures);
  }

  Outcome draw(Rng& rng, std::size_t step) const {
    if (rng.chance(failing_[step])) return Outcome::failed(all_failure_kinds[rng.below(failure_kinds)]);
    auto const other = rng.below(20);
    return other == 0 ? Outcome::excluded() : other == 1 ? Outcome::abandoned() : Outcome::success();
  }

  void one_request(Witness& witness, Rng& rng, std::size_t step) {
    auto const now = instants_[step];
    budget.request(now);
    ++witness.steps[step].requests;
    RequestId const id{rng.next()};
    auto outcome = one_attempt(witness, rng, step, {.request = id, .number = 1});
    for (unsigned number = 2; number <= 3 && outcome && outcome->is_failure(); ++number) {
      auto token = budget.take(now);
      if (!token) ++witness.denied;
      if (!token || rng.chance(0.1)) return;  // some are given back
      std::move(*token).spend(now);
      ++witness.steps[step].retries;
      outcome = one_attempt(witness, rng, step, {.request = id, .number = number});
    }
  }

  std::optional<Outcome> one_attempt(Witness& witness, Rng& rng, std::size_t step, AttemptContext context) {
    auto const now = instants_[step];
    if (rng.chance(0.5)) context.endpoint = EndpointId{static_cast<std::uint32_t>(rng.below(endpoints))};
    auto permit = health.admit(context, now);
    if (!permit) {
      ++witness.refusals;
      return std::nullopt;
    }
    auto& account = witness.upstream[permit->endpoint().value];
    account.start();
    witness.probes += permit->probe() ? 1U : 0U;
    if (rng.chance(0.01)) {
      permit->mark_slow(now);
      ++witness.slow;
    }
    auto const outcome = draw(rng, step);
    account.settle(outcome);
    if (outcome.kind() == Outcome::Kind::abandoned) {
      auto const left = std::move(*permit);  // dropped without a verdict
    } else {
      std::move(*permit).settle(outcome, now);
    }
    return outcome;
  }

  unsigned threads_;
  std::uint64_t per_step_;
  std::vector<Instant> instants_;
  std::vector<double> failing_;
  std::vector<Witness> witnesses_;
  std::mutex mutex_;
  std::array<std::vector<Transition>, endpoints + 1> transitions_;  // the upstream's, then the endpoints'
};

TEST(Threads, Scenario14SixtyFourThreadsAndMillionsOfAttemptsLeaveAnExactAccount) {
  Crowd crowd{64, attempts_in_all + attempts_in_all / 10, 1000};  // some requests get no attempt
  crowd.run();
  crowd.expect_an_exact_account();
  crowd.expect_one_transition_per_generation();
  crowd.expect_the_bound_in_every_span(crowd.budget_settings);
  EXPECT_GE(crowd.attempts(), attempts_in_all);
  EXPECT_GE(crowd.openings(), 5U);
}

TEST(Threads, EightMeetOnOneHealthAndBudgetWhileOthersRead) {
  Crowd crowd{8, 80'000, 400};
  std::jthread const reader{[&](std::stop_token const& stop) {
    while (!stop.stop_requested()) {
      EXPECT_TRUE(crowd.health.snapshot(start).ledger.balanced());
      (void)crowd.health.state();
      (void)crowd.health.retry_after(start);
      (void)crowd.health.transitions();
      (void)crowd.health.recent_attempts();
      (void)crowd.budget.available(start);
      std::this_thread::yield();
    }
  }};
  crowd.run();
  crowd.expect_an_exact_account();
  crowd.expect_one_transition_per_generation();
  crowd.expect_the_bound_in_every_span(crowd.budget_settings);
}

TEST(Threads, PermitsMayCrossThreads) {
  BreakerSettings const settings;
  Health health{{.breaker = settings, .limit = {.attempts = 8000}}, 1};
  std::vector<Permit> permits;
  for (std::uint64_t i = 0; i < 8000; ++i) permits.push_back(*health.admit({.request = RequestId{i}}, start));
  std::vector<std::jthread> threads;
  for (std::size_t t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = t; i < permits.size(); i += 8)
        std::move(permits[i]).settle(Outcome::success(), start);
    });
  }
  threads.clear();
  EXPECT_EQ(health.snapshot(start).ledger.success, 8000U);
  EXPECT_EQ(health.snapshot(start).ledger.in_flight, 0U);
}

}  // namespace
}  // namespace candor
