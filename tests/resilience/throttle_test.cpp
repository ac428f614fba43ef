#include "candor/resilience/throttle.hpp"

#include <gtest/gtest.h>

#include "resilience/driver.hpp"

namespace candor {
namespace {

using test::failed;
using test::start;

void settle(Throttle& throttle, unsigned times, Outcome outcome, Instant now) {
  for (unsigned i = 0; i < times; ++i) throttle.settled(outcome, now);
}

TEST(Throttle, RefusesNothingWhileEnoughIsAccepted) {
  Throttle throttle{{.per_accept = 2}};
  Rng rng{1};
  settle(throttle, 500, Outcome::success(), start);
  settle(throttle, 500, failed(FailureKind::overload), start);
  EXPECT_EQ(throttle.refused_share(start), 0);
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(throttle.refuses(start, rng));
  EXPECT_EQ(throttle.refused_share(start), 0) << "what was let through is counted when it settles";
}

TEST(Throttle, RefusesTheShareThatIsTooMuch) {
  Throttle throttle{{.per_accept = 2}};
  settle(throttle, 100, Outcome::success(), start);
  settle(throttle, 300, failed(FailureKind::timeout), start);
  EXPECT_DOUBLE_EQ(throttle.refused_share(start), (400.0 - 2 * 100) / (400 + Throttle::padding));
}

TEST(Throttle, TakesEveryVerdictForAnAcceptanceThatDoesNotSayTooMuch) {
  for (auto const kind : all_failure_kinds) {
    Throttle throttle{{}};
    settle(throttle, 100, failed(kind), start);
    bool const too_much = kind == FailureKind::overload || kind == FailureKind::timeout;
    EXPECT_EQ(throttle.refused_share(start) > 0, too_much) << name(kind);
  }
  Throttle throttle{{}};
  settle(throttle, 100, Outcome::excluded(), start);
  settle(throttle, 100, Outcome::abandoned(), start);
  EXPECT_EQ(throttle.refused_share(start), 0);
}

TEST(Throttle, HardlyMindsTheOneTimeoutOfAQuietUpstream) {
  Throttle throttle{{}};
  settle(throttle, 1, failed(FailureKind::timeout), start);
  EXPECT_LT(throttle.refused_share(start), 0.12);
}

TEST(Throttle, RefusesNoMoreThanItsCap) {
  Throttle throttle{{.cap = 0.9}};
  Rng rng{1};
  settle(throttle, 10'000, failed(FailureKind::overload), start);
  EXPECT_EQ(throttle.refused_share(start), 0.9);
  unsigned refused = 0;
  for (int i = 0; i < 10'000; ++i) refused += throttle.refuses(start, rng) ? 1 : 0;
  EXPECT_NEAR(refused, 9'000, 150);
}

TEST(Throttle, ForgetsWhatIsPast) {
  Throttle throttle{{.over = 30s}};
  settle(throttle, 100, failed(FailureKind::overload), start);
  EXPECT_GT(throttle.refused_share(start + 26s), 0.5);
  EXPECT_EQ(throttle.refused_share(start + 31s), 0);
}

/// One attempt after the other, of an upstream that accepts this share; the share that was refused here.
double refused_of(Throttle& throttle, double accepts, double per_second, Duration span, Instant& now) {
  Rng rng{7};
  double refused = 0;
  double asked = 0;
  for (auto const until = now + span; now < until; now += from_seconds(1 / per_second)) {
    ++asked;
    if (throttle.refuses(now, rng)) {
      ++refused;
      continue;
    }
    throttle.settled(rng.chance(accepts) ? Outcome::success() : failed(FailureKind::overload), now);
  }
  return refused / asked;
}

TEST(Throttle, LetsAnUpstreamSeeSoMuchMoreThanItAccepts) {
  Throttle throttle{{.per_accept = 1.5, .over = 30s}};
  Instant now = start;
  Rng rng{7};
  // It accepts 100 a second, whatever comes, and is asked for 400.
  double sent = 0;
  double accepted = 0;
  for (int second = 0; second < 120; ++second) {
    double left = 100;
    for (int i = 0; i < 400; ++i, now += 2500us) {
      if (throttle.refuses(now, rng)) continue;
      bool const accepts = left > 0;
      left -= accepts ? 1 : 0;
      throttle.settled(accepts ? Outcome::success() : failed(FailureKind::overload), now);
      if (second < 60) continue;
      ++sent;
      accepted += accepts ? 1 : 0;
    }
  }
  EXPECT_NEAR(accepted, 6'000, 100);
  EXPECT_NEAR(sent / accepted, 1.5, 0.1);
}

TEST(Throttle, IsGoneSoonAfterTheUpstreamIsBack) {
  Throttle throttle{{}};
  Instant now = start;
  EXPECT_GT(refused_of(throttle, 0, 100, 2min, now), 0.8);
  refused_of(throttle, 1, 100, 40s, now);
  EXPECT_EQ(refused_of(throttle, 1, 100, 10s, now), 0);
}

}  // namespace
}  // namespace candor
