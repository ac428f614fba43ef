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

TEST(SocketScenario05, RandomErrorsAreRetriedAsLongAsThatPaysAndOpenNothing) {
  constexpr unsigned requests = 3'000;
  SocketUpstream upstream{[rng = Rng{5}](Received const&) mutable {
    return rng.chance(0.3) ? answer(503, "busy") : answer(200, "well");
  }};
  auto settings = upstream_at(upstream.address());
  settings.retry.backoff.base = settings.retry.backoff.cap = 1ms;
  SocketRig rig{settings};
  auto caller = rig.caller();
  unsigned good = 0;
  for (unsigned i = 0; i < requests; ++i) good += caller.get("/").status == 200 ? 1 : 0;
  EXPECT_GE(good, requests * 95 / 100);
  EXPECT_LE(upstream.received(), requests * 142 / 100);
  EXPECT_TRUE(rig.health().transitions().empty());
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

TEST(SocketScenario09, ABrownOutOpensBeforeItsFirstSlowAnswerIsBack) {
  SocketUpstream upstream{well};
  auto settings = opening_for_long(upstream_at(upstream.address()));
  settings.breaker.slow_after = 20ms;
  settings.timeouts.attempt = settings.timeouts.request = 600s;
  SocketRig rig{settings};
  auto history = rig.caller();
  for (int i = 0; i < 200; ++i) ASSERT_EQ(history.get("/").status, 200U);
  upstream.set([](Received const&) { return hang(); });
  std::vector<SocketCaller> callers;
  for (int i = 0; i < 8; ++i) {
    callers.push_back(rig.caller());
    ASSERT_TRUE(callers.back().send("GET / HTTP/1.1\r\nHost: test\r\n\r\n"));
  }
  ASSERT_TRUE(eventually([&] { return rig.health().state() == CircuitState::open; }));
  auto const before = rig.ledger();
  EXPECT_EQ(before.in_flight, before.started - 200) << "nothing has settled since";
  EXPECT_GE(before.slow, 5U);
  EXPECT_EQ(rig.health().transitions().at(0).transition.why.rule, Rule::evidence_run);
  EXPECT_TRUE(refused(rig.caller().get("/")));
  auto const reached = upstream.received();
  upstream.stop();
  for (auto& caller : callers) EXPECT_EQ(caller.read_answer().status / 100, 5U);
  EXPECT_GT(rig.ledger().stale, 0U) << "what ends later has no vote";
  rig.expect_counts_to_agree(reached);
}

/// Five endpoints of one upstream, which count by themselves.
class Five {
 public:
  Five() {
    for (auto& each : upstreams_) each = std::make_unique<SocketUpstream>(well);
  }

  [[nodiscard]] UpstreamSettings settings() const {
    auto settings = opening_for_long(upstream_at(upstreams_[0]->address()));
    for (std::size_t i = 1; i < upstreams_.size(); ++i)
      settings.endpoints.push_back({upstreams_[i]->address()});
    return settings;
  }
  SocketUpstream& operator[](std::size_t which) { return *upstreams_[which]; }
  [[nodiscard]] unsigned received() const {
    unsigned sum = 0;
    for (auto const& each : upstreams_) sum += each->received();
    return sum;
  }
  void expect_ledgers_to_agree(SocketRig const& rig) const {
    auto const endpoints = rig.snapshot().endpoints;
    for (std::size_t i = 0; i < upstreams_.size(); ++i) {
      auto const& book = endpoints.at(i).ledger;
      EXPECT_EQ(book.started - book.failures[static_cast<std::size_t>(FailureKind::connect)],
                upstreams_[i]->received());
    }
    rig.expect_counts_to_agree(received());
  }

 private:
  std::array<std::unique_ptr<SocketUpstream>, 5> upstreams_;
};

/// Asks until the third of the five is ejected, and for some time after that; every caller must be well.
void expect_no_caller_to_see_the_third(SocketRig const& rig) {
  auto caller = rig.caller();
  auto const is_ejected = [&] { return rig.snapshot().endpoints.at(2).state == CircuitState::open; };
  for (int i = 0; i < 500 && !is_ejected(); ++i) ASSERT_EQ(caller.get("/").status, 200U);
  ASSERT_TRUE(is_ejected());
  auto const started = rig.snapshot().endpoints.at(2).ledger.started;
  for (int i = 0; i < 500; ++i) ASSERT_EQ(caller.get("/").status, 200U);
  EXPECT_EQ(rig.snapshot().endpoints.at(2).ledger.started, started) << "nobody asks it any more";
  EXPECT_TRUE(rig.health().transitions().empty()) << "the upstream is well";
  EXPECT_EQ(rig.metric("candor_ejections_total"), 1);
}

TEST(SocketScenario11, OneOfFiveThatAnswers503IsEjectedAndNoCallerSeesIt) {
  Five five;
  SocketRig rig{five.settings()};
  auto history = rig.caller();
  for (int i = 0; i < 500; ++i) ASSERT_EQ(history.get("/").status, 200U);
  auto const before = five[2].received();
  five[2].set(dead);
  expect_no_caller_to_see_the_third(rig);
  EXPECT_LE(five[2].received() - before, 7U);
  five.expect_ledgers_to_agree(rig);
}

TEST(SocketScenario11, OneOfFiveThatRefusesIsEjectedAndNoCallerSeesIt) {
  Five five;
  SocketRig rig{five.settings()};
  auto history = rig.caller();
  for (int i = 0; i < 500; ++i) ASSERT_EQ(history.get("/").status, 200U);
  five[2].stop();
  expect_no_caller_to_see_the_third(rig);
  EXPECT_LE(rig.snapshot().endpoints.at(2).ledger.failed(), 7U);
  auto const excluded = static_cast<unsigned>(rig.ledger().excluded);
  rig.expect_counts_to_agree(five.received() + excluded);
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

/// Asks until the answers are good again, then for some time more: there must be no relapse.
void expect_recovery_for_good(SocketRig const& rig) {
  auto caller = rig.caller();
  ASSERT_TRUE(eventually([&] { return caller.get("/").status == 200; }));
  ASSERT_TRUE(eventually([&] {
    caller.get("/");
    return rig.health().state() == CircuitState::closed;
  }));
  for (int i = 0; i < 200; ++i) EXPECT_EQ(caller.get("/").status, 200U);
  for (auto const& each : rig.health().transitions()) {
    auto const& transition = each.transition;
    EXPECT_FALSE(transition.from == CircuitState::ramping && transition.to == CircuitState::open);
  }
}

TEST(SocketScenario15, AnUpstreamThatAnswered503IsFoundByAProbeAndStaysWell) {
  SocketUpstream upstream{dead};
  SocketRig rig{upstream_at(upstream.address())};
  auto caller = rig.caller();
  ask_until_refused(caller);
  upstream.set(well);
  expect_recovery_for_good(rig);
  rig.expect_counts_to_agree(upstream.received());
}

TEST(SocketScenario15, AnUpstreamThatRefusedIsFoundByACheckAndStaysWell) {
  SocketUpstream upstream{well};
  SocketRig rig{upstream_at(upstream.address())};
  auto caller = rig.caller();
  for (int i = 0; i < 200; ++i) ASSERT_EQ(caller.get("/").status, 200U);
  upstream.stop();
  ask_until_refused(caller);
  auto const attempts = rig.ledger().started;
  ASSERT_TRUE(eventually([&] { return rig.snapshot().endpoints.at(0).checks.bad >= 3; }));
  EXPECT_TRUE(refused(caller.get("/")));
  EXPECT_EQ(rig.ledger().started, attempts) << "nothing but checks";
  upstream.start();
  expect_recovery_for_good(rig);
  EXPECT_GE(rig.metric("candor_checks_total", "good"), 1);
  rig.expect_counts_to_agree(upstream.received() + static_cast<unsigned>(rig.ledger().excluded));
}

TEST(SocketChecks, TheUpstreamsOwnCountTheLedgerAndTheMetricsAgreeOnThem) {
  std::atomic<unsigned> asked = 0;
  std::atomic<bool> ill = true;
  SocketUpstream upstream{[&](Received const& request) {
    if (request.target != "/healthz") return answer(200, "ok");
    ++asked;
    return answer(ill ? 503 : 200, "");
  }};
  auto settings = upstream_at(upstream.address());
  settings.check = CheckSettings{.path = "/healthz", .pace = {.every = 20ms, .timeout = 10s}};
  SocketRig const rig{settings};
  ASSERT_TRUE(eventually([&] { return rig.snapshot().state == CircuitState::open; }));
  EXPECT_EQ(rig.metric("candor_check_standing", "standing=\"ill\""), 1);
  auto caller = rig.caller();
  EXPECT_EQ(caller.get("/").status, 503U);
  ill = false;
  ASSERT_TRUE(eventually([&] { return !rig.snapshot().awaits_checks; }));
  EXPECT_EQ(caller.get("/").status, 200U);
  // Those that are counted when the rest stands still: one may be under way at any moment.
  EXPECT_TRUE(eventually([&] {
    auto const before = asked.load();
    auto const metrics = rig.metric("candor_checks_total");
    return metrics == before && before == asked;
  }));
  EXPECT_EQ(rig.ledger().started, 1U);
}

}  // namespace
}  // namespace candor::test
