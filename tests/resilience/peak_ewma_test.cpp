#include "candor/resilience/peak_ewma.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "resilience/driver.hpp"

namespace candor {
namespace {

using test::start;

TEST(PeakEwma, IsUnknownAtFirst) {
  EXPECT_EQ(PeakEwma{}.estimate(start), 0);
  EXPECT_EQ(PeakEwma{}.estimate(Instant{}), 0);
}

TEST(PeakEwma, IsTheFirstLatencyAtFirst) {
  PeakEwma one;
  one.succeeded(20ms, start);
  EXPECT_DOUBLE_EQ(one.estimate(start), 0.020);
}

TEST(PeakEwma, JumpsUpToAPeakAndComesDownSlowly) {
  PeakEwma one;
  for (int i = 0; i < 100; ++i) one.succeeded(20ms, start);
  one.succeeded(500ms, start);
  EXPECT_DOUBLE_EQ(one.estimate(start), 0.5);
  auto now = start;
  for (int i = 0; i < 100; ++i) one.succeeded(20ms, now += 100ms);
  EXPECT_NEAR(one.estimate(now), 0.02 + 0.48 / std::exp(1.0), 1e-6) << "a decay time later";
}

TEST(PeakEwma, LeftAloneItSinksAndIsForgotten) {
  PeakEwma one;
  one.succeeded(100ms, start);
  EXPECT_NEAR(one.estimate(start + 10s), 0.1 / std::exp(1.0), 1e-9);
  EXPECT_GT(one.estimate(start + 59s), 0);
  EXPECT_EQ(one.estimate(start + 60s), 0);
  one.succeeded(30ms, start + 61s);
  EXPECT_DOUBLE_EQ(one.estimate(start + 61s), 0.030) << "as if it were new";
}

TEST(PeakEwma, AnInstantAnswerIsKnown) {
  PeakEwma one;
  one.succeeded(0ns, start);
  EXPECT_GT(one.estimate(start), 0);
}

TEST(PeakEwma, WhatIsGivenUpTookAtLeastSoLong) {
  PeakEwma one;
  one.unfinished(50ms, start);
  EXPECT_DOUBLE_EQ(one.estimate(start), 0.050) << "of one that nothing was known of";
  one.succeeded(200ms, start);
  one.unfinished(100ms, start);
  EXPECT_DOUBLE_EQ(one.estimate(start), 0.200) << "that is nothing new";
  one.unfinished(1s, start);
  EXPECT_DOUBLE_EQ(one.estimate(start), 1.0);
  one.unfinished(0s, start + 20s);
  EXPECT_NEAR(one.estimate(start + 20s), std::exp(-2.0), 1e-9) << "it sinks all the same";
}

TEST(PeakEwma, AFastFailureIsNoFastAnswer) {
  PeakEwma one;
  one.succeeded(20ms, start);
  one.failed(1ms, start);
  EXPECT_GT(one.estimate(start), 0.020);
}

TEST(PeakEwma, ASlowFailureIsAPeak) {
  PeakEwma one;
  one.succeeded(20ms, start);
  one.failed(5s, start);
  EXPECT_GT(one.estimate(start), 5);
}

TEST(PeakEwma, TheFirstFailureIsNotTheWholeStory) {
  PeakEwma one;
  one.failed(1ms, start);
  EXPECT_NEAR(one.estimate(start), 0.501, 1e-9);
}

TEST(PeakEwma, OneThatOnlyFailsEndsUpASecondSlow) {
  PeakEwma one;
  auto now = start;
  for (int i = 0; i < 1000; ++i) one.failed(1ms, now += 10ms);
  EXPECT_NEAR(one.estimate(now), 1, 0.01);
}

TEST(PeakEwma, FailuresCountByTheirShare) {
  PeakEwma one;
  auto now = start;
  for (int i = 0; i < 10'000; ++i) {
    now += 10ms;
    i % 10 == 0 ? one.failed(1ms, now) : one.succeeded(20ms, now);
  }
  EXPECT_NEAR(one.estimate(now), 0.020 + 0.1, 0.005);
}

TEST(PeakEwma, FailuresAreForgottenAsOnesSucceed) {
  PeakEwma one;
  auto now = start;
  for (int i = 0; i < 100; ++i) one.failed(1ms, now += 10ms);
  for (int i = 0; i < 5000; ++i) one.succeeded(20ms, now += 10ms);
  EXPECT_NEAR(one.estimate(now), 0.020, 0.002);
}

TEST(PeakEwma, TimeThatGoesBackChangesNothing) {
  PeakEwma one;
  one.succeeded(20ms, start + 5s);
  EXPECT_DOUBLE_EQ(one.estimate(start), 0.020);
  one.succeeded(10ms, start);
  EXPECT_DOUBLE_EQ(one.estimate(start + 5s), 0.020) << "no time has passed in which to forget";
}

}  // namespace
}  // namespace candor
