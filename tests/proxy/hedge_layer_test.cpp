// One more attempt beside one that takes long: when it goes out, who wins, and that no schedule loses a
// permit or a token.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "candor/proxy/answer.hpp"
#include "support/rig.hpp"

namespace candor::test {
namespace {

UpstreamSettings hedging(Duration after = 50ms) {
  auto settings = plain_settings();
  settings.retry.hedge = {.after = after};
  return settings;
}

Step answers_after(Duration head, std::uint16_t status = 200, std::string_view body = {}) {
  return {.head = head, .status = status, .body = {{.bytes = body, .last = true}}};
}

using Results = std::vector<HedgeResult>;

TEST(Hedge, GoesOutToAnotherEndpointOnceTheFirstTakesTooLong) {
  Rig rig{hedging()};
  rig.transport.then(answers_after(1s, 200, "first"));
  rig.transport.then(answers_after(10ms, 200, "second"));
  auto& call = rig.send();
  rig.run_for(2s);
  EXPECT_EQ(call.content, "second");
  EXPECT_TRUE(call.good);
  EXPECT_EQ(call.ended_at, Instant{} + 60ms);
  auto const& sent = rig.transport.sent;
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent[1].at, Instant{} + 50ms);
  EXPECT_EQ(sent[1].number, 2U);
  EXPECT_EQ(sent[1].retry_reason, "hedge");
  EXPECT_NE(sent[1].endpoint, sent[0].endpoint);
  EXPECT_EQ(rig.observer.hedges, Results{HedgeResult::won});
  auto const& attempts = call.attempts();
  EXPECT_EQ(attempts[0].outcome, Outcome::abandoned());
  EXPECT_EQ(attempts[0].settled, Instant{} + 60ms) << "at once";
  EXPECT_EQ(attempts[1].outcome, Outcome::success());
  EXPECT_TRUE(attempts[1].hedge);
  EXPECT_FALSE(attempts[0].hedge);
  EXPECT_EQ(call.exchange->retries, 0U);
  EXPECT_TRUE(rig.observer.retries.empty()) << "it is no retry";
  EXPECT_EQ(proxy_status_of(*call.exchange, 200, true),
            R"(candor; received-status=200; details="attempts=2")");
  rig.expect_all_told();
}

TEST(Hedge, LosesToAFirstAttemptThatAnswersAfterAll) {
  Rig rig{hedging()};
  rig.transport.then(answers_after(100ms, 200, "first"));
  rig.transport.then(answers_after(1s, 200, "second"));
  auto& call = rig.send();
  rig.run_for(2s);
  EXPECT_EQ(call.content, "first");
  EXPECT_EQ(call.ended_at, Instant{} + 100ms);
  EXPECT_EQ(rig.observer.hedges, Results{HedgeResult::lost});
  EXPECT_EQ(call.attempts()[0].outcome, Outcome::success());
  EXPECT_EQ(call.attempts()[1].outcome, Outcome::abandoned());
  rig.expect_all_told();
}

TEST(Hedge, DoesNotGoOutBesideAQuickAnswerOrAQuickFailure) {
  Rig rig{hedging()};
  rig.transport.then(answers_after(49ms));
  rig.send();
  rig.run_for(1s);
  EXPECT_EQ(rig.transport.sent.size(), 1U);
  rig.transport.then(fails(FailureKind::reset));
  rig.send();
  rig.run_for(1s);
  ASSERT_EQ(rig.transport.sent.size(), 3U);
  EXPECT_EQ(rig.transport.sent[2].retry_reason, "reset") << "an ordinary retry";
  EXPECT_TRUE(rig.observer.hedges.empty());
  rig.expect_all_told();
}

TEST(Hedge, IsWaitedForWhenTheFirstFails) {
  Rig rig{hedging()};
  rig.transport.then(answers_after(60ms, 503));
  rig.transport.then(answers_after(100ms, 200, "second"));
  auto& call = rig.send();
  rig.run_for(2s);
  EXPECT_EQ(call.content, "second");
  EXPECT_EQ(rig.transport.sent.size(), 2U) << "no retry while there is hope";
  EXPECT_EQ(rig.observer.hedges, Results{HedgeResult::won});
  rig.expect_all_told();
}

TEST(Hedge, ThatFailsLeavesTheFirstItsChance) {
  Rig rig{hedging()};
  rig.transport.then(answers_after(500ms, 200, "first"));
  rig.transport.then(fails(FailureKind::reset));
  auto& call = rig.send();
  rig.run_for(2s);
  EXPECT_EQ(call.content, "first");
  EXPECT_EQ(rig.observer.hedges, Results{HedgeResult::lost});
  rig.expect_all_told();
}

TEST(Hedge, WhenBothFailIsDecidedOnceAndBothCount) {
  Rig rig{hedging()};
  rig.transport.then(answers_after(60ms, 503, "first"));
  rig.transport.then({.head = 60ms, .no_head = Failure{FailureKind::reset}});
  auto& call = rig.send();
  rig.run_for(2s);
  auto const& sent = rig.transport.sent;
  ASSERT_EQ(sent.size(), 3U);
  EXPECT_EQ(sent[2].number, 3U);
  EXPECT_EQ(sent[2].retry_reason, "status") << "an answer says more than none";
  EXPECT_EQ(call.status, 200);
  EXPECT_EQ(rig.observer.retries.size(), 1U);
  EXPECT_EQ(rig.observer.hedges, Results{HedgeResult::lost});
  rig.expect_all_told();
}

TEST(Hedge, WhenBothFailTheRetryGoesToNeitherOfTheirEndpoints) {
  for (bool const first_says_more : {true, false}) {
    auto settings = hedging();
    settings.endpoints.resize(3);
    Rig rig{settings};
    auto const breaks = [](Duration after) {
      return Step{.head = after, .no_head = Failure{FailureKind::reset}};
    };
    rig.transport.then(first_says_more ? answers_after(60ms, 503) : breaks(60ms));
    rig.transport.then(first_says_more ? breaks(10ms) : answers_after(10ms, 503));
    auto& call = rig.send();
    rig.run_for(1s);
    EXPECT_EQ(call.status, 200);
    auto const& sent = rig.transport.sent;
    ASSERT_EQ(sent.size(), 3U);
    EXPECT_NE(sent[2].endpoint, sent[0].endpoint);
    EXPECT_NE(sent[2].endpoint, sent[1].endpoint);
    rig.expect_all_told();
  }
}

TEST(Hedge, NoMoreAttemptsAreMadeThanTheSettingsAllow) {
  auto settings = hedging();
  settings.retry.attempts = 2;
  Rig rig{settings};
  rig.transport.usually = answers_after(60ms, 503, "no");
  auto& call = rig.send();
  rig.run_for(2s);
  EXPECT_EQ(rig.transport.sent.size(), 2U);
  EXPECT_EQ(call.exchange->denied, RetryDenied::attempts);
  EXPECT_EQ(call.status, 503);
  EXPECT_EQ(call.content, "no");
  EXPECT_EQ(retry_mark(*call.exchange), "exhausted");
  rig.expect_all_told();
}

TEST(Hedge, GoesOutOnceARequestAndMayBeBesideARetry) {
  Rig rig{hedging()};
  rig.transport.then(fails(FailureKind::reset));
  rig.transport.then(answers_after(1s));
  rig.transport.then(answers_after(1s));
  auto& call = rig.send();
  rig.run_for(3s);
  EXPECT_EQ(call.status, 200);
  ASSERT_EQ(rig.transport.sent.size(), 3U);
  EXPECT_EQ(rig.transport.sent[2].retry_reason, "hedge");
  EXPECT_EQ(rig.observer.hedges, Results{HedgeResult::lost});
  rig.expect_all_told();
}

TEST(Hedge, IsNotMadeOfWhatMustNotBeSentTwice) {
  Rig rig{hedging()};
  rig.transport.usually = answers_after(1s);
  rig.send({.method = "POST"});
  rig.send({.method = "CONNECT"});
  rig.send({.fields = {{"Upgrade", "websocket"}}});
  rig.run_for(100ms);
  EXPECT_EQ(rig.transport.sent.size(), 3U);
  rig.send({.method = "POST", .fields = {{"Idempotency-Key", "a"}}});
  rig.run_for(100ms);
  EXPECT_EQ(rig.transport.sent.size(), 5U);
  rig.run_for(5s);
  rig.expect_all_told();
}

TEST(Hedge, SendsTheWholeBodyAgain) {
  Rig rig{hedging()};
  rig.transport.then(answers_after(1s));
  auto& call = rig.send({.method = "PUT", .body = {"one", "two"}});
  rig.run_for(2s);
  EXPECT_EQ(call.status, 200);
  ASSERT_EQ(rig.transport.sent.size(), 2U);
  EXPECT_EQ(rig.transport.sent[1].body, "onetwo");
  rig.expect_all_told();
}

TEST(Hedge, DoesNotReadABodyThatAnotherAttemptStillReads) {
  Rig rig{hedging()};
  // It connects for so long that nothing of the body has been taken when the hedge would be due.
  rig.transport.then({.connect = 200ms});
  auto& call = rig.send({.method = "PUT", .body = {"one", "two"}});
  rig.run_for(2s);
  EXPECT_EQ(call.status, 200);
  ASSERT_EQ(rig.transport.sent.size(), 1U);
  EXPECT_EQ(rig.transport.sent[0].body, "onetwo");
}

TEST(Hedge, DoesNotReadABodyAgainThatARetryIsReading) {
  Rig rig{hedging()};
  rig.transport.then(fails(FailureKind::reset));
  rig.transport.then({.connect = 200ms});
  auto& call = rig.send({.method = "PUT", .body = {"one", "two"}});
  rig.run_for(2s);
  EXPECT_EQ(call.status, 200);
  ASSERT_EQ(rig.transport.sent.size(), 2U) << "the body is complete, but its reader has not begun";
  EXPECT_EQ(rig.transport.sent[1].body, "onetwo");
}

TEST(Hedge, DoesNotGoOutForABodyBeyondTheReplayLimit) {
  auto settings = hedging();
  settings.retry.replay_limit = 4_B;
  Rig rig{settings};
  rig.transport.then(answers_after(1s));
  rig.send({.method = "PUT", .body = {"one", "two"}});
  rig.run_for(2s);
  EXPECT_EQ(rig.transport.sent.size(), 1U);
}

TEST(Hedge, IsPaidForByTheBudgetAndDeniedWithoutIt) {
  auto settings = hedging();
  settings.retry.budget = {.ratio = 0, .per_second = 0.1, .over = 10s};  // one token
  Rig rig{settings};
  rig.transport.usually = answers_after(200ms);
  rig.send();
  rig.run_for(1s);
  EXPECT_LT(rig.upstream.budget.available(rig.scheduler.now()), 1.0);
  auto& second = rig.send();
  rig.run_for(1s);
  EXPECT_EQ(second.status, 200);
  EXPECT_EQ(rig.observer.hedges, (Results{HedgeResult::lost, HedgeResult::denied}));
  EXPECT_EQ(rig.transport.sent.size(), 3U);
  rig.expect_all_told();
}

TEST(Hedge, IsNeverMadeOfAProbeNorWhenTheCircuitIsNotClosed) {
  Rig rig{hedging()};
  rig.transport.usually = answers_after(200ms);
  auto& before = rig.send();
  rig.run_for(10ms);
  rig.open_circuit();
  rig.run_for(90ms);
  EXPECT_EQ(rig.observer.hedges, Results{HedgeResult::denied});
  EXPECT_EQ(rig.transport.sent.size(), 1U);
  rig.run_for(1s);
  EXPECT_EQ(before.status, 200) << "what was in flight runs on";
  auto& probe = rig.send();
  rig.run_for(1s);
  ASSERT_EQ(rig.transport.sent.size(), 2U);
  EXPECT_TRUE(rig.transport.sent[1].probe);
  EXPECT_EQ(probe.status, 200);
  EXPECT_EQ(rig.observer.hedges.size(), 1U);
  rig.expect_all_settled();
}

TEST(Hedge, ACallerWhoLeavesTakesBothAlong) {
  for (bool const drops : {false, true}) {
    Rig rig{hedging()};
    rig.transport.usually = hangs();
    auto& call = rig.send();
    rig.run_for(100ms);
    ASSERT_EQ(rig.transport.sent.size(), 2U);
    if (drops) call.drop();
    if (!drops) call.hang_up();
    rig.run_for(0s);
    EXPECT_TRUE(call.ended());
    EXPECT_EQ(rig.health().ledger.abandoned, 2U);
    EXPECT_EQ(rig.observer.hedges, Results{HedgeResult::lost});
    rig.expect_all_told();
  }
}

TEST(Hedge, TheDeadlineEndsBoth) {
  auto settings = hedging();
  settings.timeouts.request = 300ms;
  Rig rig{settings};
  rig.transport.usually = hangs();
  auto& call = rig.send();
  rig.run_for(1s);
  EXPECT_EQ(call.cancelled(), CancelReason::deadline);
  EXPECT_EQ(call.ended_at, Instant{} + 300ms);
  EXPECT_EQ(rig.health().ledger.failed(), 2U);
  rig.expect_all_told();
}

TEST(Hedge, EachOfTheTwoHasItsOwnTimeout) {
  auto settings = hedging();
  settings.timeouts.attempt = 100ms;
  Rig rig{settings};
  rig.transport.usually = hangs();
  auto& call = rig.send();
  rig.run_for(150ms);
  EXPECT_EQ(call.attempts()[0].settled, Instant{} + 100ms);
  EXPECT_EQ(call.attempts()[1].settled, Instant{} + 150ms);
}

TEST(Hedge, TwoAnswersInTheSameInstantGiveOne) {
  Rig rig{hedging()};
  rig.transport.then(answers_after(60ms, 200, "first"));
  rig.transport.then(answers_after(10ms, 200, "second"));
  auto& call = rig.send();
  rig.run_for(1s);
  EXPECT_EQ(call.content, "first");
  EXPECT_EQ(rig.health().ledger.success, 1U);
  EXPECT_EQ(rig.health().ledger.abandoned, 1U);
  rig.expect_all_told();
}

TEST(Hedge, ABodyThatStreamsOnSettlesAsEver) {
  Rig rig{hedging()};
  rig.transport.then(hangs());
  rig.transport.then({.body = {{.bytes = "a"}, {.after = 2s, .bytes = "b", .last = true}}});
  auto& call = rig.send();
  rig.run_for(5s);
  EXPECT_EQ(call.content, "ab");
  EXPECT_EQ(call.attempts()[1].settled, Instant{} + 1050ms);
  rig.expect_all_told();
}

TEST(Hedge, ByQuantileWaitsUntilItKnowsTheUpstream) {
  auto settings = plain_settings();
  settings.retry.hedge = {.quantile = 0.95};
  Rig rig{settings};
  rig.transport.usually = answers_after(10ms);
  for (std::uint64_t i = 0; i < LatencyHistogram::enough; ++i) {
    if (i == 50) rig.transport.then(answers_after(2s));
    rig.send();
    rig.run_for(i == 50 ? Duration{3s} : Duration{20ms});
  }
  EXPECT_EQ(rig.transport.sent.size(), LatencyHistogram::enough) << "no hedge yet, however slow";
  rig.transport.then(answers_after(1s));
  auto const sent_at = rig.scheduler.now();
  rig.send();
  rig.run_for(2s);
  ASSERT_EQ(rig.transport.sent.size(), LatencyHistogram::enough + 2);
  auto const waited = rig.transport.sent.back().at - sent_at;
  EXPECT_GE(waited, 10ms);
  EXPECT_LE(waited, 11ms);
  EXPECT_EQ(rig.observer.hedges, Results{HedgeResult::won});
  rig.expect_all_told();
}

TEST(Hedge, ItsOwnWinsDoNotMakeItMoreImpatient) {
  auto settings = plain_settings();
  settings.retry.hedge = {.quantile = 0.8};
  settings.retry.budget = {.ratio = 1, .per_second = 100, .over = 10s};
  Rig rig{settings};
  Rng chance{3};
  for (int i = 0; i < 3000; ++i) {
    while (rig.transport.steps.size() < 4) {
      rig.transport.then(answers_after(from_seconds(-0.01 * std::log(1 - chance.unit()))));
    }
    rig.send();
    rig.run_for(30ms);
  }
  rig.run_for(5s);
  // Attempts that lost to their hedge took at least as long as they did; unseen, they would let it sink.
  auto const hedges = static_cast<double>(rig.observer.hedges.size());
  EXPECT_LT(hedges, 0.24 * 3000);
  EXPECT_GT(hedges, 0.15 * 3000);
  rig.expect_all_told();
}

/// Whatever comes together: nothing is lost, and nothing is counted twice.
TEST(Hedge, NoScheduleLosesAPermitOrAToken) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Rng chance{seed};
    auto settings = hedging(chance.between(1ms, 20ms));
    if (chance.chance(0.3)) settings.retry.hedge->quantile = 0.9;
    settings.retry.budget = {.ratio = 0.5, .per_second = 5, .over = 2s};
    settings.timeouts.attempt = 40ms;
    settings.timeouts.request = 120ms;
    Rig rig{settings};
    auto const step = [&chance] {
      Step made{.connect = chance.between(0ms, 10ms),
                .head = chance.between(0ms, 50ms),
                .status = static_cast<std::uint16_t>(chance.chance(0.1) ? 503 : 200),
                .body = {{.bytes = "a"}, {.after = chance.between(0ms, 5ms), .last = true}}};
      if (chance.chance(0.05)) made.no_head = Failure{FailureKind::reset};
      if (chance.chance(0.05)) made.no_head = Failure{StaleConnection{}};
      if (chance.chance(0.03)) made.no_connection = Failure{FailureKind::connect};
      return made;
    };
    std::vector<Call*> calls;
    for (int i = 0; i < 200; ++i) {
      while (rig.transport.steps.size() < 8) rig.transport.then(step());
      RequestOptions request{.method = chance.chance(0.3) ? "PUT" : "GET"};
      if (request.method == "PUT") request.body = {"some", "thing"};
      calls.push_back(&rig.send(std::move(request)));
      auto* leaving = calls[chance.below(calls.size())];
      if (chance.chance(0.1)) leaving->hang_up();
      if (chance.chance(0.05)) leaving->drop();
      rig.run_for(chance.between(0ms, 8ms));
    }
    rig.run_for(1min);
    std::size_t hedged = 0;
    for (auto* call : calls) {
      EXPECT_TRUE(call->ended());
      EXPECT_LE(call->attempts().size(), 3U + 1U) << "one connection may be found stale";
      hedged += call->exchange->hedged ? 1 : 0;
    }
    auto const told = rig.observer.hedges;
    auto const denied = std::count(told.begin(), told.end(), HedgeResult::denied);
    EXPECT_EQ(told.size() - static_cast<std::size_t>(denied), hedged) << seed;
    EXPECT_GT(hedged, 0U) << seed;
    rig.expect_all_told();
    // All tokens are back once the span of the budget has passed.
    EXPECT_DOUBLE_EQ(rig.upstream.budget.available(rig.scheduler.now()), 10.0) << seed;
  }
}

}  // namespace
}  // namespace candor::test
