// What one decision of the policies costs, as a markdown table. CPU time is the figure to quote: on a machine
// with fewer cores than threads the wall time is shared.
//
//   candor_bench_policies
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "candor/core/rng.hpp"
#include "candor/resilience/balance.hpp"
#include "candor/resilience/budget.hpp"
#include "candor/resilience/health.hpp"
#include "candor/resilience/peak_ewma.hpp"
#include "candor/resilience/retry.hpp"
#include "candor/resilience/stable_hash.hpp"
#include "candor/resilience/trip.hpp"
#include "measure.hpp"

namespace candor::bench {
namespace {

constexpr std::size_t operations = 128 * 3'000;
constexpr std::size_t batch = 128;  // permits held at once where one half of the pair is timed
constexpr unsigned many = 8;

Instant at(std::size_t operation) { return Instant{1h} + Duration{operation * 1000}; }  // a million a second

AttemptContext context(std::size_t operation) {
  return {.request = RequestId{operation},
          .number = 1,
          .endpoint = EndpointId{static_cast<std::uint32_t>(operation % 4)},
          .method = "GET",
          .path = "/v1/orders/4711/items"};
}

/// Never opens, but judges every failure as the default rule does.
BreakerSettings unmoved() {
  BreakerSettings settings;
  settings.trip.evidence->failure_rate = 1;
  settings.trip.evidence->minimum_attempts = 1;
  return settings;
}

void admit_and_settle(unsigned threads) {
  BreakerSettings const settings;
  Health health{{.breaker = settings, .endpoints = std::vector<EndpointShare>(4)}, 1};
  auto const cost = measure(threads, operations, [&] {
    for (std::size_t i = 0; i < operations; ++i) {
      auto permit = health.admit(context(i), at(i));
      std::move(*permit).settle(Outcome::success(), at(i), 200);
    }
  });
  print_row("admit + settle success", threads, cost);
}

template <class OutcomeOf>
void settle_alone(std::string_view name, unsigned threads, BreakerSettings const& settings,
                  OutcomeOf outcome_of) {
  Health health{{.breaker = settings, .endpoints = std::vector<EndpointShare>(4)}, 1};
  auto const cost = measure(threads, operations, [&] {
    std::vector<Permit> permits;
    permits.reserve(batch);
    double spent = 0;
    for (std::size_t i = 0; i < operations;) {
      for (std::size_t k = 0; k < batch; ++k)
        permits.push_back(std::move(*health.admit(context(i + k), at(i))));
      double const before = thread_cpu_ns();
      for (auto& permit : permits) {
        std::move(permit).settle(outcome_of(i), at(i), 200);
        ++i;
      }
      spent += thread_cpu_ns() - before;
      permits.clear();
    }
    return spent;
  });
  print_row(name, threads, cost);
}

void budget_request(unsigned threads) {
  Budget budget{BudgetSettings{}};
  print_row("budget request()", threads, measure(threads, operations, [&] {
              for (std::size_t i = 0; i < operations; ++i) budget.request(at(i));
            }));
}

/// A budget whose whole span has seen traffic, so that each take walks all its buckets.
struct BusyBudget {
  BusyBudget() {
    for (auto now = begin; now < end; now += 1ms) budget.request(now);
  }
  static BudgetSettings plenty() {
    BudgetSettings settings;
    settings.per_second = 1e6;
    return settings;
  }
  static constexpr Instant begin{1h};
  static constexpr Instant end = begin + 11s;

  Budget budget{plenty()};
};

void budget_take(unsigned threads) {
  BusyBudget busy;
  print_row("budget take() and give back", threads, measure(threads, operations, [&] {
              for (std::size_t i = 0; i < operations; ++i) keep(busy.budget.take(busy.end).has_value());
            }));
}

void decisions() {
  RetrySettings const settings;
  BusyBudget busy;
  Rng rng{1};
  AttemptHistory const history{.attempts = 1, .failure = FailureKind::connect, .idempotent = true};
  auto const decide_in = [&](CircuitState state) {
    return measure(1, operations, [&, state] {
      for (std::size_t i = 0; i < operations; ++i) {
        keep(decide(settings, history, state, 1s, busy.budget, busy.end, rng).index());
      }
    });
  };
  print_row("decide(): go on", 1, decide_in(CircuitState::closed));
  print_row("decide(): circuit open", 1, decide_in(CircuitState::open));
}

/// Readings as cheap as they get: what is timed is the pick.
struct Endpoints final : EndpointReadings {
  explicit Endpoints(std::size_t count, bool weighted) : latencies(count), all(count) {
    for (std::size_t i = 0; i < count; ++i) {
      all[i].key = mixed(i);
      if (weighted) all[i].weight = static_cast<double>(1 + i % 7);
      latencies[i].succeeded(20ms, at(0));
    }
  }
  [[nodiscard]] std::size_t size() const override { return all.size(); }
  [[nodiscard]] EndpointReading reading(std::size_t endpoint) const override {
    auto out = all[endpoint];
    out.latency = latencies[endpoint].estimate(at(0));
    return out;
  }

  std::vector<PeakEwma> latencies;
  std::vector<EndpointReading> all;
};

void picking(std::string_view name, BalanceSettings::Policy policy) {
  for (bool const weighted : {false, true}) {
    for (std::size_t const count : {5U, 1000U}) {
      Endpoints const endpoints{count, weighted};
      Balancer balancer{{.policy = policy}};
      Rng rng{1};
      auto const row = std::string(name) + ", " + std::to_string(count) + " endpoints" +
                       (weighted ? " of different weights" : "");
      print_row(row, 1, measure(1, operations, [&] {
                  for (std::size_t i = 0; i < operations; ++i) {
                    keep(balancer.pick(endpoints, {.hash = mixed(i)}, at(0), rng).has_value());
                  }
                }));
    }
  }
}

void judging() {
  TripSettings const settings;
  WindowSums window;
  window.settled = window.answered = 1000;
  window.failed = 600;
  FailureRun run;
  for (std::uint64_t i = 0; i < 12; ++i) run.extend(RequestId{i}, 1000, 590);
  print_row("judge(): run and ratio, neither holds", 1, measure(1, operations, [&] {
              window.failed = 515;
              for (std::size_t i = 0; i < operations; ++i) {
                keep(window);
                keep(judge(settings, window, run).has_value());
              }
            }));
}

}  // namespace

void run_all() {
  auto const success = [](std::size_t) { return Outcome::success(); };
  auto const failure = [](std::size_t) { return Outcome::failed(FailureKind::overload); };
  auto const mixed = [](std::size_t i) {
    return i % 4 == 0 ? Outcome::failed(FailureKind::status) : Outcome::success();
  };
  print_head();
  for (unsigned const threads : {1U, many}) {
    admit_and_settle(threads);
    settle_alone("settle success", threads, BreakerSettings{}, success);
    settle_alone("settle, every fourth a failure, closed", threads, BreakerSettings{}, mixed);
    settle_alone("settle failure, closed", threads, unmoved(), failure);
    budget_request(threads);
    budget_take(threads);
  }
  decisions();
  judging();
  picking("pick in turn", BalanceSettings::Policy::round_robin);
  picking("pick the less busy of two", BalanceSettings::Policy::least_request);
  picking("pick the cheaper of two", BalanceSettings::Policy::peak_ewma);
  picking("pick by hash", BalanceSettings::Policy::ring_hash);
}

}  // namespace candor::bench

int main() { candor::bench::run_all(); }
