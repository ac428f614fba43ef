#include "candor/sim/world.hpp"

#include "scenario.hpp"

namespace candor::sim {
namespace {

/// A bit of everything.
WorldOptions varied(std::uint64_t seed) {
  auto const quick = Latency::tailed(1ms, 4ms);
  auto streaming = answers(200, quick);
  streaming.body = {.pieces = 5, .between = 300ms};
  auto cut = answers(200, quick);
  cut.body = {.pieces = 2, .between = 1ms, .end = BodyScript::End::truncated};
  auto stale = answers(200, quick);
  stale.stale = true;
  EndpointScript const script{.phases = {{.acts = {{answers(200, quick), 80},
                                                   {answers(503, quick), 10},
                                                   {streaming, 3},
                                                   {cut, 2},
                                                   {stale, 5}}},
                                         {.from = 8s, .acts = {{answers(503, quick)}}, .breaks = true},
                                         {.from = 12s, .acts = {{answers(200, quick), 9}, {hangs(), 1}}}},
                              .routes = {{"/orders",
                                          {{.acts = {{answers(201, quick)}, {answers(500, quick)}},
                                            .order = Phase::Order::in_turn}}}}};
  WorldOptions options;
  options.seed = seed;
  options.upstreams = {{.settings = {.name = "first"}, .endpoints = {script, script}},
                       {.settings = {.name = "second"}, .endpoints = {always(refuses())}}};
  options.traffic = {
      poisson(60),
      steady(10, {.method = "POST", .path = "/orders", .body_bytes = 20000}),
      poisson(10, {.leaves_after = 30ms}),
      {.load = Callers{.count = 3, .think = 50ms}, .upstream = 1, .from = 1s, .until = 15s},
  };
  options.sidecars = 2;
  options.workers = 2;
  options.log = EventLog::Keep::text;
  return options;
}

TEST(World, TheSameSeedGivesTheSameTraceToTheByte) {
  World first{varied(7)};
  World second{varied(7)};
  first.run_for(20s);
  second.run_for(20s);
  EXPECT_GT(first.log().lines(), 1000U);
  EXPECT_TRUE(first.log().text() == second.log().text());
  EXPECT_EQ(first.log().hash(), second.log().hash());
}

TEST(World, AShadowLeavesNoTraceInWhatHappens) {
  auto options = varied(7);
  World alone{options};
  alone.run_for(20s);
  for (auto& upstream : options.upstreams) {
    auto& shadow = upstream.settings.shadow.emplace(as_a_shadow(upstream.settings));
    shadow.breaker.trip = {.evidence = std::nullopt, .consecutive_failures = 2};
    shadow.retry.attempts = 2;
    shadow.retry.backoff.jitter = BackoffSettings::Jitter::decorrelated;
  }
  World watched{options};
  watched.run_for(20s);
  EXPECT_TRUE(alone.log().text() == watched.log().text());
  auto const report = watched.report();
  EXPECT_FALSE(report.upstreams[0].shadows.empty());
  EXPECT_GT(watched.upstream().own_route().retry_shadow->spared(RetryDenied::attempts), 0U);
}

TEST(World, AnotherSeedGivesAnotherTrace) {
  World first{varied(7)};
  World second{varied(8)};
  first.run_for(20s);
  second.run_for(20s);
  EXPECT_NE(first.log().hash(), second.log().hash());
}

TEST(World, HowItIsStoppedOnTheWayDoesNotMatter) {
  World whole{varied(7)};
  World in_steps{varied(7)};
  whole.run_for(5s);
  for (int i = 0; i < 5000; ++i) in_steps.run_for(1ms);
  EXPECT_EQ(whole.log().hash(), in_steps.log().hash());
}

TEST(World, TheLogIsOptionalAndChangesNothing) {
  auto options = varied(7);
  World logged{options};
  options.log = EventLog::Keep::nothing;
  World silent{options};
  logged.run_for(20s);
  silent.run_for(20s);
  EXPECT_EQ(silent.log().lines(), 0U);
  EXPECT_EQ(logged.report().attempts(), silent.report().attempts());
  EXPECT_EQ(logged.report().requests.ok, silent.report().requests.ok);
}

// In every build, on every machine. A change of policy changes it: then look at the trace, and put the new
// one.
TEST(World, AKnownSeedGivesAKnownTrace) {
  auto options = varied(42);
  options.log = EventLog::Keep::hash;
  World world{options};
  world.run_for(20s);
  EXPECT_EQ(world.log().hash(), 0xfb7e40eb1a6ce911U)
      << std::hex << world.log().hash() << " in " << std::dec << world.log().lines() << " lines";
}

TEST(World, TheBooksOfAVariedRunBalance) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    World world{varied(seed)};
    world.run_for(20s);
    EXPECT_TRUE(world.report().upstreams[0].balanced()) << "while much is in flight";
    ASSERT_TRUE(world.finish());
    auto const report = world.report();
    for (auto const& upstream : report.upstreams) {
      EXPECT_TRUE(upstream.balanced());
      EXPECT_EQ(upstream.ledger.in_flight, 0U);
    }
    EXPECT_EQ(report.requests.open(), 0U);
    EXPECT_GT(report.requests.broken, 0U);
    EXPECT_GT(report.requests.abandoned, 0U);
    EXPECT_GT(report.upstreams[0].ledger.excluded, 0U);
  }
}

TEST(World, CanBeDroppedWithMuchInFlight) {
  World world{varied(3)};
  world.run_for(13s);
  EXPECT_GT(world.report().requests.open(), 0U);
}

TEST(World, ConstantArrivalsComeAtTheirInstants) {
  World world{world_of(1, always(answers(200)), {steady(100)})};
  world.run_until(Instant{} + 1s - 1ns);
  EXPECT_EQ(world.report().requests.started, 100U);
  world.run_for(1ns);
  EXPECT_EQ(world.report().requests.started, 101U);
}

TEST(World, PoissonArrivalsComeAtTheirRate) {
  World world{world_of(1, always(answers(200)), {poisson(100)})};
  world.run_for(100s);
  EXPECT_NEAR(static_cast<double>(world.report().requests.started), 10000, 400);
}

TEST(World, TrafficHasABeginningAndAnEnd) {
  World world{
      world_of(1, always(answers(200)), {{.load = Arrivals{.per_second = 10}, .from = 1s, .until = 2s}})};
  world.run_for(999ms);
  EXPECT_EQ(world.report().requests.started, 0U);
  world.run_for(10s);
  EXPECT_EQ(world.report().requests.started, 10U);
}

TEST(World, ACallerSendsItsNextRequestWhenItHasItsAnswer) {
  World world{world_of(1, always(answers(200, 40ms)), {{.load = Callers{.count = 2, .think = 60ms}}})};
  world.run_for(1s - 1ns);
  EXPECT_EQ(world.report().requests.started, 20U);
  EXPECT_EQ(world.report().requests.ok, 20U);
  EXPECT_TRUE(world.finish());
}

TEST(World, SidecarsHaveTheirOwnHealthAndWorkersShareIt) {
  auto options = world_of(1, always(answers(503)), {steady(100)});
  options.sidecars = 3;
  options.workers = 2;
  World world{options};
  world.run_for(2s);
  auto const report = close_the_books(world);
  std::vector<int> openings(3);
  for (auto const& change : report.upstreams[0].changes) {
    if (change.transition.from == CircuitState::closed) ++openings[change.sidecar];
  }
  EXPECT_EQ(openings, (std::vector{1, 1, 1}));
}

TEST(World, SlicesAddUpToTheWhole) {
  World world{varied(5)};
  world.run_for(10s);
  world.finish();
  auto const report = world.report();
  Slice sum;
  for (auto const& slice : report.slices) {
    sum.requests += slice.requests;
    sum.ok += slice.ok;
    sum.refused += slice.refused;
    sum.attempts += slice.attempts;
    sum.retries += slice.retries;
  }
  EXPECT_EQ(sum.requests, report.requests.started);
  EXPECT_EQ(sum.ok, report.requests.ok);
  EXPECT_EQ(sum.refused, report.requests.refused);
  EXPECT_EQ(sum.attempts, report.attempts());
  EXPECT_EQ(sum.retries, report.upstreams[0].retries + report.upstreams[1].retries);
}

TEST(World, RefusesOptionsThatMakeNoSense) {
  EXPECT_THROW(World{{.upstreams = {}}}, std::invalid_argument);
  EXPECT_THROW((World{WorldOptions{.sidecars = 0}}), std::invalid_argument);
  EXPECT_THROW((World{WorldOptions{.traffic = {{.upstream = 1}}}}), std::invalid_argument);
  EXPECT_THROW((World{WorldOptions{.traffic = {{.load = Callers{}}}}}), std::invalid_argument);
  EXPECT_THROW((World{WorldOptions{.traffic = {steady(0)}}}), std::invalid_argument);
  EXPECT_THROW((World{WorldOptions{.upstreams = {{.endpoints = {}}}}}), std::invalid_argument);
  EXPECT_THROW((World{world_of(1, {.phases = {}})}), std::invalid_argument);
  EXPECT_THROW((World{world_of(1, {.phases = {{.from = 1s}}})}), std::invalid_argument);
}

}  // namespace
}  // namespace candor::sim
