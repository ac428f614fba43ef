#include <gtest/gtest.h>

#include "candor/proxy/layers.hpp"
#include "support/rig.hpp"

namespace candor::test {
namespace {

UpstreamSettings without_retries() {
  auto settings = plain_settings();
  settings.retry.attempts = 1;
  return settings;
}

Outcome outcome_of_step(Step step) {
  Rig rig{without_retries()};
  rig.transport.then(std::move(step));
  rig.send();
  rig.run_for(1min);
  rig.expect_all_told();
  return rig.observer.settled.at(0).outcome.value();
}

TEST(BreakerLayer, SettlesWithTheKindOfTheFailure) {
  for (auto const kind : all_failure_kinds) {
    EXPECT_EQ(outcome_of_step(fails(kind)), Outcome::failed(kind)) << name(kind);
  }
}

TEST(BreakerLayer, ReadsTheStatusAsTheClassifierDoes) {
  EXPECT_EQ(outcome_of_step(answers(200)), Outcome::success());
  EXPECT_EQ(outcome_of_step(answers(404)), Outcome::success());
  EXPECT_EQ(outcome_of_step(answers(501)), Outcome::success());
  EXPECT_EQ(outcome_of_step(answers(500)), Outcome::failed(FailureKind::status));
  EXPECT_EQ(outcome_of_step(answers(503)), Outcome::failed(FailureKind::status));
  EXPECT_EQ(outcome_of_step(answers(429)), Outcome::failed(FailureKind::overload));
  EXPECT_EQ(outcome_of_step({.status = 503, .fields = {{"retry-after", "1"}}}),
            Outcome::failed(FailureKind::overload));
}

TEST(BreakerLayer, ReadsEveryWayOfBeingToldToStop) {
  auto const of = [](CancelReason reason) { return outcome_of(Failure{reason}); };
  EXPECT_EQ(of(CancelReason::caller_left), Outcome::abandoned());
  EXPECT_EQ(of(CancelReason::shutdown), Outcome::abandoned());
  EXPECT_EQ(of(CancelReason::circuit_opened), Outcome::abandoned());
  EXPECT_EQ(of(CancelReason::deadline), Outcome::failed(FailureKind::timeout));
  EXPECT_EQ(of(CancelReason::attempt_timeout), Outcome::failed(FailureKind::timeout));
  EXPECT_EQ(of(CancelReason::idle_timeout), Outcome::failed(FailureKind::timeout));
  EXPECT_EQ(of(CancelReason::connect_timeout), Outcome::failed(FailureKind::connect));
  EXPECT_EQ(outcome_of(Failure{StaleConnection{}}), Outcome::excluded());
  EXPECT_EQ(outcome_of(Failure{CallerBodyBroken{}}), Outcome::excluded());
}

TEST(BreakerLayer, RecordsTheAttempt) {
  Rig rig{without_retries()};
  rig.run_for(1s);
  rig.transport.then({.head = 20ms, .status = 204});
  auto& call = rig.send();
  rig.run_for(1s);
  auto const& record = call.attempts().last();
  EXPECT_EQ(record.number, 1U);
  EXPECT_EQ(record.endpoint, rig.transport.sent[0].endpoint);
  EXPECT_EQ(record.started, Instant{} + 1s);
  EXPECT_EQ(record.settled, Instant{} + 1020ms);
  EXPECT_EQ(record.status, 204);
  EXPECT_FALSE(record.probe);
  EXPECT_EQ(record.outcome, Outcome::success());
}

TEST(BreakerLayer, OpensAtTheInstantTheDecidingAttemptSettlesAndRefusesAtOnce) {
  auto settings = without_retries();
  settings.breaker.trip = {.evidence = std::nullopt, .consecutive_failures = 3};
  Rig rig{settings};
  rig.transport.usually = {.head = 10ms, .status = 503};
  for (int i = 0; i < 3; ++i) {
    rig.send();
    rig.run_for(10ms);
  }
  ASSERT_EQ(rig.transitions.size(), 1U);
  EXPECT_EQ(rig.transitions[0].at, Instant{} + 30ms);
  auto& refused = rig.send();
  EXPECT_EQ(refused.refusal(), Refusal::circuit_open);
  EXPECT_EQ(refused.ended_at, Instant{} + 30ms);
  EXPECT_EQ(rig.transport.sent.size(), 3U);
  EXPECT_EQ(rig.health().refusals, 1U);
}

TEST(BreakerLayer, LetsOneProbeThroughAndRefusesTheOthersBesideIt) {
  Rig rig{without_retries()};
  rig.open_circuit();
  rig.run_for(120ms);
  rig.transport.usually = {.head = 50ms};
  auto& probe = rig.send();
  auto& beside = rig.send();
  EXPECT_EQ(beside.refusal(), Refusal::probe_in_flight);
  rig.run_for(50ms);
  EXPECT_EQ(probe.status, 200);
  EXPECT_TRUE(probe.attempts().last().probe);
  EXPECT_EQ(rig.upstream.health.state(), CircuitState::ramping);
}

TEST(BreakerLayer, AProbeWhoseCallerLeavesFreesItsSlotForTheNextRequest) {
  Rig rig{without_retries()};
  rig.open_circuit();
  rig.run_for(120ms);
  rig.transport.then(hangs());
  auto& leaving = rig.send();
  rig.run_for(10ms);
  leaving.hang_up();
  rig.run_for(0s);
  EXPECT_EQ(rig.upstream.health.state(), CircuitState::half_open);
  auto& next = rig.send();
  EXPECT_EQ(next.status, 200);
  EXPECT_TRUE(next.attempts().last().probe);
}

TEST(BreakerLayer, AnAttemptThatIsDroppedInFlightIsAbandonedThenAndToldOf) {
  Rig rig{without_retries()};
  rig.transport.then({.connect = 10ms, .head = 1h});
  auto& call = rig.send();
  rig.run_for(30ms);
  call.drop();
  auto const notes = rig.upstream.health.recent_attempts();
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_EQ(notes[0].outcome, Outcome::abandoned());
  EXPECT_EQ(notes[0].settled - notes[0].started, 30ms);
  EXPECT_EQ(notes[0].status, 0);
  ASSERT_EQ(rig.observer.settled.size(), 1U);
  EXPECT_EQ(rig.observer.settled[0].outcome, Outcome::abandoned());
  EXPECT_EQ(rig.observer.settled[0].settled, Instant{} + 30ms);
  EXPECT_EQ(call.attempts().last().outcome, Outcome::abandoned());
  rig.expect_all_told();
}

TEST(BreakerLayer, NamesTheRequestInTheAccount) {
  Rig rig{without_retries()};
  rig.transport.then(answers(500));
  rig.send({.method = "POST", .path = "/orders?id=7"});
  auto const notes = rig.upstream.health.recent_attempts();
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_EQ(notes[0].route.view(), "POST /orders");
  EXPECT_EQ(notes[0].status, 500);
}

}  // namespace
}  // namespace candor::test
