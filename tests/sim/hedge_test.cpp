// Hedging in whole worlds: the books balance against what the endpoints counted themselves, the tail gets
// shorter, and an upstream that is slow as a whole gets no more than the budget on top.
#include "scenario.hpp"

namespace candor::sim {
namespace {

/// One attempt in fifty is stuck for a second.
EndpointScript mostly_quick() {
  return {.phases = {{.acts = {{answers(200, Latency::tailed(5ms, 10ms)), 49}, {answers(200, 1s), 1}}}}};
}

WorldOptions hedged_world(std::uint64_t seed, EndpointScript const& endpoint,
                          std::optional<HedgeSettings> hedge) {
  WorldOptions options;
  options.seed = seed;
  UpstreamSettings settings{.name = "up"};
  settings.retry.hedge = hedge;
  options.upstreams = {{.settings = settings, .endpoints = {endpoint, endpoint, endpoint}}};
  options.traffic = {poisson(100)};
  options.workers = 2;
  return options;
}

TEST(Hedging, CutsTheTailForFewAttemptsMore) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    World plain{hedged_world(seed, mostly_quick(), std::nullopt)};
    World hedged{hedged_world(seed, mostly_quick(), HedgeSettings{.after = 20ms, .quantile = 0.95})};
    plain.run_for(60s);
    hedged.run_for(60s);
    auto const without = close_the_books(plain);
    auto const with = close_the_books(hedged);
    EXPECT_GT(without.requests.ok_took.quantile(0.99), 900ms);
    EXPECT_LT(with.requests.ok_took.quantile(0.99), 200ms);
    auto const attempts = static_cast<double>(with.attempts());
    EXPECT_LE(attempts, 1.2 * static_cast<double>(with.requests.started));
    EXPECT_GT(with.upstreams[0].ledger.abandoned, 0U);
  }
}

TEST(Hedging, AnUpstreamThatIsSlowAsAWholeGetsNoMoreThanTheBudget) {
  auto const slow = always(answers(200, 400ms));
  World world{hedged_world(3, slow, HedgeSettings{.after = 50ms})};
  world.run_for(60s);
  auto const report = close_the_books(world);
  auto const requests = static_cast<double>(report.requests.started);
  EXPECT_LE(static_cast<double>(report.attempts()), 1.2 * requests + 3 * 70);
  EXPECT_EQ(report.requests.ok, report.requests.started);
}

}  // namespace
}  // namespace candor::sim
