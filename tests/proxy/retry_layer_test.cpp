#include <gtest/gtest.h>

#include "support/rig.hpp"

namespace candor::test {
namespace {

TEST(RetryLayer, AGoodAnswerNeedsOneAttempt) {
  Rig rig;
  auto& call = rig.send();
  rig.run_for(1s);
  EXPECT_EQ(call.status, 200);
  ASSERT_EQ(rig.transport.sent.size(), 1U);
  EXPECT_EQ(rig.transport.sent[0].number, 1U);
  EXPECT_EQ(rig.transport.sent[0].retry_reason, "");
  EXPECT_EQ(call.exchange->denied, std::nullopt);
  rig.expect_all_told();
}

TEST(RetryLayer, AFailedAttemptIsMadeAgainAfterTheBackoffAndSaysWhy) {
  Rig rig;
  rig.transport.then(fails(FailureKind::reset));
  rig.transport.then(answers(503));
  auto& call = rig.send();
  rig.run_for(1s);
  EXPECT_EQ(call.status, 200);
  auto const& sent = rig.transport.sent;
  ASSERT_EQ(sent.size(), 3U);
  EXPECT_EQ(sent[1].at, Instant{} + 25ms);
  EXPECT_EQ(sent[2].at, Instant{} + 75ms);
  EXPECT_EQ(sent[1].number, 2U);
  EXPECT_EQ(sent[2].number, 3U);
  EXPECT_EQ(sent[1].retry_reason, "reset");
  EXPECT_EQ(sent[2].retry_reason, "status");
  EXPECT_EQ(rig.observer.retries, (std::vector<std::string>{"reset", "status"}));
  EXPECT_EQ(call.exchange->retries, 2U);
  rig.expect_all_told();
}

TEST(RetryLayer, RetryAfterReplacesTheBackoffWhenItIsLonger) {
  Rig rig;
  rig.transport.then({.status = 503, .fields = {{"Retry-After", "2"}}});
  rig.send();
  rig.run_for(5s);
  ASSERT_EQ(rig.transport.sent.size(), 2U);
  EXPECT_EQ(rig.transport.sent[1].at, Instant{} + 2s);
  EXPECT_EQ(rig.transport.sent[1].retry_reason, "overload");
}

TEST(RetryLayer, ARetryAfterDateIsMeasuredAgainstTheSendersOwnDate) {
  Rig rig;
  rig.transport.then({.status = 503,
                      .fields = {{"Date", "Sun, 06 Nov 1994 08:49:37 GMT"},
                                 {"Retry-After", "Sun, 06 Nov 1994 08:49:40 GMT"}}});
  rig.send();
  rig.run_for(5s);
  ASSERT_EQ(rig.transport.sent.size(), 2U);
  EXPECT_EQ(rig.transport.sent[1].at, Instant{} + 3s);
}

TEST(RetryLayer, ASupersededAnswerIsDroppedWhenThePermitIsGranted) {
  Rig rig;
  rig.transport.then({.status = 503, .body = {{.bytes = "kept until then"}}});
  rig.transport.then({.head = 1s});
  rig.send();
  rig.run_for(20ms);
  EXPECT_EQ(rig.transport.answers_held, 1U) << "in hand during the backoff";
  rig.run_for(500ms);
  ASSERT_EQ(rig.transport.sent.size(), 2U);
  EXPECT_EQ(rig.transport.sent[1].answers_held, 0U) << "gone before the next attempt is sent";
}

TEST(RetryLayer, ARetryThatIsRefusedLeavesTheAnswerInHandAndGivesItsTokenBack) {
  auto settings = plain_settings();
  settings.retry.budget = {.ratio = 0, .per_second = 0.1, .over = 10s};  // one token
  Rig rig{settings};
  rig.transport.then({.status = 503, .body = {{.bytes = "first", .last = true}}});
  auto& call = rig.send();
  // It becomes open without this worker having heard of it: the wait goes on, and the permit is refused.
  rig.run_for(20ms);
  auto const waiting = std::exchange(rig.pipelines, nullptr);
  rig.pipelines = std::make_unique<Pipelines>(rig.upstream, rig.transport);
  rig.open_circuit();
  EXPECT_FALSE(call.ended());
  rig.run_for(10ms);
  ASSERT_TRUE(call.ended());
  EXPECT_EQ(call.status, 503);
  EXPECT_EQ(call.content, "first");
  EXPECT_EQ(call.exchange->denied, RetryDenied::circuit);
  EXPECT_EQ(call.exchange->retries, 0U);
  EXPECT_EQ(rig.observer.denied, std::vector{RetryDenied::circuit});
  EXPECT_TRUE(rig.observer.retries.empty()) << "nothing was sent";
  EXPECT_GE(rig.upstream.budget.available(rig.scheduler.now()), 1.0);
  rig.expect_all_told();
}

TEST(RetryLayer, ARefusedRetryWithoutAnAnswerInHandGivesTheFailure) {
  Rig rig;
  rig.transport.then(fails(FailureKind::reset));
  auto& call = rig.send();
  rig.run_for(20ms);
  rig.open_circuit();
  rig.run_for(0s);
  ASSERT_TRUE(call.ended());
  EXPECT_TRUE(call.failure->get<AttemptFailed>()) << "what happened, not that no more was tried";
  EXPECT_EQ(call.exchange->denied, RetryDenied::circuit);
}

TEST(RetryLayer, TheAnswerOfTheLastAttemptIsTheOneThatIsGiven) {
  Rig rig;
  rig.transport.then({.status = 503, .body = {{.bytes = "first", .last = true}}});
  rig.transport.then({.status = 502, .body = {{.bytes = "second", .last = true}}});
  rig.transport.then({.status = 504, .body = {{.bytes = "third", .last = true}}});
  auto& call = rig.send();
  rig.run_for(1s);
  EXPECT_EQ(call.status, 504);
  EXPECT_EQ(call.content, "third");
  EXPECT_FALSE(call.good);
  rig.expect_all_told();
}

TEST(RetryLayer, AnAnswerThatWasDroppedForALaterAttemptDoesNotComeBack) {
  Rig rig;
  rig.transport.then({.status = 503, .body = {{.bytes = "first", .last = true}}});
  rig.transport.then(fails(FailureKind::reset));
  rig.transport.then(fails(FailureKind::reset));
  auto& call = rig.send();
  rig.run_for(1s);
  EXPECT_FALSE(call.status);
  EXPECT_TRUE(call.failure->get<AttemptFailed>());
  rig.expect_all_told();
}

TEST(RetryLayer, ARefusedRequestIsNoAttemptAndIsNotRetried) {
  Rig rig;
  rig.open_circuit();
  auto& call = rig.send();
  rig.run_for(0s);
  EXPECT_EQ(call.refusal(), Refusal::circuit_open);
  EXPECT_TRUE(call.attempts().empty());
  EXPECT_TRUE(rig.transport.sent.empty());
  EXPECT_TRUE(rig.observer.denied.empty()) << "no retry was asked for";
  rig.expect_all_told();
}

TEST(RetryLayer, TheBodyIsSentAgainFromItsStart) {
  Rig rig;
  rig.transport.then(fails(FailureKind::reset));
  auto& call = rig.send({.method = "PUT", .body = {"one", "two"}});
  rig.run_for(1s);
  EXPECT_EQ(call.status, 200);
  ASSERT_EQ(rig.transport.sent.size(), 2U);
  EXPECT_EQ(rig.transport.sent[0].body, "onetwo");
  EXPECT_EQ(rig.transport.sent[1].body, "onetwo");
}

TEST(RetryLayer, StopsTheUploadOfAnAnswerAsSoonAsAnotherAttemptIsToFollow) {
  Rig rig;
  rig.transport.usually = answers(503);
  rig.send();
  rig.run_for(1ms);
  EXPECT_EQ(rig.transport.sent.size(), 1U);
  EXPECT_EQ(rig.transport.uploads_stopped, 1U) << "during the backoff nobody reads the body";
  rig.run_for(1s);
  EXPECT_EQ(rig.transport.sent.size(), 3U);
  EXPECT_EQ(rig.transport.uploads_stopped, 2U) << "the last answer's goes on";
}

TEST(RetryLayer, ABodyThatBreaksOffIsExcludedAndEndsTheRequest) {
  Rig rig;
  auto& call = rig.send({.method = "PUT", .body = {"one"}, .body_breaks = true});
  rig.run_for(1s);
  EXPECT_TRUE(call.failure->get<CallerBodyBroken>());
  EXPECT_EQ(call.attempts().last().outcome, Outcome::excluded());
  EXPECT_EQ(rig.transport.sent.size(), 1U);
  EXPECT_TRUE(rig.observer.denied.empty());
  rig.expect_all_told();
}

TEST(StaleConnection, IsRedoneAtOnceOnAFreshConnectionUnderTheSameNumber) {
  auto settings = plain_settings();
  settings.retry.budget = {.ratio = 0, .per_second = 0, .over = 10s};
  Rig rig{settings};
  rig.transport.then(finds_it_stale());
  auto& call = rig.send();
  rig.run_for(0s);
  EXPECT_EQ(call.status, 200);
  auto const& sent = rig.transport.sent;
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent[1].at, sent[0].at);
  EXPECT_EQ(sent[1].number, 1U);
  EXPECT_FALSE(sent[0].fresh_connection);
  EXPECT_TRUE(sent[1].fresh_connection);
  EXPECT_EQ(sent[1].retry_reason, "");
  EXPECT_EQ(call.exchange->retries, 0U);
  EXPECT_TRUE(rig.observer.retries.empty()) << "outside of the budget";
  EXPECT_EQ(rig.health().ledger.excluded, 1U);
  EXPECT_EQ(rig.health().window.strained, 0U) << "a first attempt, for the account";
  rig.expect_all_told();
}

TEST(StaleConnection, IsRedoneOnlyOnce) {
  Rig rig;
  rig.transport.usually = finds_it_stale();
  auto& call = rig.send();
  rig.run_for(1s);
  EXPECT_EQ(rig.transport.sent.size(), 2U);
  EXPECT_TRUE(call.failure->get<StaleConnection>());
  rig.expect_all_told();
}

TEST(StaleConnection, OfARetryIsRedoneAsTheRetryThatItWas) {
  Rig rig;
  rig.transport.then(answers(503));
  rig.transport.then(finds_it_stale());
  auto& call = rig.send();
  rig.run_for(1s);
  EXPECT_EQ(call.status, 200);
  auto const& sent = rig.transport.sent;
  ASSERT_EQ(sent.size(), 3U);
  EXPECT_EQ(sent[1].number, 2U);
  EXPECT_FALSE(sent[1].fresh_connection);
  EXPECT_EQ(sent[2].number, 2U);
  EXPECT_TRUE(sent[2].fresh_connection);
  EXPECT_EQ(sent[2].retry_reason, "status");
  EXPECT_EQ(call.exchange->retries, 1U) << "paid for once";
  rig.expect_all_told();
}

TEST(StaleConnection, IsRedoneOnceARequestWhichThenKeepsToFreshOnes) {
  Rig rig;
  rig.transport.then(finds_it_stale());
  rig.transport.then(answers(503));
  rig.transport.then(answers(503));
  auto& call = rig.send();
  rig.run_for(1s);
  EXPECT_EQ(call.status, 200);
  auto const& sent = rig.transport.sent;
  ASSERT_EQ(sent.size(), 4U) << "as many as the settings allow, and one";
  for (std::size_t i = 1; i < sent.size(); ++i) EXPECT_TRUE(sent[i].fresh_connection) << i;
  rig.expect_all_told();
}

TEST(StaleConnection, IsNotRedoneForWhatMustNotBeSentTwice) {
  Rig rig;
  rig.transport.usually = finds_it_stale();
  auto& call = rig.send({.method = "POST"});
  rig.run_for(1s);
  EXPECT_EQ(rig.transport.sent.size(), 1U);
  EXPECT_TRUE(call.failure->get<StaleConnection>());
}

TEST(StaleConnection, IsRedoneForAnyMethodWhenNoByteHasLeft) {
  Rig rig;
  rig.transport.then({.no_connection = Failure{StaleConnection{}}});
  auto& call = rig.send({.method = "POST"});
  rig.run_for(1s);
  EXPECT_EQ(call.status, 200);
}

TEST(StaleConnection, IsRedoneForAMethodThatTheSettingsAllow) {
  auto settings = plain_settings();
  settings.retry.replay = Replay::always;
  Rig always{settings};
  always.transport.then(finds_it_stale());
  EXPECT_EQ(always.send({.method = "POST"}).status, 200);

  settings.retry.replay = Replay::never;
  Rig never{settings};
  never.transport.then(finds_it_stale());
  EXPECT_TRUE(never.send().failure->get<StaleConnection>());
}

}  // namespace
}  // namespace candor::test
