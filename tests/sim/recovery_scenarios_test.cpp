// Scenarios of an upstream that comes back: how soon it is noticed, and what its absence has cost.
#include "scenario.hpp"

namespace candor::sim {
namespace {

Latency const quick = Latency::between(2ms, 8ms);

TEST(Scenario09BrownOut, OpensOnSlowMarksBeforeTheFirstSlowAnswerIsBack) {
  constexpr Duration onset = 20s;
  EndpointScript const script{
      .phases = {{.acts = {{answers(200, 50ms)}}}, {.from = onset, .acts = {{answers(200, 2s)}}}}};
  Figure time_to_open{"seconds to open"};
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    auto options = world_of(seed, script, {poisson(100)});
    options.upstreams[0].settings.breaker.slow_after = 500ms;
    World world{options};
    world.run_until(Instant{} + onset + 5s);
    auto const report = close_the_books(world);
    auto const opened = report.upstreams[0].opened_after(Instant{});
    ASSERT_TRUE(opened);
    EXPECT_GE(*opened, Instant{} + onset + 500ms) << "before a mark could be put";
    EXPECT_LE(*opened, Instant{} + onset + 750ms) << "seed " << seed;
    time_to_open.add(seconds_of(*opened) - seconds(onset));
  }
}

/// Up and down by turns, each of 2s to 8s, from a random point of a turn on.
EndpointScript flapping(Rng& rng, Duration until) {
  EndpointScript script{.phases = {}};
  bool up = rng.chance(0.5);
  Duration from{};
  Duration turn = rng.between(0s, 8s);
  while (from < until) {
    script.phases.push_back({.from = from, .acts = {{answers(up ? 200 : 503, quick)}}});
    up = !up;
    from += turn;
    turn = rng.between(2s, 8s);
  }
  return script;
}

TEST(Scenario10Flapping, WhatThereIsIsUsed) {
  Figure goodput{"goodput"};
  Figure failed{"failed attempts"};
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    Rng rng{seed};
    World world{world_of(seed, flapping(rng, 120s), {poisson(100)})};
    world.run_for(120s);
    auto const report = close_the_books(world);
    goodput.add(report.requests.goodput());
    failed.add(report.upstreams[0].ledger.failed());
    EXPECT_GE(report.requests.goodput(), 0.30) << "seed " << seed;
    EXPECT_LE(report.upstreams[0].ledger.failed(), 600U) << "seed " << seed;
  }
  EXPECT_GE(goodput.mean(), 0.42);
}

/// Out for `outage`, then back. `at_most`: from the return to the first good answer.
void comes_back(Act const& death, Duration outage, Duration at_most, std::uint64_t worlds, Figure& noticed) {
  constexpr Duration onset = 12s;
  auto const back = onset + outage;
  EndpointScript const script{.phases = {{.acts = {{answers(200, quick)}}},
                                         {.from = onset, .acts = {{death}}, .breaks = true},
                                         {.from = back, .acts = {{answers(200, quick)}}}}};
  for (std::uint64_t seed = 1; seed <= worlds; ++seed) {
    World world{world_of(seed, script, {poisson(100)})};
    world.run_until(Instant{} + back);
    auto const ok_before = world.report().requests.ok;
    Duration first_good{};
    while (world.report().requests.ok == ok_before && first_good < 1min) {
      world.run_for(10ms);
      first_good += 10ms;
    }
    EXPECT_LE(first_good, at_most) << "seed " << seed << ", outage of " << outage / 1s << "s";
    noticed.add(seconds(first_good) / seconds(outage));
    // One ramp later, all is well again, and stays so.
    world.run_for(std::min<Duration>(outage / 10, 5s) + 1s);
    auto const before = world.report();
    world.run_for(10s);
    auto const after = close_the_books(world);
    auto const started = after.requests.started - before.requests.started;
    auto const ok = after.requests.ok - before.requests.ok;
    EXPECT_GE(static_cast<double>(ok), 0.95 * static_cast<double>(started)) << "seed " << seed;
  }
}

TEST(Scenario15Recovery, OfAnUpstreamThatRefusedIsNoticedWithinATenthOfTheOutage) {
  Figure noticed{"first good answer, in outages"};
  for (Duration const outage : {10s, 30s, 60s, 600s}) {
    auto const worlds = outage > 60s ? long_run_seeds : seeds;
    // The request that probes has to come, and to be answered: 100 a second, by chance.
    comes_back(refuses(), outage, std::min<Duration>(outage / 10, 2500ms) + 100ms, worlds, noticed);
  }
}

TEST(Scenario15Recovery, OfAnUpstreamThatAnswered503IsNoticedSoonAfterATenthOfTheOutage) {
  Figure noticed{"first good answer, in outages"};
  for (Duration const outage : {10s, 30s, 60s, 600s}) {
    auto const worlds = outage > 60s ? long_run_seeds : seeds;
    comes_back(answers(503, quick), outage, std::min<Duration>(outage * 13 / 100 + 200ms, 12500ms), worlds,
               noticed);
  }
}

/// Requests lost over those that fell into a blip of 200ms, by seed.
void measure_a_blip(Traffic const& traffic, Figure& cost) {
  constexpr Duration onset = 10s;
  EndpointScript const script{.phases = {{.acts = {{answers(200, quick)}}},
                                         {.from = onset, .acts = {{answers(503, quick)}}},
                                         {.from = onset + 200ms, .acts = {{answers(200, quick)}}}}};
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    auto options = world_of(seed, script, {traffic});
    options.slice = 100ms;
    World world{options};
    world.run_for(20s);
    auto const report = close_the_books(world);
    auto const in_the_blip = report.slices[100].requests + report.slices[101].requests;
    auto const lost = report.requests.started - report.requests.ok;
    cost.add(static_cast<double>(lost) / static_cast<double>(in_the_blip));
  }
}

TEST(Scenario18Blip, CostsLittleMoreThanItself) {
  Figure cost{"lost over those of the blip"};
  measure_a_blip(steady(100), cost);
  EXPECT_LE(cost.most(), 1.5);
}

// On the average only: a blip that a dozen requests fall into may be followed by a window with as many.
TEST(Scenario18Blip, CostsLittleMoreThanItselfWhenRequestsComeInBunches) {
  Figure cost{"lost over those of the blip"};
  measure_a_blip(poisson(100), cost);
  EXPECT_LE(cost.mean(), 1.5);
}

}  // namespace
}  // namespace candor::sim
