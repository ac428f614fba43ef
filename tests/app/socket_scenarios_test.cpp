// Scenarios of resilience, over sockets: what the simulation shows on virtual time holds for the program
// itself, and the upstream's own count agrees with the ledger and the metrics.
#include <gtest/gtest.h>

#include <latch>

#include "socket_rig.hpp"

namespace candor::test {
namespace {

constexpr auto dead = [](Received const&) { return answer(503, "dead"); };
constexpr auto well = [](Received const&) { return answer(200, "well"); };

bool refused(Answered const& answered) { return answered.has("destination_unavailable"); }

/// Asks, one request after the other, until Candor refuses; the requests that were not refused.
unsigned ask_until_refused(SocketCaller& caller) {
  for (unsigned asked = 0; asked < 1000; ++asked) {
    if (refused(caller.get("/"))) return asked;
  }
  return 1000;
}

/// Opens for a minute, so that what happens afterwards is not a probe's doing.
UpstreamSettings opening_for_long(UpstreamSettings settings) {
  settings.breaker.open.first = 60s;
  settings.breaker.open.cap = 60s;
  return settings;
}

TEST(SocketScenario01, OpensAtTheFifthSettledAttemptFromAHealthyHistory) {
  SocketUpstream upstream{well};
  SocketRig rig{opening_for_long(upstream_at(upstream.address()))};
  auto caller = rig.caller();
  for (int i = 0; i < 200; ++i) ASSERT_EQ(caller.get("/").status, 200U);
  upstream.set(dead);
  ask_until_refused(caller);
  EXPECT_EQ(upstream.received(), 205U);
  EXPECT_EQ(rig.health().transitions().at(0).transition.why.rule, Rule::evidence_run);
  rig.expect_counts_to_agree(205);
}

TEST(SocketScenario01, OpensAtTheSeventhSettledAttemptWhenCold) {
  SocketUpstream upstream{dead};
  SocketRig rig{opening_for_long(upstream_at(upstream.address()))};
  auto caller = rig.caller();
  ask_until_refused(caller);
  EXPECT_EQ(upstream.received(), 7U);
  rig.expect_counts_to_agree(7);
}

TEST(SocketScenario01, OpensAtTheFifthAttemptThatIsRefusedAConnection) {
  SocketUpstream upstream{well};
  SocketRig rig{opening_for_long(upstream_at(upstream.address()))};
  auto caller = rig.caller();
  for (int i = 0; i < 200; ++i) ASSERT_EQ(caller.get("/").status, 200U);
  upstream.stop();
  ask_until_refused(caller);
  auto const book = rig.ledger();
  EXPECT_EQ(book.failures[static_cast<std::size_t>(FailureKind::connect)], 5U);
  rig.expect_counts_to_agree(200 + static_cast<unsigned>(book.excluded));
}

TEST(SocketScenario01, SendsNothingButSingleProbesWhileItIsDown) {
  SocketUpstream upstream{dead};
  SocketRig rig{upstream_at(upstream.address())};
  auto caller = rig.caller();
  ask_until_refused(caller);
  auto const opened_with = upstream.received();
  for (unsigned refusals = 0; upstream.received() < opened_with + 4; ++refusals) {
    auto const answered = caller.get("/");
    EXPECT_TRUE(answered.status == 503);
    ASSERT_LT(refusals, 10'000'000U);
  }
  auto const snapshot = rig.snapshot();
  std::uint64_t probes = 0;
  for (auto const count : snapshot.probes) probes += count;
  EXPECT_EQ(probes, upstream.received() - opened_with);
  EXPECT_EQ(rig.metric("candor_probes_total"), static_cast<double>(probes));
  rig.expect_counts_to_agree(upstream.received());
}

TEST(SocketScenario02, FiveAttemptsReachTheUpstreamAndTheSecondRequestEndsWithItsSecond) {
  SocketUpstream upstream{dead};
  auto settings = opening_for_long(upstream_at(upstream.address()));
  settings.breaker.trip = {.evidence = std::nullopt, .consecutive_failures = 5};
  SocketRig rig{settings};
  auto caller = rig.caller();
  auto const first = caller.get("/");
  EXPECT_EQ(first.status, 503U);
  EXPECT_TRUE(first.has("attempts=3")) << first.head;
  auto const second = caller.get("/");
  EXPECT_EQ(second.status, 503U);
  EXPECT_TRUE(second.has("attempts=2; retries denied: circuit")) << second.head;
  for (int i = 0; i < 8; ++i) EXPECT_TRUE(refused(caller.get("/")));
  EXPECT_EQ(upstream.received(), 5U);
  rig.expect_counts_to_agree(5);
}

TEST(SocketScenario03, OneOfTwoHundredRequestsProbesAndNoneRetries) {
  constexpr unsigned crowd = 200;
  std::latch others_answered{crowd - 1};
  SocketUpstream upstream{dead};
  SocketRig rig{upstream_at(upstream.address()), 4};
  auto caller = rig.caller();
  ask_until_refused(caller);
  auto const before = upstream.received();
  auto const retries_before = rig.metric("candor_retries_total");
  // The probe's answer waits for everybody else's: so all of them come while it is in flight.
  upstream.set([&](Received const&) {
    others_answered.wait();
    return answer(503, "dead");
  });
  std::vector<SocketCaller> callers;
  for (unsigned i = 0; i < crowd; ++i) callers.push_back(rig.caller());
  ASSERT_TRUE(eventually([&] { return rig.health().retry_after(monotonic_now()) == Duration{}; }));
  for (auto& each : callers) ASSERT_TRUE(each.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n"));
  std::atomic<unsigned> refusals{0};
  {
    std::vector<std::jthread> readers;
    for (auto& each : callers) {
      readers.emplace_back([&] {
        bool const was_refused = refused(each.read_answer());
        if (was_refused) {
          ++refusals;
          others_answered.count_down();
        }
      });
    }
  }
  EXPECT_EQ(refusals, crowd - 1);
  EXPECT_EQ(upstream.received() - before, 1U);
  EXPECT_EQ(rig.metric("candor_retries_total"), retries_before);
  rig.expect_counts_to_agree(upstream.received());
}

TEST(SocketScenario08, RetriesInBackoffEndWhenTheCircuitOpensAndNothingMoreIsSent) {
  SocketUpstream upstream{dead};
  auto settings = opening_for_long(upstream_at(upstream.address()));
  settings.breaker.trip = {.evidence = std::nullopt, .consecutive_failures = 5};
  settings.retry.backoff.base = settings.retry.backoff.cap = 600s;
  settings.retry.backoff.jitter = BackoffSettings::Jitter::none;
  settings.timeouts.request = 1200s;
  SocketRig rig{settings, 4};
  std::vector<SocketCaller> callers;
  for (unsigned i = 0; i < 5; ++i) {
    // Each waits for its retry before the next one comes; the fifth decides.
    callers.push_back(rig.caller());
    ASSERT_TRUE(callers.back().send("GET / HTTP/1.1\r\nHost: test\r\n\r\n"));
    ASSERT_TRUE(eventually([&] { return rig.ledger().failed() == i + 1; }));
  }
  for (auto& caller : callers) {
    auto const answered = caller.read_answer();
    EXPECT_EQ(answered.status, 503U);
    EXPECT_TRUE(answered.has("attempts=1; retries denied: circuit")) << answered.head;
  }
  EXPECT_TRUE(refused(rig.caller().get("/")));
  EXPECT_EQ(upstream.received(), 5U);
  EXPECT_EQ(rig.metric("candor_retries_total"), 0);
  rig.expect_counts_to_agree(5);
}

TEST(SocketScenario13, AWaitBeyondTheDeadlineIsNotWaitedOut) {
  SocketUpstream upstream{[](Received const&) { return answer(503, "later", "Retry-After: 30\r\n"); }};
  auto settings = upstream_at(upstream.address());
  settings.timeouts.request = 2s;
  SocketRig rig{settings};
  auto const answered = rig.caller().get("/");
  EXPECT_EQ(answered.status, 503U);
  EXPECT_EQ(answered.body, "later");
  EXPECT_TRUE(answered.has("Retry-After: 30"));
  EXPECT_EQ(upstream.received(), 1U);
  EXPECT_EQ(rig.metric("candor_retries_total"), 0);
  EXPECT_EQ(rig.metric("candor_retries_denied_total", "deadline"), 1);
  rig.expect_counts_to_agree(1);
}

TEST(SocketScenario14, SixtyFourCallersKeepOneLedgerAndOneTransitionAnOpening) {
  SocketUpstream upstream{[rng = Rng{3}](Received const& request) mutable {
    auto const drawn = rng.below(100);
    if (drawn < 4) return reset();
    if (drawn < 8) return raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", Reaction::Then::close);
    if (drawn < 45) return answer(503, "busy");
    return answer(200, request.target);
  }};
  SocketRig rig{upstream_at(upstream.address()), 8};
  std::atomic<unsigned> mixed_up{0};
  std::atomic<unsigned> asked{0};
  {
    std::vector<std::jthread> callers;
    for (int c = 0; c < 64; ++c) {
      callers.emplace_back([&, c] {
        auto caller = rig.caller();
        for (int i = 0; i < 60; ++i) {
          auto const path = "/" + std::to_string(c) + "/" + std::to_string(i);
          auto const answered = caller.get(path);
          ++asked;
          if (answered.status == 200 && answered.whole && answered.body != path) ++mixed_up;
          if (!answered.whole) caller = rig.caller();
        }
      });
    }
  }
  EXPECT_EQ(mixed_up, 0U);
  rig.expect_counts_to_agree(upstream.received());
  EXPECT_EQ(rig.metric("candor_requests_total"), asked);
  auto const snapshot = rig.snapshot();
  EXPECT_EQ(rig.metric("candor_circuit_transitions_total"), static_cast<double>(snapshot.generation));
  EXPECT_EQ(rig.metric("candor_circuit_refusals_total"), static_cast<double>(snapshot.refusals));
}

}  // namespace
}  // namespace candor::test
