// Scenarios with active checks: an upstream that takes connections and fails, and is well again.
#include "scenario.hpp"

namespace candor::sim {
namespace {

Latency const quick = Latency::between(2ms, 8ms);
constexpr Duration onset = 12s;
constexpr Duration back = onset + 60s;

/// Answers 503 for a minute, on all its routes.
EndpointScript ill_for_a_minute() {
  return {.phases = {{.acts = {{answers(200, quick)}}},
                     {.from = onset, .acts = {{answers(503, quick)}}},
                     {.from = back, .acts = {{answers(200, quick)}}}}};
}

WorldOptions checked(std::uint64_t seed, std::vector<EndpointScript> endpoints, bool with_checks = true) {
  WorldOptions options;
  options.seed = seed;
  options.upstreams = {{.endpoints = std::move(endpoints)}};
  if (with_checks) options.upstreams[0].settings.check = CheckSettings{.path = "/healthz"};
  options.traffic = {poisson(100)};
  return options;
}

/// From the return to the first good answer.
double seconds_until_good(World& world) {
  world.run_until(Instant{} + back);
  auto const good = [&world] { return world.upstream().health.snapshot(world.now()).ledger.success; };
  auto const before = good();
  while (good() == before && world.now() < Instant{} + back + 20s) world.run_for(10ms);
  return seconds_of(world.now()) - seconds(back);
}

CheckCounts counted(World const& world, std::size_t endpoint) {
  return world.upstream().health.snapshot(world.now()).endpoints[endpoint].checks;
}

TEST(ScenarioChecks, AReturnIsNoticedWithinTwoIntervalsAndNoRequestProbesBeforeIt) {
  Figure with{"seconds until good, with checks each 1s"};
  Figure without{"seconds until good, without"};
  Figure probes{"attempts while it was ill, with checks"};
  Figure probes_without{"attempts while it was ill, without"};
  for (std::uint64_t seed = 1; seed <= seeds / 4; ++seed) {
    World world{checked(seed, {ill_for_a_minute()})};
    World plain{checked(seed, {ill_for_a_minute()}, false)};
    auto const took = seconds_until_good(world);
    with.add(took);
    without.add(seconds_until_good(plain));
    // Two good ones in a row, each at most 1.1s after the one before.
    EXPECT_LE(took, 2.3) << "seed " << seed;
    auto const report = world.report();
    EXPECT_EQ(attempts_between(report, onset + 2s, back), 0U) << "seed " << seed;
    probes.add(attempts_between(report, onset, back));
    probes_without.add(attempts_between(plain.report(), onset, back));
    auto const checks = counted(world, 0);
    EXPECT_EQ(checks.good + checks.bad, report.upstreams[0].endpoints[0].checks);
    world.run_for(20s);
    EXPECT_EQ(world.upstream().health.state(), CircuitState::closed) << "no relapse";
    close_the_books(world);
  }
  EXPECT_LT(with.mean(), 2.0);
  EXPECT_LT(with.mean(), without.mean());
}

TEST(ScenarioChecks, OneOfFiveThatFailsItsChecksAloneIsEjectedBeforeARequestFails) {
  EndpointScript const sick{.phases = {{.acts = {{answers(200, quick)}}}},
                            .routes = {{.path = "/healthz",
                                        .phases = {{.acts = {{answers(200, quick)}}},
                                                   {.from = onset, .acts = {{answers(503, quick)}}}}}}};
  EndpointScript const well = always(answers(200, quick));
  for (std::uint64_t seed = 1; seed <= seeds / 10; ++seed) {
    World world{checked(seed, {well, well, sick, well, well})};
    world.run_until(Instant{} + onset + 4s);
    auto const at = world.report().upstreams[0].endpoints[2].attempts;
    world.run_for(60s);
    EXPECT_EQ(world.report().upstreams[0].endpoints[2].attempts, at) << "seed " << seed;
    auto const report = close_the_books(world);
    EXPECT_EQ(report.requests.goodput(), 1) << "seed " << seed;
    EXPECT_TRUE(report.upstreams[0].changes.empty());
  }
}

TEST(ScenarioChecks, WhateverTheyShowTheyAreInNoLedgerOfAttempts) {
  EndpointScript const torn{
      .phases = {{.acts = {{answers(200, quick)}}}},
      .routes = {
          {.path = "/healthz",
           .phases = {{.acts = {{answers(200, quick)}, {answers(503, quick)}, {hangs()}, {refuses()}}}}}}};
  for (std::uint64_t seed = 1; seed <= seeds / 10; ++seed) {
    auto options = checked(seed, {torn, torn, torn});
    options.upstreams[0].settings.check->pace.every = 200ms;
    World world{options};
    world.run_for(30s);
    auto const report = close_the_books(world);
    auto const snapshot = world.upstream().health.snapshot(world.now());
    std::uint64_t checks = 0;
    for (std::size_t e = 0; e < 3; ++e) {
      checks += report.upstreams[0].endpoints[e].checks;
      EXPECT_EQ(snapshot.endpoints[e].ledger.started, report.upstreams[0].endpoints[e].attempts);
    }
    EXPECT_GT(checks, 100U);
    EXPECT_EQ(snapshot.ledger.failed(), 0U) << "only checks have failed";
  }
}

}  // namespace
}  // namespace candor::sim
