#include <gtest/gtest.h>

#include "support/rig.hpp"

namespace candor::test {
namespace {

UpstreamSettings impatient() {
  auto settings = plain_settings();
  settings.timeouts.attempt = 100ms;
  return settings;
}

TEST(TimeoutLayer, AnAttemptWithoutAHeadInTimeIsAFailureAndIsRetried) {
  Rig rig{impatient()};
  rig.transport.then(hangs());
  auto& call = rig.send();
  rig.run_for(100ms);
  ASSERT_EQ(rig.observer.settled.size(), 1U);
  EXPECT_EQ(rig.observer.settled[0].outcome, Outcome::failed(FailureKind::timeout));
  EXPECT_EQ(rig.observer.settled[0].settled, Instant{} + 100ms);
  rig.run_for(1s);
  EXPECT_EQ(call.status, 200);
  EXPECT_EQ(rig.transport.sent[1].retry_reason, "timeout");
  rig.expect_all_told();
}

TEST(TimeoutLayer, EachAttemptHasItsOwnTimeout) {
  Rig rig{impatient()};
  rig.transport.usually = hangs();
  auto& call = rig.send();
  rig.run_for(1s);
  EXPECT_EQ(call.attempts().size(), 3U);
  EXPECT_EQ(call.ended_at, Instant{} + 100ms + 25ms + 100ms + 50ms + 100ms);
  EXPECT_EQ(call.cancelled(), CancelReason::attempt_timeout);
  rig.expect_all_told();
}

TEST(TimeoutLayer, CoversConnectingAndWaitingForTheHeadTogether) {
  Rig rig{impatient()};
  rig.transport.then({.connect = 60ms, .head = 60ms});
  rig.send();
  rig.run_for(100ms);
  EXPECT_EQ(rig.health().ledger.failures[static_cast<std::size_t>(FailureKind::timeout)], 1U);
}

TEST(TimeoutLayer, DoesNotCountTheWaitsForTheCallersBody) {
  Rig rig{impatient()};
  rig.transport.then(hangs());
  auto& call = rig.send();
  auto& wait = call.exchange->caller_wait;
  rig.run_for(40ms);
  wait.begin(call.exchange->now());
  rig.run_for(500ms);
  EXPECT_TRUE(rig.observer.settled.empty());
  wait.end(call.exchange->now());
  rig.run_for(59ms);
  EXPECT_TRUE(rig.observer.settled.empty());
  rig.run_for(1ms);
  ASSERT_EQ(rig.observer.settled.size(), 1U);
  EXPECT_EQ(rig.observer.settled[0].outcome, Outcome::failed(FailureKind::timeout));
}

TEST(TimeoutLayer, LetsTheBodyTakeItsTime) {
  Rig rig{impatient()};
  rig.transport.then({.head = 99ms, .body = {{.after = 500ms, .bytes = "late", .last = true}}});
  auto& call = rig.send();
  rig.run_for(1s);
  EXPECT_EQ(call.content, "late");
  EXPECT_EQ(rig.health().ledger.success, 1U);
  rig.expect_all_told();
}

TEST(TimeoutLayer, AProbeIsUnderTheTimeoutToo) {
  Rig rig{impatient()};
  rig.open_circuit();
  rig.run_for(120ms);
  rig.transport.usually = hangs();
  rig.send();
  rig.run_for(100ms);
  EXPECT_EQ(rig.upstream.health.state(), CircuitState::open);
  rig.expect_all_told();
}

UpstreamSettings marking() {
  auto settings = plain_settings();
  settings.breaker.slow_after = 50ms;
  settings.timeouts.attempt = 200ms;
  settings.retry.attempts = 1;
  return settings;
}

TEST(TimeoutLayerSlowMark, MarksAnAttemptInFlightWhenItPassesTheThreshold) {
  Rig rig{marking()};
  rig.transport.then({.head = 150ms});
  auto& call = rig.send();
  rig.run_for(49ms);
  EXPECT_EQ(rig.health().ledger.slow, 0U);
  rig.run_for(1ms);
  EXPECT_EQ(rig.health().ledger.slow, 1U);
  EXPECT_EQ(rig.health().ledger.in_flight, 1U) << "a mark is no outcome";
  rig.run_for(100ms);
  EXPECT_EQ(call.status, 200);
  EXPECT_EQ(rig.health().ledger.success, 1U);
  EXPECT_EQ(rig.health().run, 1U) << "a marked attempt that ends well heals no run";
  rig.expect_all_told();
}

TEST(TimeoutLayerSlowMark, DoesNotBlameAnAttemptForItsCaller) {
  auto settings = plain_settings();
  settings.breaker.slow_after = 50ms;
  Rig rig{settings};
  rig.transport.then({.head = 1s});
  auto& call = rig.send();
  call.exchange->caller_wait.begin(call.exchange->now());
  rig.run_for(980ms);
  call.exchange->caller_wait.end(call.exchange->now());
  rig.run_for(1s);
  EXPECT_EQ(call.status, 200);
  EXPECT_EQ(rig.health().ledger.slow, 0U);
}

TEST(TimeoutLayerSlowMark, LeavesAnAttemptAloneWhoseHeadCameInTime) {
  Rig rig{marking()};
  rig.transport.then({.head = 49ms, .body = {{.after = 500ms, .last = true}}});
  rig.send();
  rig.run_for(1s);
  EXPECT_EQ(rig.health().ledger.slow, 0U);
}

TEST(TimeoutLayerSlowMark, MarksOncePerAttemptAndIsNoReasonToRetry) {
  auto settings = marking();
  settings.retry.attempts = 3;
  Rig rig{settings};
  rig.transport.usually = {.head = 150ms};
  rig.send();
  rig.run_for(1s);
  EXPECT_EQ(rig.health().ledger.slow, 1U);
  EXPECT_EQ(rig.transport.sent.size(), 1U);
}

TEST(TimeoutLayerSlowMark, MarksOpenTheCircuitBeforeTheFirstSlowAnswerIsBack) {
  Rig rig{marking()};
  rig.transport.usually = {.head = 190ms};
  for (int i = 0; i < 10; ++i) rig.send();
  rig.run_for(50ms);
  ASSERT_EQ(rig.transitions.size(), 1U);
  EXPECT_EQ(rig.transitions[0].at, Instant{} + 50ms);
  EXPECT_TRUE(rig.observer.settled.empty());
}

}  // namespace
}  // namespace candor::test
