// Scenarios of an upstream that dies: when its circuit opens, and what reaches it from then on.
#include "scenario.hpp"

namespace candor::sim {
namespace {

constexpr Duration onset = 20s;

/// Healthy up to the onset, then dead: what is in flight is broken off.
EndpointScript dies(Act death) {
  return {.phases = {{.acts = {{answers(200, Latency::between(2ms, 8ms))}}},
                     {.from = onset, .acts = {{death}}, .breaks = true}}};
}

/// From a healthy history, `outage` long.
void opens_at_the_fifth_settled_attempt(Act const& death, Duration outage, std::uint64_t worlds) {
  Figure time_to_open{"seconds to open"};
  Figure attempts_in_60s{"attempts in 60s"};
  Figure attempts_in_all{"attempts in " + std::to_string(outage / 1s) + "s"};
  for (std::uint64_t seed = 1; seed <= worlds; ++seed) {
    World world{world_of(seed, dies(death), {poisson(100)})};
    world.run_until(Instant{} + onset + outage);
    auto const report = close_the_books(world);
    auto const& opening = report.upstreams[0].changes.at(0).transition;
    ASSERT_EQ(opening.to, CircuitState::open);
    // Nothing succeeds after the onset, so its failures are the attempts that have settled since.
    EXPECT_EQ(opening.why.rule, Rule::evidence_run);
    EXPECT_EQ(opening.why.window.failed, 5U) << "seed " << seed;
    EXPECT_LT(report.requests.refused_took.longest(), 5ms);
    EXPECT_LE(attempts_between(report, onset, onset + 60s), 65U) << "seed " << seed;
    EXPECT_LE(attempts_between(report, onset, onset + outage), 125U) << "seed " << seed;
    time_to_open.add(seconds_of(opening.at) - seconds(onset));
    attempts_in_60s.add(attempts_between(report, onset, onset + 60s));
    attempts_in_all.add(attempts_between(report, onset, onset + outage));
  }
}

TEST(Scenario01DeadUpstream, OpensAtTheFifthSettledAttemptAndIsProbedSeldomWhenItAnswers503) {
  opens_at_the_fifth_settled_attempt(answers(503, Latency::between(2ms, 8ms)), 600s, long_run_seeds);
}

TEST(Scenario01DeadUpstream, NothingButConnectChecksReachesItWhenItRefusesConnections) {
  Figure checks{"checks in 60s"};
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    World world{world_of(seed, dies(refuses()), {poisson(100)})};
    world.run_until(Instant{} + onset + 60s);
    auto const report = close_the_books(world);
    auto const& upstream = report.upstreams[0];
    auto const& opening = upstream.changes.at(0).transition;
    EXPECT_EQ(opening.why.rule, Rule::evidence_run);
    EXPECT_EQ(opening.why.window.failed, 5U) << "seed " << seed;
    EXPECT_LT(report.requests.refused_took.longest(), 5ms);
    ASSERT_EQ(upstream.changes.size(), 1U) << "it is open, and stays so";
    // What was already on its way when the fifth failed is all that came after it.
    EXPECT_EQ(attempts_between(report, onset + 1s, onset + 60s), 0U) << "seed " << seed;
    checks.add(upstream.endpoints[0].checks);
    EXPECT_LE(upstream.endpoints[0].checks, 125U);
    EXPECT_GE(upstream.endpoints[0].checks, 30U);
  }
}

TEST(Scenario01DeadUpstream, OpensAtTheSeventhSettledAttemptWhenCold) {
  for (auto const& death : {answers(503, Latency::between(2ms, 8ms)), refuses()}) {
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
      World world{world_of(seed, always(death), {poisson(100)})};
      world.run_for(1s);
      auto const report = close_the_books(world);
      auto const& opening = report.upstreams[0].changes.at(0).transition;
      EXPECT_EQ(opening.why.window.failed, 7U) << "seed " << seed;
      EXPECT_EQ(opening.why.window.settled, 7U) << "seed " << seed;
    }
  }
}

TEST(Scenario02ConsecutiveFailures, FiveAttemptsReachTheUpstreamAndTheSecondRequestEndsWithItsSecond) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    auto options = world_of(seed, always(answers(503)), {one_by_one(10)});
    options.upstreams[0].settings.breaker.trip = {.evidence = std::nullopt, .consecutive_failures = 5};
    options.log = EventLog::Keep::text;
    World world{options};
    world.run_for(10s);
    auto const report = close_the_books(world);
    EXPECT_EQ(report.attempts(), 5U);
    EXPECT_EQ(report.upstreams[0].ledger.failed(), 5U);
    EXPECT_EQ(report.requests.failing, 2U);
    EXPECT_EQ(report.requests.refused, 8U);
    EXPECT_NE(line_with(world, " request 1 ends").find("answered 503 after 3 attempts"), std::string::npos);
    EXPECT_NE(
        line_with(world, " request 2 ends").find("answered 503 after 2 attempts, retry denied: circuit"),
        std::string::npos);
  }
}

/// A world whose circuit has just opened; nothing is in flight or waiting.
World just_opened(std::uint64_t seed, EndpointScript endpoint) {
  auto options = world_of(seed, std::move(endpoint));
  options.workers = 4;
  return World{options};
}

TEST(Scenario03EndOfTheWindow, OneOfTwoHundredRequestsProbesAndNoneRetries) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    World world = just_opened(seed, always(answers(503, Latency::between(2ms, 8ms))));
    world.send(20);
    world.run_for(20ms);
    auto const& health = world.upstream().health;
    for (int window = 0; window < 5; ++window) {
      ASSERT_EQ(health.state(), CircuitState::open);
      world.run_for(health.retry_after(world.now()));
      auto const before = world.report();
      world.send(200);
      world.run_for(20ms);
      auto const after = world.report();
      EXPECT_EQ(after.attempts() - before.attempts(), 1U);
      EXPECT_EQ(after.upstreams[0].retries, before.upstreams[0].retries);
      EXPECT_EQ(after.requests.refused - before.requests.refused, 199U);
      EXPECT_EQ(after.requests.failing - before.requests.failing, 1U);
    }
    close_the_books(world);
  }
}

TEST(Scenario04ProbeIsAbandoned, TheNextRequestProbesAndNothingIsEverStuck) {
  constexpr Duration hanging = 1s;
  constexpr Duration back = 30s;
  EndpointScript const script{
      .phases = {{.acts = {{answers(503, Latency::between(2ms, 8ms))}}},
                 {.from = hanging, .acts = {{hangs()}}},
                 {.from = back, .acts = {{answers(200, Latency::between(2ms, 8ms))}}}}};
  Figure first_good{"seconds to the first good answer"};
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    World world{world_of(seed, script, {poisson(100, {.leaves_after = 400ms})})};
    auto const& health = world.upstream().health;
    for (Duration at = hanging + 2s; at < back; at += 100ms) {
      world.run_until(Instant{} + at);
      auto const snapshot = health.snapshot(world.now());
      EXPECT_LE(snapshot.probes_in_flight, 1U);
      EXPECT_EQ(snapshot.state, CircuitState::half_open) << "an abandoned probe is no verdict";
    }
    auto const abandoned = world.report().upstreams[0].ledger.abandoned;
    EXPECT_GE(abandoned, 60U) << "each one made room for the next: about two and a half a second";
    auto const ok = world.report().requests.ok;
    // The probe that hangs may be abandoned 400ms after the return; the one after it is answered.
    world.run_until(Instant{} + back + 500ms);
    EXPECT_GT(world.report().requests.ok, ok) << "seed " << seed;
    world.run_until(Instant{} + back + 10s);
    EXPECT_EQ(health.state(), CircuitState::closed);
    close_the_books(world);
  }
}

/// One of five dies, at 500 requests a second; gives what reached it in the minute after that.
void one_of_five_dies(Act const& death, Figure& reached, Figure& ejected_after, std::uint64_t bound) {
  for (std::uint64_t seed = 1; seed <= long_run_seeds; ++seed) {
    auto options = world_of(seed, dies(death), {poisson(500)});
    options.upstreams[0].endpoints.resize(5, always(answers(200, Latency::between(2ms, 8ms))));
    World world{options};
    world.run_until(Instant{} + onset);
    auto const before = world.report().upstreams[0].endpoints[0].attempts;
    world.run_until(Instant{} + onset + 60s);
    auto const report = close_the_books(world);
    auto const& upstream = report.upstreams[0];
    ASSERT_FALSE(upstream.ejections.empty());
    auto const& ejection = upstream.ejections.at(0).transition;
    EXPECT_EQ(ejection.endpoint, EndpointId{0});
    EXPECT_LE(ejection.why.window.failed, 7U) << "seed " << seed;
    EXPECT_EQ(report.requests.ok, report.requests.started) << "no caller sees it, seed " << seed;
    EXPECT_EQ(upstream.openings(), 0U) << "seed " << seed;
    auto const after = upstream.endpoints[0].attempts - before;
    EXPECT_LE(after, bound) << "seed " << seed;
    reached.add(after);
    ejected_after.add(ejection.why.window.failed);
  }
}

TEST(Scenario11OneDeadEndpointOfFive, ThatAnswers503IsEjectedAndProbedSeldomAndNoCallerSeesIt) {
  Figure reached{"attempts to it in 60s"};
  Figure ejected_after{"failed attempts to eject it"};
  one_of_five_dies(answers(503, Latency::between(2ms, 8ms)), reached, ejected_after, 65);
}

TEST(Scenario11OneDeadEndpointOfFive, ThatRefusesIsEjectedAndOnlyCheckedAndNoCallerSeesIt) {
  Figure reached{"attempts to it in 60s"};
  Figure ejected_after{"failed attempts to eject it"};
  one_of_five_dies(refuses(), reached, ejected_after, 9);
}

TEST(Scenario06EveryThirdAttemptSucceeds, OpensByTheThirtiethAttemptThoughEveryCallerGotAGoodAnswer) {
  EndpointScript const script{
      .phases = {{.acts = {{answers(503)}, {answers(503)}, {answers(200)}}, .order = Phase::Order::in_turn}}};
  Figure opened_by{"attempts to open"};
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    auto options = world_of(seed, script, {one_by_one(40)});
    options.upstreams[0].settings.retry.budget = {.ratio = 10, .per_second = 1000, .over = 10s};
    World world{options};
    while (world.upstream().health.state() == CircuitState::closed && world.now() < Instant{} + 10s) {
      world.run_for(1ms);
    }
    auto const report = world.report();
    ASSERT_EQ(report.upstreams[0].openings(), 1U);
    EXPECT_LE(report.attempts(), 30U);
    // The request of the deciding attempt is cut short; every one before it got its answer.
    EXPECT_EQ(report.requests.failing, 1U);
    EXPECT_EQ(report.requests.ok, report.attempts() / 3);
    opened_by.add(report.attempts());
    close_the_books(world);
  }
}

TEST(Scenario07StaleOutcomes, TenCallsFromBeforeTheOpeningDoNotMoveAHalfOpenCircuit) {
  EndpointScript const script{
      .phases = {{.acts = {{answers(503, Latency::between(2ms, 8ms))}}}},
      .routes = {{"/slow", {{.acts = {{answers(200, Latency::between(400ms, 500ms))}}}}},
                 {"/probe", {{.acts = {{answers(200, 600ms)}}}}}}};
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    World world{world_of(seed, script)};
    auto const& health = world.upstream().health;
    world.send(10, {.path = "/slow"});
    world.send(10);
    world.run_for(20ms);
    ASSERT_EQ(health.state(), CircuitState::open);
    world.run_for(health.retry_after(world.now()));
    world.send(1, {.path = "/probe"});
    ASSERT_EQ(health.state(), CircuitState::half_open);
    auto const before = health.snapshot(world.now());
    ASSERT_EQ(before.ledger.in_flight, 11U);
    world.run_until(Instant{} + 510ms);
    auto const after = health.snapshot(world.now());
    EXPECT_EQ(after.state, CircuitState::half_open);
    EXPECT_EQ(after.generation, before.generation);
    EXPECT_EQ(after.ledger.stale, before.ledger.stale + 10);
    EXPECT_EQ(after.ledger.success, 10U) << "the account has them";
    close_the_books(world);
    EXPECT_EQ(health.state(), CircuitState::ramping) << "the probe's own answer counts";
  }
}

TEST(Scenario08RetryInBackoff, EndsWhenTheCircuitOpensAndNothingIsSentBeforeTheWindowIsOver) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    auto options =
        world_of(seed, always(answers(503, Latency::between(2ms, 8ms))),
                 {{.load = Arrivals{.per_second = 100, .pace = Arrivals::Pace::poisson}, .from = 50ms}});
    options.upstreams[0].settings.retry.backoff = {
        .base = 2s, .cap = 2s, .jitter = BackoffSettings::Jitter::none};
    options.log = EventLog::Keep::text;
    World world{options};
    auto const& health = world.upstream().health;
    world.send();
    while (health.state() == CircuitState::closed) world.run_for(1ms);
    auto const opening = world.report().upstreams[0].changes.at(0).transition.at;
    auto const window_ends = world.now() + health.retry_after(world.now());
    ASSERT_LT(opening, Instant{} + 2s) << "before its wait would have been over";

    auto const opened = line_with(world, "closed to open");
    auto const ended = line_with(world, " request 1 ends");
    EXPECT_EQ(ended.substr(0, ended.find(' ')), opened.substr(0, opened.find(' ')));
    EXPECT_NE(ended.find("answered 503 after 1 attempt, retry denied: circuit"), std::string::npos) << ended;

    auto const sent = world.report().attempts();
    world.run_until(window_ends - 1ns);
    EXPECT_EQ(world.report().attempts(), sent);
    EXPECT_EQ(world.report().upstreams[0].retries, 0U);
    close_the_books(world);
  }
}

}  // namespace
}  // namespace candor::sim
