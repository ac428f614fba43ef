// Each state of a circuit, and what the attempts may have in common, explained.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "explained.hpp"

namespace candor::admin {
namespace {

using testing::classic;
using testing::closed;
using testing::explained;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::opened_by_a_run;
using testing::Play;

TEST(Explain, ALongOutageKeepsItsBeginningAndCountsItsProbes) {
  auto play = opened_by_a_run();
  for (int i = 0; i < 60; ++i) {
    play.pass(10s);
    play.bad({}, FailureKind::connect);
  }
  for (int i = 0; i < 1204; ++i) ASSERT_TRUE(play.refused());
  play.pass(11s);
  EXPECT_EQ(explained(play), R"(payments: circuit OPEN; it opened 10min 12s ago (12:41:00.690 UTC).

Why it opened: rule evidence_run
  A run of 6 failed attempts. As far as the attempts before it tell, no more than 5.7%
  fail normally; at that rate 6 in a row happen by chance once in 28 million times.

The attempts that decided: 6, of 6 requests, within 50ms
  4 × POST /charge  503
  2 × POST /charge  timed out
  All 6 were for POST /charge; no other route was asked for meanwhile. They went to both
  endpoints.

Since then
  60 probes failed, the last one 11s ago (GET /items: no connection). Refused since
  Candor started: 1,204 attempts.

What happens next
  The wait is over: the next request is the probe. Candor sends none by itself. A
  success brings requests back step by step; a failure keeps the circuit open.
)");
}

TEST(Explain, HalfOpenWaitsForTheProbe) {
  auto play = opened_by_a_run();
  play.pass(200ms);
  auto const probe = play.admit({});
  EXPECT_EQ(explained(play), R"(payments: circuit HALF-OPEN; it opened 200ms ago (12:41:00.690 UTC).

Why it opened: rule evidence_run
  A run of 6 failed attempts. As far as the attempts before it tell, no more than 5.7%
  fail normally; at that rate 6 in a row happen by chance once in 28 million times.

The attempts that decided: 6, of 6 requests, within 50ms
  4 × POST /charge  503
  2 × POST /charge  timed out
  All 6 were for POST /charge; no other route was asked for meanwhile. They went to both
  endpoints.

Since then
  No probe has failed yet. Nothing has been refused yet.

What happens next
  1 probe is in flight; other requests are refused until there is a verdict. A success
  brings requests back step by step; a failure keeps the circuit open.
)");
}

TEST(Explain, HalfOpenAfterAnInconclusiveProbeSaysThatTheSlotIsFree) {
  BreakerSettings breaker;
  breaker.probe.successes = 3;
  Play play{breaker};
  play.bad({}, FailureKind::connect, 0, 7);
  play.pass(200ms);
  play.settle({}, Outcome::abandoned());
  EXPECT_THAT(
      explained(play),
      HasSubstr("  No probe is in flight: the next request is one. 3 successes in a row bring requests\n"
                "  back step by step; a failure keeps the circuit open.\n"));
}

TEST(Explain, RampingTellsTheShare) {
  auto play = opened_by_a_run();
  play.pass(60s);
  play.bad({}, FailureKind::connect);
  play.pass(10s);
  play.good({});
  play.pass(1s);
  EXPECT_EQ(explained(play),
            R"(payments: circuit RAMPING, recovering for 1s; it opened 1min 11s ago (12:41:00.690 UTC).

Why it opened: rule evidence_run
  A run of 6 failed attempts. As far as the attempts before it tell, no more than 5.7%
  fail normally; at that rate 6 in a row happen by chance once in 28 million times.

The attempts that decided: 6, of 6 requests, within 50ms
  4 × POST /charge  503
  2 × POST /charge  timed out
  All 6 were for POST /charge; no other route was asked for meanwhile. They went to both
  endpoints.

Since then
  1 probe failed, 11s ago (GET /items: no connection). Nothing has been refused yet.

What happens next
  20% of the attempts are admitted, and never fewer than 10 a second; the others are
  refused. While most of them succeed the share grows step by step to all; if half of
  them fail it falls back, and any rule may open the circuit again.
)");
}

TEST(Explain, ARelapseNamesTheOutageThatItBelongsTo) {
  auto play = opened_by_a_run();
  play.pass(60s);
  play.good({});
  while (play.upstream()->health.state() != CircuitState::open) {
    play.pass(150ms);
    play.bad({.path = "/items/{}"}, FailureKind::timeout);
  }
  EXPECT_EQ(explained(play), R"(payments: circuit OPEN; it opened just now (12:42:01.820 UTC).

Why it opened: rule evidence_run
  A run of 7 failed attempts. As far as the attempts before it tell, no more than 8.8%
  fail normally; at that rate 7 in a row happen by chance once in 25 million times.
  It was on its way back from the opening at 12:41:00.690 UTC, 1min 1s ago, and fell
  back.
  Connections are made, but no answer comes in time: the upstream hangs, or is far too
  slow.

The attempts that decided: 7, of 7 requests, within 960ms
  7 × GET /items/{}  timed out
  All 7 were for GET /items/{}; no other route was asked for meanwhile. They went to
  payments-1:8080; no other endpoint was tried meanwhile.

Since then
  No probe has failed yet. Nothing has been refused yet.

What happens next
  Requests are refused at once for another 6.1s; the first one after that is the probe.
  A success brings requests back step by step; a failure keeps the circuit open.
)");
}

TEST(Explain, ClosedAgainStillTellsTheLastOpening) {
  auto play = opened_by_a_run();
  play.pass(60s);
  while (!closed(play)) {
    play.pass(150ms);
    play.good({});
  }
  play.pass(24h);
  play.good({}, 200);
  EXPECT_EQ(explained(play), R"(payments: circuit CLOSED again, 1d ago (2024-05-01 12:42:05.960 UTC).

Now
  200 attempts in the last 10s: none failed. 200 requests answered well.
  No run of failures. Retries that the budget would pay for now: 30.
  In flight: 0 of at most 1,024.

The last opening: rule evidence_run
  It opened at 2024-05-01 12:41:00.690 UTC and was closed again after 1min 5s.
  A run of 6 failed attempts. As far as the attempts before it tell, no more than 5.7%
  fail normally; at that rate 6 in a row happen by chance once in 28 million times.

The attempts that decided: 6, of 6 requests, within 50ms
  4 × POST /charge  503
  2 × POST /charge  timed out
  All 6 were for POST /charge; no other route was asked for meanwhile. They went to both
  endpoints.
)");
}

TEST(Explain, WhatFailsNowComesBeforeTheLastOpening) {
  auto play = opened_by_a_run();
  play.pass(60s);
  while (!closed(play)) {
    play.pass(150ms);
    play.good({});
  }
  play.good({}, 20);
  play.bad({.path = "/reports"}, FailureKind::status, 503, 3);
  play.good({}, 20);
  auto const text = explained(play);
  auto const now =
      text.find("Failed or slow: 3 of the last 44 attempts, within 430ms\n  3 × GET /reports  503\n");
  auto const then = text.find("The last opening: rule evidence_run\n");
  EXPECT_NE(now, std::string::npos) << text;
  EXPECT_LT(now, then) << text;
  EXPECT_THAT(text, Not(HasSubstr("POST /charge")));
}

TEST(Explain, AnOpeningThatIsNoLongerKeptIsMissedOpenly) {
  auto account = opened_by_a_run().account();
  account.transitions.clear();
  EXPECT_THAT(
      explain(account),
      HasSubstr("payments: circuit OPEN; it opened before what is still on record.\n\nWhy it opened\n"
                "  The opening itself is no longer on record: only the last 16 transitions are kept.\n"));
}

TEST(Explain, ABreakerThatIsSwitchedOffSaysSo) {
  BreakerSettings breaker;
  breaker.enabled = false;
  Play play{breaker};
  play.bad({}, FailureKind::tls, 0, 30);
  EXPECT_EQ(explained(play), R"(payments: circuit CLOSED: the breaker is switched off, the account is kept.

Now
  30 attempts in the last 10s: 30 failed (100%). No request was answered well.
  A run of 30 failures. Retries that the budget would pay for now: 30.
  In flight: 0 of at most 1,024.

Failed or slow: 30 of the last 30 attempts, within 290ms
  30 × GET /items  TLS handshake failed
  All 30 were for GET /items; no other route was asked for meanwhile. They went to
  payments-1:8080; no other endpoint was tried meanwhile.
  The TLS handshake failed: look at certificates and names first.
)");
}

TEST(Explain, WhatIsRefusedForTheLoadIsTold) {
  auto account = opened_by_a_run().account();
  account.health.state = CircuitState::closed;
  account.health.ledger.in_flight = 40;
  account.health.limit = {.attempts = 40, .usual_latency = 51ms, .refusals = 7};
  account.queue = AttemptQueueSnapshot{.waiting = 5, .refused_full = 2, .refused_timeout = 1};
  account.health.throttle = ThrottleSnapshot{.refused_share = 0.25, .refusals = 1};
  EXPECT_THAT(
      explain(account),
      HasSubstr("  In flight: 40 of at most 40, which usually take 51ms. Waiting for room: 5. Refused for\n"
                "  lack of room since Candor started: 10. The throttle refuses 25% now, and has refused 1\n"
                "  attempt.\n"));
}

TEST(Explain, EachKindOfFailureIsReadForWhatItUsuallyMeans) {
  auto const reading = [](FailureKind kind, std::uint16_t status) {
    Play play;
    play.bad({}, kind, status, 7);
    return explained(play);
  };
  EXPECT_THAT(reading(FailureKind::connect, 0), HasSubstr("  No connection was made: nothing listens there"));
  EXPECT_THAT(reading(FailureKind::tls, 0), HasSubstr("  The TLS handshake failed: look at certificates"));
  EXPECT_THAT(reading(FailureKind::truncated, 200),
              HasSubstr("  Answers begin, and break off before their end."));
  EXPECT_THAT(reading(FailureKind::protocol, 0), HasSubstr("  What comes back is not valid HTTP"));
  EXPECT_THAT(reading(FailureKind::status, 500),
              HasSubstr("  The upstream is there and answers, but with errors"));
}

TEST(Explain, OneEndpointThatFailsAmongGoodOnesIsNamed) {
  auto breaker = classic();
  breaker.trip.failure_rate = FailureRateSettings{.ratio = 0.3, .minimum_attempts = 20};
  Play play{breaker, {"a:1", "b:1", "c:1"}};
  for (std::uint32_t i = 0; closed(play); ++i) {
    Play::What const what{.path = i % 2 == 0 ? "/x" : "/y", .endpoint = i % 3};
    if (what.endpoint == 1) play.bad(what, FailureKind::connect);
    if (what.endpoint != 1) play.good(what);
  }
  EXPECT_THAT(explained(play),
              HasSubstr("They went to b:1, while\n"
                        "  other endpoints answered 13 attempts well: look at that endpoint first.\n"));
}

TEST(Explain, ManyKindsOfFailureAreCutShort) {
  Play play{{}, {"payments-1:8080"}};
  constexpr std::array paths{"/a", "/b", "/c", "/d", "/e", "/f", "/g"};
  for (auto const* path : paths) play.bad({.path = path}, FailureKind::reset);
  EXPECT_THAT(explained(play),
              HasSubstr("  1 × GET /d  connection broke\n"
                        "  and 3 more, each kind of them rarer\n"
                        "  They were for 7 routes: the fault is not in one of them alone.\n"));
}

TEST(Explain, AttemptsOfAnEarlierGenerationHaveNoPartInIt) {
  Play play{{}, {"payments-1:8080"}};
  auto late = play.admit({.path = "/stale"});
  play.bad({}, FailureKind::connect, 0, 7);
  play.pass(20s);
  play.good({});
  play.pass(3s);
  play.good({});
  ASSERT_FALSE(closed(play));
  std::move(late).settle(Outcome::failed(FailureKind::timeout), play.now);
  while (play.upstream()->health.state() != CircuitState::open) {
    play.pass(150ms);
    play.bad({}, FailureKind::connect);
  }
  EXPECT_THAT(explained(play), Not(HasSubstr("/stale")));
}

TEST(Explain, APathOffTheWireCannotTouchTheTerminal) {
  Play play;
  play.bad({.path = "/\x1b[31m\xff"}, FailureKind::connect, 0, 7);
  EXPECT_THAT(explained(play), Not(HasSubstr("\x1b")));
  EXPECT_THAT(explained(play), HasSubstr("GET /\xef\xbf\xbd[31m\xef\xbf\xbd  no connection"));
}

TEST(Explain, IdentifiersInPathsAreOneRoute) {
  Play play{{}, {"payments-1:8080"}};
  play.bad({.path = "/orders/1"}, FailureKind::connect, 0, 3);
  play.bad({.path = "/orders/2"}, FailureKind::connect, 0, 2);
  play.bad({.path = "/orders/550e8400-e29b-41d4-a716-446655440000"}, FailureKind::connect, 0, 2);
  EXPECT_THAT(explained(play), HasSubstr("5 × GET /orders/{id}"));
}

TEST(Explain, TellsWhatAShadowWouldHaveDoneAndWhatItCannotKnow) {
  Play play;
  auto shadow = as_a_shadow(play.upstream()->settings);
  shadow.breaker.trip = {.evidence = std::nullopt, .consecutive_failures = 2};
  shadow.retry.attempts = 5;
  play.watch_by(shadow);
  play.good({});
  EXPECT_THAT(explained(play), HasSubstr(R"(
By the shadow's rules, which do not act
  The circuit would be closed; it would never have opened. The same retries would have
  been made.
)"));
  play.bad({}, FailureKind::reset, 0, 3);
  play.good({}, 2);
  play.pass(90s);
  Rng chance{1};
  AttemptHistory const history{.attempts = 3, .failure = FailureKind::connect, .idempotent = true};
  play.upstream()->own_route().retry_shadow->compare(false, history, CircuitState::closed, 1s, play.now,
                                                     chance);
  EXPECT_THAT(explained(play), HasSubstr(R"(
By the shadow's rules, which do not act
  The circuit would be open; it would have opened once, last 1min 30s ago
  (consecutive_failures). Of the attempts that it would have refused, 1 failed and 2
  went well. 1 more retry would have been made; what would have come of that nobody
  knows.
)"));
}

}  // namespace
}  // namespace candor::admin
