// What the health model refuses for the load: the limit and the throttle, as readings of the account.
#include <gtest/gtest.h>

#include <vector>

#include "resilience/driver.hpp"

namespace candor {
namespace {

using test::failed;
using test::start;

struct Loaded {
  explicit Loaded(Health::Settings const& settings) : health(settings, 1) {}

  Result<Permit> ask() { return health.admit({.request = {++request}, .method = "GET", .path = "/"}, now); }
  std::optional<Refusal> refusal() {
    auto const permit = ask();
    return permit ? std::nullopt : permit.error().get<Refusal>();
  }
  /// Takes as many permits, which hang.
  void fill(unsigned count) {
    for (unsigned i = 0; i < count; ++i) hanging.push_back(std::move(*ask()));
  }
  [[nodiscard]] HealthSnapshot snapshot() const { return health.snapshot(now); }

  Health health;
  Instant now = start;
  std::uint64_t request = 0;
  std::vector<Permit> hanging;
};

Health::Settings limited_to(std::size_t attempts) {
  Health::Settings settings;
  settings.limit.attempts = attempts;
  return settings;
}

TEST(HealthLimit, IsReadFromTheLedger) {
  Loaded loaded{limited_to(3)};
  loaded.fill(3);
  EXPECT_EQ(loaded.refusal(), Refusal::limit);
  auto const full = loaded.snapshot();
  EXPECT_EQ(full.ledger.started, 3U) << "a refusal is no attempt";
  EXPECT_EQ(full.ledger.in_flight, 3U);
  EXPECT_EQ(full.limit.attempts, 3U);
  EXPECT_EQ(full.limit.refusals, 1U);
  EXPECT_EQ(full.refusals, 0U) << "the circuit has refused nothing";
  std::move(loaded.hanging.back()).settle(Outcome::success(), loaded.now);
  loaded.hanging.pop_back();
  loaded.fill(1);
  EXPECT_EQ(loaded.refusal(), Refusal::limit);
}

TEST(HealthLimit, HasRoomAgainHoweverAnAttemptEnds) {
  Loaded loaded{limited_to(1)};
  for (auto const outcome :
       {Outcome::success(), failed(), Outcome::excluded(), Outcome::abandoned(), Outcome::success()}) {
    auto permit = loaded.ask();
    ASSERT_TRUE(permit);
    EXPECT_EQ(loaded.refusal(), Refusal::limit);
    std::move(*permit).settle(outcome, loaded.now);
  }
  { auto const dropped = loaded.ask(); }
  EXPECT_TRUE(loaded.ask());
}

TEST(HealthLimit, IsAThousandAndTwentyFourByDefault) {
  Loaded loaded{{}};
  loaded.fill(1024);
  EXPECT_EQ(loaded.refusal(), Refusal::limit);
}

TEST(HealthLimit, IsNotTheReasonWhereTheCircuitRefuses) {
  Loaded loaded{limited_to(3)};
  loaded.fill(3);
  loaded.health.hold(Hold::open, loaded.now);
  EXPECT_EQ(loaded.refusal(), Refusal::held);
  EXPECT_EQ(loaded.snapshot().limit.refusals, 0U);
}

TEST(HealthLimit, LetsAProbePassHoweverManyHang) {
  Loaded loaded{limited_to(3)};
  loaded.fill(3);
  loaded.health.hold(Hold::open, loaded.now);
  loaded.health.hold(std::nullopt, loaded.now);
  auto probe = loaded.ask();
  ASSERT_TRUE(probe) << "else nobody could find out whether the upstream is back";
  EXPECT_TRUE(probe->probe());
  EXPECT_EQ(loaded.snapshot().ledger.in_flight, 4U);
  EXPECT_EQ(loaded.refusal(), Refusal::probe_in_flight);
  std::move(*probe).settle(Outcome::success(), loaded.now);
  EXPECT_EQ(loaded.health.state(), CircuitState::ramping);
  EXPECT_EQ(loaded.refusal(), Refusal::limit) << "those that hang still do";
}

TEST(HealthLimit, MovesWithWhatAttemptsTakeWhereItIsAdaptive) {
  Health::Settings settings;
  settings.limit.adaptive = AdaptiveLimitSettings{};
  Loaded loaded{settings};
  auto const round = [&loaded](Duration latency) {
    loaded.fill(static_cast<unsigned>(loaded.snapshot().limit.attempts));
    EXPECT_EQ(loaded.refusal(), Refusal::limit);
    loaded.now += latency;
    for (auto& permit : loaded.hanging) {
      permit.answered(loaded.now);
      std::move(permit).settle(Outcome::success(), loaded.now + 1s);  // what its body takes is its own affair
    }
    loaded.hanging.clear();
  };
  for (int i = 0; i < 20; ++i) round(100ms);
  auto const grown = loaded.snapshot().limit;
  EXPECT_GT(grown.attempts, 100U);
  ASSERT_TRUE(grown.usual_latency);
  EXPECT_NEAR(seconds(*grown.usual_latency), 0.1, 0.01);
  for (int i = 0; i < 5; ++i) round(500ms);
  EXPECT_LT(loaded.snapshot().limit.attempts, grown.attempts);
}

TEST(HealthLimit, HasRoomAfterALullThatNothingHasEndedOnceItHearsOfTheTime) {
  Health::Settings settings;
  settings.limit.adaptive = AdaptiveLimitSettings{};
  Loaded loaded{settings};
  auto const round = [&loaded](Duration latency) {
    loaded.fill(static_cast<unsigned>(loaded.snapshot().limit.attempts));
    loaded.now += latency;
    for (auto& permit : loaded.hanging) std::move(permit).settle(Outcome::success(), loaded.now);
    loaded.hanging.clear();
  };
  for (int i = 0; i < 20; ++i) round(100ms);
  auto before = loaded.snapshot().limit.attempts;
  for (int i = 0; i < 200; ++i) {
    before = loaded.snapshot().limit.attempts;
    round(500ms);
    if (2 * loaded.snapshot().limit.attempts < before) break;  // no other step is as great
  }
  auto const lowered = loaded.snapshot().limit.attempts;
  ASSERT_LT(2 * lowered, before) << "no lull";
  loaded.fill(static_cast<unsigned>(lowered));
  loaded.now += 10s;
  EXPECT_EQ(loaded.health.room(), 0U);
  loaded.health.pass(loaded.now);
  EXPECT_GT(loaded.health.room(), 0U);
}

TEST(HealthThrottle, RefusesAPartWhileTheUpstreamAcceptsTooLittle) {
  Health::Settings settings;
  settings.breaker.enabled = false;
  settings.throttle = ThrottleSettings{.per_accept = 1.5, .over = 10s, .cap = 0.9};
  Loaded loaded{settings};
  unsigned refused = 0;
  for (int i = 0; i < 1000; ++i, loaded.now += 10ms) {
    auto permit = loaded.ask();
    if (permit) {
      std::move(*permit).settle(failed(FailureKind::overload), loaded.now);
    } else {
      EXPECT_EQ(permit.error().get<Refusal>(), Refusal::throttled);
      ++refused;
    }
  }
  EXPECT_GT(refused, 800U);
  auto const snapshot = loaded.snapshot();
  ASSERT_TRUE(snapshot.throttle);
  EXPECT_EQ(snapshot.throttle->refusals, refused);
  EXPECT_EQ(snapshot.throttle->refused_share, 0.9);
  EXPECT_EQ(snapshot.ledger.started, 1000 - refused);
}

TEST(HealthThrottle, LeavesProbesAndWhatTheCircuitRefusesAlone) {
  Health::Settings settings;
  settings.throttle = ThrottleSettings{.cap = 1};
  Loaded loaded{settings};
  while (loaded.health.state() == CircuitState::closed) {
    if (auto permit = loaded.ask()) std::move(*permit).settle(failed(FailureKind::timeout), loaded.now);
    loaded.now += 1ms;
  }
  auto const before = loaded.snapshot();
  ASSERT_GT(before.throttle->refused_share, 0);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(loaded.refusal(), Refusal::circuit_open);
  EXPECT_EQ(loaded.snapshot().throttle->refused_share, before.throttle->refused_share);
  loaded.now += loaded.health.retry_after(loaded.now);
  auto probe = loaded.ask();
  ASSERT_TRUE(probe);
  EXPECT_TRUE(probe->probe());
}

TEST(HealthThrottle, IsAbsentUnlessItIsAskedFor) {
  Loaded loaded{{}};
  EXPECT_FALSE(loaded.snapshot().throttle);
}

}  // namespace
}  // namespace candor
