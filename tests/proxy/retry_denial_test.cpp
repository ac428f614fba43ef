// Every reason for which a retry is denied: the answer in hand goes out at once, and the reason is told.
#include <gtest/gtest.h>

#include "support/rig.hpp"

namespace candor::test {
namespace {

/// One request, whose answer is the last one that came, with the reason given once.
void expect_denied(Rig& rig, Call& call, RetryDenied reason, std::size_t attempts = 1) {
  ASSERT_TRUE(call.ended());
  EXPECT_EQ(call.exchange->denied, reason);
  EXPECT_EQ(rig.observer.denied, std::vector{reason});
  EXPECT_EQ(call.attempts().size(), attempts);
  EXPECT_EQ(rig.transport.sent.size(), attempts);
  rig.expect_all_told();
}

TEST(RetryDenial, NoAttemptsAreLeft) {
  Rig rig;
  rig.transport.usually = answers(503);
  auto& call = rig.send();
  rig.run_for(1s);
  expect_denied(rig, call, RetryDenied::attempts, 3);
  EXPECT_EQ(call.status, 503);
}

TEST(RetryDenial, TheFailureIsNoneOfTheConditions) {
  Rig rig;
  rig.transport.usually = answers(500);
  auto& call = rig.send();
  rig.run_for(0s);
  expect_denied(rig, call, RetryDenied::condition);
  EXPECT_EQ(call.status, 500);
}

TEST(RetryDenial, TheMethodMustNotBeSentTwice) {
  Rig rig;
  rig.transport.usually = answers(503);
  auto& call = rig.send({.method = "POST"});
  rig.run_for(0s);
  expect_denied(rig, call, RetryDenied::not_replayable);
}

TEST(RetryDenial, AnIdempotencyKeyMakesAnyMethodReplayable) {
  Rig rig;
  rig.transport.then(answers(503));
  auto& call = rig.send({.method = "POST", .fields = {{"idempotency-key", "7"}}});
  rig.run_for(1s);
  EXPECT_EQ(call.status, 200);
}

TEST(RetryDenial, AKeyThatEndsHereMakesNothingReplayable) {
  Rig rig;
  rig.transport.then(answers(503));
  auto& call = rig.send(
      {.method = "POST", .fields = {{"idempotency-key", "7"}, {"connection", "close, Idempotency-Key"}}});
  rig.run_for(1s);
  expect_denied(rig, call, RetryDenied::not_replayable);
  EXPECT_EQ(call.status, 503);
}

TEST(RetryDenial, ARequestOfWhichNoByteHasLeftIsReplayable) {
  Rig rig;
  rig.transport.then({.no_connection = Failure{FailureKind::connect}});
  auto& call = rig.send({.method = "POST"});
  rig.run_for(1s);
  EXPECT_EQ(call.status, 200);
}

TEST(RetryDenial, TheBodyHasOutgrownTheReplayBuffer) {
  auto settings = plain_settings();
  settings.retry.replay_limit = 4_B;
  Rig rig{settings};
  rig.transport.usually = answers(503);
  auto& call = rig.send({.method = "PUT", .body = {"abc", "de"}});
  rig.run_for(0s);
  expect_denied(rig, call, RetryDenied::body_too_large);
  EXPECT_EQ(rig.transport.sent[0].body, "abcde") << "it streams all the same";
}

TEST(RetryDenial, TheAttemptWasAProbe) {
  Rig rig;
  rig.open_circuit();
  rig.run_for(120ms);
  rig.transport.usually = answers(503);
  auto& call = rig.send();
  rig.run_for(0s);
  expect_denied(rig, call, RetryDenied::circuit);
  EXPECT_TRUE(rig.transport.sent[0].probe);
}

TEST(RetryDenial, TheAttemptOpenedTheCircuit) {
  auto settings = plain_settings();
  settings.breaker.trip = {.evidence = std::nullopt, .consecutive_failures = 1};
  Rig rig{settings};
  rig.transport.usually = answers(503);
  auto& call = rig.send();
  rig.run_for(0s);
  expect_denied(rig, call, RetryDenied::circuit);
}

TEST(RetryDenial, TheCircuitOpensDuringTheWait) {
  Rig rig;
  rig.transport.then({.head = 10ms, .status = 503, .body = {{.bytes = "in hand", .last = true}}});
  auto& call = rig.send();
  rig.run_for(15ms);
  rig.open_circuit();
  auto const opened = rig.scheduler.now();
  rig.run_for(0s);
  expect_denied(rig, call, RetryDenied::circuit);
  EXPECT_EQ(call.content, "in hand");
  EXPECT_EQ(call.ended_at, opened);
}

TEST(RetryDenial, AnotherTierHasAlreadyRetried) {
  Rig rig;
  rig.transport.usually = {.status = 503, .fields = {{"candor-retry", "exhausted"}}};
  auto& call = rig.send();
  rig.run_for(0s);
  expect_denied(rig, call, RetryDenied::tier);
}

TEST(RetryDenial, TheBudgetGivesNoToken) {
  auto settings = plain_settings();
  settings.retry.budget = {.ratio = 0.2, .per_second = 0, .over = 10s};
  Rig rig{settings};
  rig.transport.usually = answers(503);
  auto& call = rig.send();
  rig.run_for(0s);
  expect_denied(rig, call, RetryDenied::budget);
}

TEST(RetryDenial, TheWaitDoesNotFitTheDeadline) {
  auto settings = plain_settings();
  settings.timeouts.attempt = 15s;
  Rig rig{settings};
  rig.transport.usually = {.head = 13s, .status = 503, .fields = {{"Retry-After", "30"}}};
  auto& call = rig.send();
  rig.run_for(13s);
  expect_denied(rig, call, RetryDenied::deadline);
  EXPECT_EQ(call.ended_at, Instant{} + 13s) << "answered now, with 2s left";
  EXPECT_EQ(rig.upstream.budget.available(rig.scheduler.now()), 30.0) << "the token was given back";
}

TEST(RetryDenial, AWaitThatEndsWithTheDeadlineDoesNotFit) {
  auto settings = plain_settings();
  settings.timeouts.request = 1s;
  Rig rig{settings};
  rig.transport.usually = {.status = 503, .fields = {{"Retry-After", "1"}}};
  auto& call = rig.send();
  rig.run_for(0s);
  expect_denied(rig, call, RetryDenied::deadline);
}

TEST(RetryDenial, TheFirstReasonInTheOrderOfTheQuestionsIsGiven) {
  auto settings = plain_settings();
  settings.retry.budget = {.ratio = 0, .per_second = 0, .over = 10s};
  settings.timeouts.request = 1ms;
  Rig rig{settings};
  rig.transport.usually = {.status = 503, .fields = {{"candor-retry", "exhausted"}}};
  auto& call = rig.send({.method = "POST"});
  rig.run_for(0s);
  expect_denied(rig, call, RetryDenied::not_replayable);
}

}  // namespace
}  // namespace candor::test
