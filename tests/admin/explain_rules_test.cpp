// Each rule that opens a circuit, explained.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "explained.hpp"

namespace candor::admin {
namespace {

using testing::classic;
using testing::closed;
using testing::explained;
using ::testing::HasSubstr;
using testing::opened_by_a_run;
using testing::Play;

TEST(Explain, AFreshUpstreamHasNothingToTell) {
  Play const play;
  EXPECT_EQ(explained(play), R"(payments: circuit CLOSED; it has not opened since Candor started.

Now
  No attempt has settled in the last 10s.
  No run of failures. Retries that the budget would pay for now: 30.
  In flight: 0 of at most 1,024.
)");
}

TEST(Explain, APoisonedRouteIsNamedThoughTheCircuitNeverOpened) {
  Play play;
  for (std::uint64_t i = 0; i < 100; ++i) {
    if (i % 20 == 7) {
      play.bad({.path = "/reports/2024-05-01T10:00"}, FailureKind::status, 503);
    } else {
      play.good({.path = "/items", .endpoint = static_cast<std::uint32_t>(i % 2)});
    }
  }
  EXPECT_EQ(explained(play), R"(payments: circuit CLOSED; it has not opened since Candor started.

Now
  100 attempts in the last 10s: 5 failed (5%). 95 requests answered well.
  No run of failures. Retries that the budget would pay for now: 30.
  In flight: 0 of at most 1,024.

Failed or slow: 5 of the last 100 attempts, within 990ms
  5 × GET /reports/{id}  503
  All 5 were for GET /reports/{id}, while 95 attempts for other routes went well: look
  at that route first. They went to payments-1:8080, which answered 50 other attempts
  well.
  The upstream is there and answers, but with errors of its own: its log knows more.
)");
}

TEST(Explain, EvidenceRun) {
  auto play = opened_by_a_run();
  ASSERT_TRUE(play.refused());
  play.pass(60ms);
  EXPECT_EQ(explained(play), R"(payments: circuit OPEN; it opened 60ms ago (12:41:00.690 UTC).

Why it opened: rule evidence_run
  A run of 6 failed attempts. As far as the attempts before it tell, no more than 5.7%
  fail normally; at that rate 6 in a row happen by chance once in 28 million times.

The attempts that decided: 6, of 6 requests, within 50ms
  4 × POST /charge  503
  2 × POST /charge  timed out
  All 6 were for POST /charge; no other route was asked for meanwhile. They went to both
  endpoints.

Since then
  No probe has failed yet. Refused since Candor started: 1 attempt.

What happens next
  Requests are refused at once for another 40ms; the first one after that is the probe.
  A success brings requests back step by step; a failure keeps the circuit open.
)");
}

TEST(Explain, EvidenceRunThatRetriesBarelyHealed) {
  Play play;
  while (closed(play)) {
    play.bad({}, FailureKind::status, 502);
    if (closed(play)) play.bad({.endpoint = 1, .number = 2}, FailureKind::status, 502);
    if (closed(play)) play.good({.number = 3});
  }
  EXPECT_EQ(explained(play), R"(payments: circuit OPEN; it opened just now (12:41:00.170 UTC).

Why it opened: rule evidence_run
  A run of 7 failed attempts. As far as the attempts before it tell, no more than 8.8%
  fail normally; at that rate 7 in a row happen by chance once in 25 million times.
  The upstream is there and answers, but with errors of its own: its log knows more.

The attempts that decided: 12, of 6 requests, within 160ms
  12 × GET /items  502
  All 12 were for GET /items, which had 17 attempts in all; no other route was asked for
  meanwhile. They went to both endpoints.
  In between, retries succeeded 5 times; such a success takes one failure off the run,
  but doesn't end it.

Since then
  No probe has failed yet. Nothing has been refused yet.

What happens next
  Requests are refused at once for another 100ms; the first one after that is the probe.
  A success brings requests back step by step; a failure keeps the circuit open.
)");
}

TEST(Explain, EvidenceRunOfSlowAttemptsInFlight) {
  BreakerSettings breaker;
  breaker.slow_after = 500ms;
  Play play{breaker, {"payments-1:8080"}};
  play.good({}, 40);
  std::vector<Permit> permits;
  for (int i = 0; i < 12; ++i) permits.push_back(play.admit({.path = i % 2 == 0 ? "/a" : "/b"}));
  play.pass(500ms);
  for (auto& permit : permits) permit.mark_slow(play.now);
  EXPECT_EQ(explained(play), R"(payments: circuit OPEN; it opened just now (12:41:00.900 UTC).

Why it opened: rule evidence_run
  A run of 7 failed or slow attempts. As far as the attempts before it tell, no more
  than 8.8% fail normally; at that rate 7 in a row happen by chance once in 25 million
  times.
  The upstream is too slow: no answer within 500ms.

The attempts that decided: 7, of 7 requests, at one moment
  4 × GET /a  slow, no answer yet
  3 × GET /b  slow, no answer yet
  They were for 2 routes: the fault is not in one of them alone.

Since then
  No probe has failed yet. Nothing has been refused yet.

What happens next
  Requests are refused at once for another 100ms; the first one after that is the probe.
  A success brings requests back step by step; a failure keeps the circuit open.
)");

  play.pass(30ms);
  for (auto& permit : permits) std::move(permit).settle(Outcome::success(), play.now, 200);
  EXPECT_THAT(explained(play), HasSubstr("× GET /a  slow, then 200\n"));
}

TEST(Explain, EvidenceRatio) {
  Play play;
  for (int i = 0; closed(play); ++i) {
    if (i % 4 == 3) {
      play.good({.path = "/a"});
    } else {
      play.bad({.path = i % 2 == 0 ? "/b" : "/c", .endpoint = 1}, FailureKind::reset);
    }
  }
  EXPECT_EQ(explained(play), R"(payments: circuit OPEN; it opened just now (12:41:00.210 UTC).

Why it opened: rule evidence_ratio
  16 of 21 attempts in 10s failed: 76%. Allowing for chance that is still 55% or more
  (95% confidence), and the circuit opens at 50%.
  Connections break before the answer: the upstream crashes or restarts, or something
  between cuts them.

The attempts that decided: 16, of 16 requests, within 200ms
  11 × GET /b  connection broke
   5 × GET /c  connection broke
  They were for 2 routes: the fault is not in one of them alone. They went to
  payments-2:8080, while other endpoints answered 5 attempts well: look at that endpoint
  first.

Since then
  No probe has failed yet. Nothing has been refused yet.

What happens next
  Requests are refused at once for another 100ms; the first one after that is the probe.
  A success brings requests back step by step; a failure keeps the circuit open.
)");
}

TEST(Explain, ConsecutiveFailures) {
  auto breaker = classic();
  breaker.trip.consecutive_failures = 5;
  Play play{breaker, {"payments-1:8080"}};
  play.good({}, 3);
  play.bad({}, FailureKind::dns, 0, 5);
  EXPECT_EQ(explained(play), R"(payments: circuit OPEN; it opened just now (12:41:00.080 UTC).

Why it opened: rule consecutive_failures
  A run of 5 failed attempts. The circuit opens at 5.
  The endpoint's name gave no address: look at DNS first.

The attempts that decided: 5, of 5 requests, within 40ms
  5 × GET /items  no address for its name
  All 5 were for GET /items; no other route was asked for meanwhile.

Since then
  No probe has failed yet. Nothing has been refused yet.

What happens next
  Requests are refused at once for another 100ms; the first one after that is the probe.
  A success brings requests back step by step; a failure keeps the circuit open.
)");
}

TEST(Explain, FailureRate) {
  auto breaker = classic();
  breaker.trip.failure_rate = FailureRateSettings{};
  Play play{breaker, {"payments-1:8080"}};
  for (int i = 0; closed(play); ++i) {
    auto const* path = i % 3 == 0 ? "/items/17" : "/items/18";
    if (i % 5 == 0) play.good({.path = path});
    if (i % 5 != 0) play.bad({.path = path}, FailureKind::overload, 429);
  }
  EXPECT_EQ(explained(play), R"(payments: circuit OPEN; it opened just now (12:41:00.200 UTC).

Why it opened: rule failure_rate
  16 of 20 attempts in 10s failed: 80%. The circuit opens at 50%, of 20 or more.
  The upstream says that it is overloaded (429, or 503 with Retry-After): it needs less
  load.

The attempts that decided: 16, of 16 requests, within 180ms
  16 × GET /items/{id}  429, overload
  All 16 were for GET /items/{id}, which had 20 attempts in all; no other route was
  asked for meanwhile.

Since then
  No probe has failed yet. Nothing has been refused yet.

What happens next
  Requests are refused at once for another 100ms; the first one after that is the probe.
  A success brings requests back step by step; a failure keeps the circuit open.
)");
}

TEST(Explain, SlowRate) {
  auto breaker = classic();
  breaker.slow_after = 500ms;
  breaker.trip.slow_rate = SlowRateSettings{.ratio = 0.4, .minimum_attempts = 10};
  Play play{breaker};
  play.good({.endpoint = 1}, 6);
  while (closed(play)) {
    auto permit = play.admit({});
    play.pass(500ms);
    permit.mark_slow(play.now);
    play.pass(100ms);
    std::move(permit).settle(Outcome::success(), play.now, 200);
  }
  EXPECT_EQ(explained(play), R"(payments: circuit OPEN; it opened 100ms ago (12:41:02.360 UTC).

Why it opened: rule slow_rate
  4 of 10 attempts in 10s were slow, unanswered after 500ms: 40%. The circuit opens at
  40%, of 10 or more.
  The upstream is too slow: no answer within 500ms.

The attempts that decided: 4, of 4 requests, within 1.7s
  4 × GET /items  slow, then 200
  All 4 were for GET /items, which had 10 attempts in all; no other route was asked for
  meanwhile. They went to payments-1:8080, while other endpoints answered 6 attempts
  well: look at that endpoint first.

Since then
  No probe has failed yet. Nothing has been refused yet.

What happens next
  The wait is over: the next request is the probe. Candor sends none by itself. A
  success brings requests back step by step; a failure keeps the circuit open.
)");
}

TEST(Explain, StrainRate) {
  auto breaker = classic();
  breaker.trip.strain_rate = StrainRateSettings{};
  Play play{breaker};
  for (int i = 0; closed(play); ++i) {
    play.bad({}, FailureKind::status, 502);
    if (closed(play)) play.good({.endpoint = 1, .number = 2});
    if (closed(play) && i % 3 == 0) play.good({.endpoint = 1});
  }
  EXPECT_EQ(explained(play), R"(payments: circuit OPEN; it opened just now (12:41:00.350 UTC).

Why it opened: rule strain_rate
  15 of 20 answered requests in 10s needed more than one attempt: 75%. The circuit opens
  at 50%, of 20 or more.
  The upstream is there and answers, but with errors of its own: its log knows more.

The failed attempts that made retries necessary: 15, of 15 requests, within 330ms
  15 × GET /items  502
  All 15 were for GET /items, which had 35 attempts in all; no other route was asked for
  meanwhile. They went to payments-1:8080, while other endpoints answered 20 attempts
  well: look at that endpoint first.

Since then
  No probe has failed yet. Nothing has been refused yet.

What happens next
  Requests are refused at once for another 100ms; the first one after that is the probe.
  A success brings requests back step by step; a failure keeps the circuit open.
)");
}

}  // namespace
}  // namespace candor::admin
