// What the policies do for each attempt allocates nothing.
#include <gtest/gtest.h>

#include <vector>

#include "candor/core/rng.hpp"
#include "candor/resilience/retry.hpp"
#include "resilience/allocations.hpp"
#include "resilience/driver.hpp"

namespace candor {
namespace {

using test::allocations;
using test::Driver;
using test::failed;

TEST(Allocation, IsCounted) {
  auto const before = allocations();
  std::vector<int> const one(1);
  EXPECT_EQ(allocations(), before + 1);
}

TEST(Allocation, NoneForAnAttemptInSteadyState) {
  Driver d{{}, 4};
  Rng rng{1};
  Budget budget{{}};
  RetrySettings const retry;
  AttemptHistory const history{.attempts = 1, .failure = FailureKind::connect, .idempotent = true};
  auto const before = allocations();
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    d.now += 1ms;
    budget.request(d.now);
    auto permit = *d.health.admit({.request = RequestId{i},
                                   .endpoint = EndpointId{static_cast<std::uint32_t>(i % 4)},
                                   .method = "GET",
                                   .path = "/a/path/that/is/much/longer/than/what/the/evidence/has/room/for"},
                                  d.now);
    if (i % 100 == 0) permit.mark_slow(d.now);
    bool const bad = i % 10 == 0;
    std::move(permit).settle(bad ? failed() : Outcome::success(), d.now, bad ? 503 : 200);
    if (!bad) continue;
    auto decision = decide(retry, history, d.health.state(), 10s, budget, d.now, rng);
    if (auto* again = std::get_if<RetryAfter>(&decision)) std::move(again->token).spend(d.now);
  }
  EXPECT_EQ(allocations(), before);
  EXPECT_EQ(d.state(), CircuitState::closed);
}

TEST(Allocation, NoneUnderAnAdaptiveLimitAndAThrottle) {
  Health::Settings settings;
  settings.limit.adaptive = AdaptiveLimitSettings{};
  settings.throttle = ThrottleSettings{};
  settings.breaker.enabled = false;
  Health health{settings, 1};
  auto now = test::start;
  unsigned refused = 0;
  auto const before = allocations();
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    now += 1ms;
    auto permit = health.admit({.request = RequestId{i}, .method = "GET", .path = "/"}, now);
    if (!permit) {
      ++refused;
      continue;
    }
    bool const too_much = i % 4'000 > 2'000;
    std::move(*permit).settle(too_much ? failed(FailureKind::overload) : Outcome::success(), now + 20ms);
  }
  EXPECT_EQ(allocations(), before);
  EXPECT_GT(refused, 0U);
}

TEST(Allocation, NoneForARefusal) {
  Driver d;
  d.fail_until_open();
  auto const before = allocations();
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(d.ask());
  EXPECT_EQ(allocations(), before);
}

}  // namespace
}  // namespace candor
