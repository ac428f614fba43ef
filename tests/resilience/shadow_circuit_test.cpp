// A second set of breaker rules that looks on: what it would have done, and that nothing goes by it.
#include <gtest/gtest.h>

#include <vector>

#include "candor/core/rng.hpp"
#include "resilience/driver.hpp"

namespace candor {
namespace {

using test::classic;
using test::failed;
using test::start;

Health::Settings watched(BreakerSettings acting, BreakerSettings shadow) {
  // Windows of exactly their length.
  acting.open.jitter = shadow.open.jitter = 0;
  Health::Settings settings;
  settings.breaker = std::move(acting);
  settings.shadow = std::move(shadow);
  return settings;
}

struct Watched {
  explicit Watched(BreakerSettings acting, BreakerSettings shadow)
      : health(watched(std::move(acting), std::move(shadow)), 1) {
    health.listen([this](Transition const& transition) { heard.push_back(transition); });
    health.listen_to_shadow([this](Transition const& transition) { would.push_back(transition); });
  }

  Permit admit() { return std::move(*health.admit({.request = RequestId{++request}}, now)); }
  void attempt(Outcome outcome) { std::move(admit()).settle(outcome, now); }
  void fail(unsigned times) {
    for (unsigned i = 0; i < times; ++i) attempt(failed());
  }
  [[nodiscard]] ShadowSnapshot shadow() const { return *health.snapshot(now).shadow; }
  [[nodiscard]] std::uint64_t refused(Outcome::Kind kind) const {
    return shadow().refused[static_cast<std::size_t>(kind)];
  }

  Health health;
  Instant now = start;
  std::uint64_t request = 0;
  std::vector<Transition> heard;
  std::vector<Transition> would;
};

TEST(ShadowCircuit, IsThereOnlyWhereItIsAskedFor) {
  Health const plain{Health::Settings{}, 1};
  EXPECT_EQ(plain.shadow_state(), std::nullopt);
  EXPECT_FALSE(plain.snapshot(start).shadow);
  EXPECT_TRUE(plain.shadow_transitions().empty());
}

TEST(ShadowCircuit, OpensByItsOwnRulesAndRefusesNobody) {
  Watched w{classic(5), classic(2)};
  w.fail(2);
  EXPECT_EQ(w.health.shadow_state(), CircuitState::open);
  EXPECT_EQ(w.health.state(), CircuitState::closed);
  w.attempt(Outcome::success());
  EXPECT_EQ(w.health.snapshot(w.now).ledger.success, 1U);
  EXPECT_EQ(w.health.snapshot(w.now).refusals, 0U);
}

TEST(ShadowCircuit, IsHeardByThoseWhoAskForItOnly) {
  Watched w{classic(5), classic(2)};
  w.fail(2);
  EXPECT_TRUE(w.heard.empty());
  ASSERT_EQ(w.would.size(), 1U);
  EXPECT_EQ(w.would[0].to, CircuitState::open);
  EXPECT_EQ(w.would[0].why.rule, Rule::consecutive_failures);
  EXPECT_TRUE(w.health.transitions().empty());
  ASSERT_EQ(w.health.shadow_transitions().size(), 1U);
  EXPECT_EQ(w.health.shadow_transitions()[0].attempts.size(), 2U);
}

TEST(ShadowCircuit, CountsWhatItWouldHaveRefusedByWhatItShowed) {
  Watched w{classic(50), classic(2)};
  w.fail(2);
  w.fail(3);
  w.attempt(Outcome::success());
  w.attempt(Outcome::abandoned());
  EXPECT_EQ(w.refused(Outcome::Kind::failure), 3U);
  EXPECT_EQ(w.refused(Outcome::Kind::success), 1U);
  EXPECT_EQ(w.refused(Outcome::Kind::abandoned), 1U);
  EXPECT_EQ(w.shadow().window.settled, 2U) << "those it would have refused have no vote";
}

TEST(ShadowCircuit, CountsWhatItWouldHaveRefusedThoughItsEndpointLeaves) {
  Watched w{classic(50), classic(2)};
  w.fail(2);
  auto refused = w.admit();
  w.health.set_endpoints({{EndpointId{1}, {}}}, w.now);
  std::move(refused).settle(failed(), w.now);
  EXPECT_EQ(w.refused(Outcome::Kind::failure), 1U);
  EXPECT_EQ(w.refused(Outcome::Kind::abandoned), 0U);
}

TEST(ShadowCircuit, TheNextAttemptStandsForTheProbeOnceItsWindowIsOver) {
  Watched w{classic(50), classic(2)};
  w.fail(2);
  w.now += w.shadow().retry_after;
  auto probe = w.admit();
  EXPECT_FALSE(probe.probe()) << "it is none: its retries are not bound by it";
  EXPECT_EQ(w.health.shadow_state(), CircuitState::half_open);
  w.attempt(Outcome::success());
  EXPECT_EQ(w.refused(Outcome::Kind::success), 1U) << "another beside the probe";
  std::move(probe).settle(Outcome::success(), w.now);
  EXPECT_EQ(w.health.shadow_state(), CircuitState::ramping);
  EXPECT_EQ(w.shadow().openings, 1U);
}

TEST(ShadowCircuit, AProbeThatFailsWouldHaveReopenedIt) {
  Watched w{classic(50), classic(2)};
  w.fail(2);
  w.now += w.shadow().retry_after;
  w.fail(1);
  EXPECT_EQ(w.health.shadow_state(), CircuitState::open);
  EXPECT_EQ(w.shadow().openings, 1U) << "a failed probe opens nothing anew";
}

TEST(ShadowCircuit, AnInconclusiveProbeLeavesItsPlaceToTheNext) {
  Watched w{classic(50), classic(2)};
  w.fail(2);
  w.now += w.shadow().retry_after;
  w.attempt(Outcome::excluded());
  EXPECT_EQ(w.health.shadow_state(), CircuitState::half_open);
  w.attempt(Outcome::success());
  EXPECT_EQ(w.health.shadow_state(), CircuitState::ramping);
}

TEST(ShadowCircuit, OneFromBeforeItsOpeningHasNoVoteInIt) {
  Watched w{classic(50), classic(2)};
  auto late = w.admit();
  w.fail(2);
  w.now += w.shadow().retry_after;
  auto probe = w.admit();
  std::move(late).settle(Outcome::success(), w.now);
  EXPECT_EQ(w.health.shadow_state(), CircuitState::half_open);
  std::move(probe).settle(Outcome::success(), w.now);
  EXPECT_EQ(w.health.shadow_state(), CircuitState::ramping);
}

TEST(ShadowCircuit, ReadsTheSameSlowMarks) {
  BreakerSettings acting;
  acting.slow_after = 500ms;
  auto shadow = acting;
  shadow.trip = {.evidence = std::nullopt, .slow_rate = SlowRateSettings{0.5, 2}};
  Watched w{acting, shadow};
  auto one = w.admit();
  auto two = w.admit();
  one.mark_slow(w.now);
  two.mark_slow(w.now);
  EXPECT_EQ(w.health.shadow_state(), CircuitState::open);
  EXPECT_EQ(w.health.state(), CircuitState::closed);
}

/// It cannot know what the attempts would have shown that were not made.
TEST(ShadowCircuit, ForgetsWhatAnEndpointHasShownThatChecksEject) {
  Health::Settings settings;
  settings.endpoints.resize(3);
  settings.shadow = BreakerSettings{};
  Health health{settings, 1};
  for (std::uint64_t request = 1; request <= 2; ++request) {
    auto permit = health.admit({.request = {request}, .endpoint = EndpointId{0}}, start);
    std::move(*permit).settle(failed(), start);
  }
  ASSERT_EQ(health.snapshot(start).shadow->run, 2U);
  health.checked(EndpointId{0}, {.standing = Standing::ill, .in_a_row = 3, .needed = 3, .next = start + 1s},
                 start);
  ASSERT_EQ(health.snapshot(start).endpoints[0].state, CircuitState::open);
  EXPECT_EQ(health.snapshot(start).shadow->run, 0U);
}

TEST(ShadowCircuit, SeesNothingOfWhatTheActingCircuitRefuses) {
  Watched w{classic(2), classic(5)};
  w.fail(2);
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(w.health.admit({.request = RequestId{100}}, w.now));
  EXPECT_EQ(w.health.shadow_state(), CircuitState::closed);
  EXPECT_EQ(w.shadow().run, 2U);
}

/// What chance decides is the same, whether somebody looks on or not.
TEST(ShadowCircuit, ChangesNothingOfWhatHappens) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Health::Settings settings;
    settings.endpoints.resize(3);
    Health alone{settings, seed};
    settings.shadow = classic(2);
    Health watched{settings, seed};
    Rng chance{seed};
    Instant now = start;
    std::uint64_t refused = 0;
    for (std::uint64_t request = 1; request <= 5000; ++request) {
      now += chance.between(0ms, 20ms);
      bool const bad_time = request % 1000 > 800;
      auto const outcome = chance.chance(bad_time ? 0.9 : 0.1) ? failed() : Outcome::success();
      auto one = alone.admit({.request = RequestId{request}}, now);
      auto other = watched.admit({.request = RequestId{request}}, now);
      ASSERT_EQ(one.has_value(), other.has_value()) << "seed " << seed << ", request " << request;
      if (!one) {
        ++refused;
        continue;
      }
      ASSERT_EQ(one->endpoint(), other->endpoint()) << "seed " << seed << ", request " << request;
      std::move(*one).settle(outcome, now);
      std::move(*other).settle(outcome, now);
    }
    EXPECT_EQ(alone.snapshot(now).generation, watched.snapshot(now).generation);
    EXPECT_GT(refused, 0U) << "nothing happened";
    EXPECT_GT(watched.snapshot(now).shadow->openings, 0U);
  }
}

}  // namespace
}  // namespace candor
