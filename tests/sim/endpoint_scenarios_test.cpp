// Scenarios in which the endpoints of an upstream are other ones from one moment on.
#include "scenario.hpp"

namespace candor::sim {
namespace {

Latency const quick = Latency::between(2ms, 8ms);
constexpr Duration onset = 10s;

/// Two endpoints that fail in this way from the onset on; two that are always well come in their place.
struct Exchanged {
  Exchanged(std::uint64_t seed, Act const& failing) : world(options(seed, failing)) {
    world.set_endpoints({0, 1});
  }
  static WorldOptions options(std::uint64_t seed, Act const& failing) {
    EndpointScript const leaving{
        .phases = {{.acts = {{answers(200, quick)}}}, {.from = onset, .acts = {{failing}}}}};
    auto const coming = always(answers(200, quick));
    WorldOptions options;
    options.seed = seed;
    options.upstreams = {{.endpoints = {leaving, leaving, coming, coming}}};
    options.traffic = {poisson(100)};
    return options;
  }
  void exchange() { world.set_endpoints({2, 3}); }
  [[nodiscard]] HealthSnapshot health() const { return world.upstream().health.snapshot(world.now()); }
  void expect_new_ones_untouched() const {
    for (auto const& endpoint : health().endpoints) {
      EXPECT_EQ(endpoint.state, CircuitState::closed);
      EXPECT_EQ(endpoint.ejections, 0U);
      EXPECT_EQ(endpoint.ledger.failed(), 0U);
      EXPECT_GT(endpoint.ledger.success, 0U);
    }
  }

  World world;
};

/// `at_most`: until the first good answer.
void expect_outage_to_end(Act const& failing, Duration at_most, Figure& noticed) {
  constexpr Duration outage = 20s;
  for (std::uint64_t seed = 1; seed <= seeds / 4; ++seed) {
    Exchanged e{seed, failing};
    e.world.run_until(Instant{} + onset + outage);
    ASSERT_NE(e.health().state, CircuitState::closed) << "seed " << seed;
    e.exchange();
    auto const ok_before = e.world.report().requests.ok;
    Duration first_good{};
    while (e.world.report().requests.ok == ok_before && first_good < 1min) {
      e.world.run_for(10ms);
      first_good += 10ms;
    }
    EXPECT_LE(first_good, at_most) << "seed " << seed;
    noticed.add(seconds(first_good));
    e.world.run_for(outage / 10 + 1s);
    auto const ramped = e.world.report();
    e.world.run_for(10s);
    e.expect_new_ones_untouched();
    auto const report = close_the_books(e.world);
    EXPECT_EQ(report.requests.ok - ramped.requests.ok,
              report.requests.started - ramped.requests.started + ramped.requests.open())
        << "seed " << seed << ": all is well again";
    EXPECT_EQ(report.upstreams[0].departed.endpoints, 4U);
  }
}

TEST(ScenarioExchange, OfEndpointsThatAnswer503EndsTheOutageWithTheNextProbe) {
  Figure noticed{"seconds until good, 503"};
  expect_outage_to_end(answers(503, quick), 2800ms, noticed);
}

TEST(ScenarioExchange, OfEndpointsThatRefuseEndsTheOutageWithTheNextConnectCheck) {
  Figure noticed{"seconds until good, refusing"};
  expect_outage_to_end(refuses(), 2100ms, noticed);
}

TEST(ScenarioExchange, WhatIsStillInFlightAtThoseThatHaveLeftHasNoVote) {
  for (std::uint64_t seed = 1; seed <= seeds / 4; ++seed) {
    Exchanged e{seed, resets(3s)};
    // The first reset comes after it, and then some hundred of them.
    e.world.run_until(Instant{} + onset + 2500ms);
    ASSERT_EQ(e.health().ledger.failed(), 0U);
    e.exchange();
    e.world.run_for(20s);
    e.expect_new_ones_untouched();
    auto const report = close_the_books(e.world);
    auto const& upstream = report.upstreams[0];
    auto const broken = upstream.ledger.failures[static_cast<std::size_t>(FailureKind::reset)];
    EXPECT_GE(broken, 150U);
    EXPECT_EQ(upstream.ledger.stale, broken);
    EXPECT_TRUE(upstream.changes.empty()) << "seed " << seed;
    EXPECT_TRUE(upstream.ejections.empty()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace candor::sim
