// A request is cancelled, or its circuit opens, at every stage of its way: through all layers, its permit is
// settled exactly once and no timer is left.
#include <gtest/gtest.h>

#include "support/rig.hpp"

namespace candor::test {
namespace {

enum class Stage { connecting, waiting, backing_off, streaming };

std::string name_of(Stage stage) {
  switch (stage) {
    case Stage::connecting: return "Connecting";
    case Stage::waiting: return "WaitingForTheHead";
    case Stage::backing_off: return "BackingOff";
    case Stage::streaming: return "StreamingTheBody";
  }
  return {};
}

UpstreamSettings patient() {
  auto settings = plain_settings();
  settings.retry.backoff.base = 1s;
  settings.retry.backoff.cap = 1s;
  settings.timeouts.attempt = 20s;
  return settings;
}

/// 100ms to connect, 100ms to the head, 300ms for the body; in backoff for a second after a 503 at 200ms.
Step slow_answer(std::uint16_t status) {
  return {
      .connect = 100ms,
      .head = 100ms,
      .status = status,
      .body = {
          {.after = 100ms, .bytes = "a"}, {.after = 100ms, .bytes = "b"}, {.after = 100ms, .last = true}}};
}

class AtEveryStage : public testing::TestWithParam<Stage> {
 protected:
  /// A request that stands at the stage.
  Call& request_at_stage(RequestOptions options = {}) {
    rig.transport.then(slow_answer(GetParam() == Stage::backing_off ? 503 : 200));
    rig.transport.usually = slow_answer(200);
    auto& call = rig.send(std::move(options));
    switch (GetParam()) {
      case Stage::connecting: rig.run_for(50ms); break;
      case Stage::waiting: rig.run_for(150ms); break;
      case Stage::backing_off: rig.run_for(700ms); break;
      case Stage::streaming: rig.run_for(350ms); break;
    }
    EXPECT_FALSE(call.ended());
    return call;
  }

  /// What its one attempt comes to when its own end is cut short.
  Outcome outcome_if_cut(Outcome cut) const {
    return GetParam() == Stage::backing_off ? Outcome::failed(FailureKind::status) : cut;
  }

  Rig rig{patient()};
};

TEST_P(AtEveryStage, ACallerWhoHangsUpEndsTheRequestAtOnceAndItsAttemptIsAbandoned) {
  auto& call = request_at_stage();
  call.hang_up();
  rig.run_for(0s);
  ASSERT_TRUE(call.ended());
  EXPECT_EQ(call.cancelled(), CancelReason::caller_left);
  EXPECT_EQ(call.ended_at, rig.scheduler.now());
  ASSERT_EQ(rig.observer.settled.size(), 1U);
  EXPECT_EQ(rig.observer.settled[0].outcome, outcome_if_cut(Outcome::abandoned()));
  EXPECT_EQ(call.attempts().last().outcome, outcome_if_cut(Outcome::abandoned()));
  rig.expect_all_told();
}

TEST_P(AtEveryStage, AShutdownEndsTheRequestAndItsAttemptIsAbandoned) {
  auto& call = request_at_stage();
  call.caller.cancel(CancelReason::shutdown);
  rig.run_for(0s);
  ASSERT_TRUE(call.ended());
  EXPECT_EQ(call.cancelled(), CancelReason::shutdown);
  EXPECT_EQ(call.attempts().last().outcome, outcome_if_cut(Outcome::abandoned()));
  rig.expect_all_told();
}

TEST_P(AtEveryStage, ADeadlineEndsTheRequestUpToTheHeadAndItsAttemptFailsByTimeout) {
  auto& call = request_at_stage();
  call.exchange->scope.cancel(CancelReason::deadline);
  rig.run_for(0s);
  ASSERT_TRUE(call.ended());
  EXPECT_EQ(call.cancelled(), CancelReason::deadline);
  bool const had_head = GetParam() == Stage::streaming;
  EXPECT_EQ(call.attempts().last().outcome,
            outcome_if_cut(had_head ? Outcome::abandoned() : Outcome::failed(FailureKind::timeout)));
  rig.expect_all_told();
}

TEST_P(AtEveryStage, ADroppedRequestGivesItsPermitBackAndTakesItsTimersAlong) {
  auto& call = request_at_stage();
  call.drop();
  rig.run_for(0s);
  auto const ledger = rig.health().ledger;
  EXPECT_EQ(ledger.abandoned, GetParam() == Stage::backing_off ? 0U : 1U);
  rig.expect_all_told();
  auto const& record = rig.observer.settled.at(0);
  EXPECT_EQ(record.outcome, outcome_if_cut(Outcome::abandoned()));
  EXPECT_EQ(record.settled, GetParam() == Stage::backing_off ? Instant{} + 200ms : rig.scheduler.now());
}

TEST_P(AtEveryStage, AnOpeningCircuitEndsOnlyTheWaitInBackoff) {
  auto& call = request_at_stage();
  rig.open_circuit();
  rig.run_for(0s);
  if (GetParam() == Stage::backing_off) {
    // Its caller gets the answer in hand, now. Its body still streams.
    EXPECT_EQ(call.status, 503);
    EXPECT_EQ(call.exchange->denied, RetryDenied::circuit);
  } else {
    EXPECT_FALSE(call.ended());
  }
  rig.run_for(1s);
  ASSERT_TRUE(call.ended());
  EXPECT_FALSE(call.failure);
  EXPECT_EQ(call.content, "ab");
  if (GetParam() != Stage::backing_off) {
    EXPECT_EQ(call.status, 200);
    EXPECT_EQ(rig.health().ledger.stale, 1U) << "it ran on, without a vote";
  }
  EXPECT_EQ(rig.transport.sent.size(), 1U);
  rig.expect_all_told();
}

TEST_P(AtEveryStage, WhatIsNotCancelledComesToAGoodEnd) {
  auto& call = request_at_stage();
  rig.run_for(5s);
  ASSERT_TRUE(call.ended());
  EXPECT_EQ(call.status, 200);
  EXPECT_EQ(call.content, "ab");
  rig.expect_all_told();
}

INSTANTIATE_TEST_SUITE_P(Cancelling, AtEveryStage,
                         testing::Values(Stage::connecting, Stage::waiting, Stage::backing_off,
                                         Stage::streaming),
                         [](auto const& at) { return name_of(at.param); });

TEST(Cancelling, TheDeadlineCoversAttemptsAndWaitsAndEndsWithTheHead) {
  auto settings = patient();
  settings.timeouts.request = 300ms;
  Rig rig{settings};
  rig.transport.then(hangs());
  rig.transport.then(slow_answer(200));
  auto& hanging = rig.send();
  auto& streaming = rig.send();
  rig.run_for(300ms);
  EXPECT_EQ(hanging.cancelled(), CancelReason::deadline);
  EXPECT_EQ(hanging.ended_at, Instant{} + 300ms);
  EXPECT_EQ(hanging.attempts().last().outcome, Outcome::failed(FailureKind::timeout));
  EXPECT_FALSE(streaming.ended()) << "its head came in time; its body has its own bounds";
  rig.run_for(200ms);
  EXPECT_EQ(streaming.content, "ab");
  rig.expect_all_told();
}

TEST(Cancelling, ACallerWhoLeavesInTheInstantOfTheHeadSettlesOnce) {
  Rig rig{patient()};
  rig.transport.then(slow_answer(200));
  auto& call = rig.send();
  Timer leaving{[&call] { call.hang_up(); }};
  rig.scheduler.after(leaving, 200ms);  // armed before the head's own timer: it comes first
  rig.run_for(1s);
  EXPECT_EQ(call.cancelled(), CancelReason::caller_left);
  EXPECT_EQ(rig.health().ledger.abandoned, 1U);
  rig.expect_all_told();
}

TEST(Cancelling, OneCallerWhoLeavesDoesNotTouchTheOthers) {
  Rig rig{patient()};
  rig.transport.usually = slow_answer(200);
  auto& first = rig.send();
  auto& second = rig.send();
  rig.run_for(150ms);
  first.hang_up();
  rig.run_for(1s);
  EXPECT_EQ(first.cancelled(), CancelReason::caller_left);
  EXPECT_EQ(second.content, "ab");
  rig.expect_all_told();
}

TEST(Cancelling, ARetryThatIsGivenUpInBackoffGivesItsTokenBack) {
  auto settings = patient();
  settings.retry.budget = {.ratio = 0, .per_second = 0.1, .over = 10s};  // one token
  Rig rig{settings};
  rig.transport.usually = answers(503);
  auto& leaving = rig.send();
  rig.run_for(500ms);
  leaving.hang_up();
  rig.run_for(0s);
  EXPECT_GE(rig.upstream.budget.available(rig.scheduler.now()), 1.0);
  EXPECT_EQ(leaving.exchange->retries, 0U);
  EXPECT_TRUE(rig.observer.retries.empty());
}

}  // namespace
}  // namespace candor::test
