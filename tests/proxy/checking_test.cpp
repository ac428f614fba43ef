// The checks of an upstream, over a dialler that does what the test says, on virtual time.
#include "candor/proxy/checking.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <map>

namespace candor {
namespace {

/// Each check takes its time and shows what stands in the script; then it is good.
class ScriptedDialler final : public Dialler {
 public:
  explicit ScriptedDialler(Scheduler& scheduler) : scheduler_(scheduler) {}

  Task<std::optional<bool>> dial(EndpointId, CancelScope&) override { co_return true; }
  Task<std::optional<bool>> check(EndpointId endpoint, CheckSettings const& settings,
                                  CancelScope& scope) override {
    made[endpoint.value].push_back(scheduler_.now());
    paths.push_back(settings.path.value_or(""));
    auto const cut_short = co_await scheduler_.sleep(takes, scope);
    if (cut_short) co_return std::nullopt;
    auto& results = script[endpoint.value];
    if (results.empty()) co_return true;
    auto const result = results.front();
    results.pop_front();
    co_return result;
  }

  Duration takes = 1ms;
  std::map<std::uint32_t, std::deque<std::optional<bool>>> script;
  std::map<std::uint32_t, std::vector<Instant>> made;
  std::vector<std::string> paths;

 private:
  Scheduler& scheduler_;
};

struct Heard final : Observer {
  void check_changed(Upstream const&, EndpointId endpoint, CheckReport const& report) override {
    news.emplace_back(endpoint.value, report.standing);
  }
  std::vector<std::pair<std::uint32_t, Standing>> news;
};

UpstreamSettings checked(std::size_t endpoints) {
  UpstreamSettings settings{.name = "up", .check = CheckSettings{.path = "/healthz", .pace = {.jitter = 0}}};
  for (std::size_t i = 0; i < endpoints; ++i)
    settings.endpoints.push_back({"10.0.0." + std::to_string(i) + ":80"});
  return settings;
}

struct World {
  explicit World(std::size_t endpoints = 2) : upstream(checked(endpoints), 0, 7) {}

  void run_for(Duration span) {
    auto const until = scheduler.now() + span;
    for (auto due = scheduler.next_due(); due && *due <= until; due = scheduler.next_due()) {
      scheduler.advance(*due);
    }
    scheduler.set_now(until);
  }
  [[nodiscard]] CheckCounts counts(std::size_t endpoint) const {
    return upstream.health.snapshot(scheduler.now()).endpoints[endpoint].checks;
  }

  Scheduler scheduler{Instant{} + 1h};
  Upstream upstream;
  ScriptedDialler dialler{scheduler};
  Heard heard;
  std::unique_ptr<Checking> checking =
      std::make_unique<Checking>(upstream, dialler, scheduler, Rng{1}, heard);
};

TEST(Checking, ChecksEveryEndpointAtOnceAndThenAtTheInterval) {
  World world;
  world.run_for(10500ms);
  EXPECT_EQ(world.dialler.made[0].size(), 11U);
  EXPECT_EQ(world.dialler.made[1].size(), 11U);
  EXPECT_EQ(world.dialler.made[0].front(), Instant{} + 1h);
  EXPECT_EQ(world.dialler.made[0].back(), Instant{} + 1h + 10s);
  EXPECT_EQ(world.counts(0).good, 11U);
  EXPECT_EQ(world.dialler.paths.front(), "/healthz");
}

TEST(Checking, NeverMakesTwoAtATimeOfOneEndpoint) {
  World world{1};
  world.dialler.takes = 2500ms;
  world.run_for(9s);
  EXPECT_EQ(world.dialler.made[0].size(), 4U) << "each follows the one before";
}

TEST(Checking, TellsTheHealthModelAndOfVerdictsTheObserver) {
  World world;
  world.dialler.script[1] = {false, false, false, false, true, true};
  world.run_for(2500ms);
  EXPECT_EQ(world.upstream.health.snapshot(world.scheduler.now()).endpoints[1].state, CircuitState::open);
  world.run_for(4s);
  EXPECT_EQ(world.heard.news,
            (std::vector<std::pair<std::uint32_t, Standing>>{{1, Standing::ill}, {1, Standing::well}}));
  EXPECT_EQ(world.counts(1).bad, 4U);
  EXPECT_EQ(world.upstream.health.snapshot(world.scheduler.now()).ledger.started, 0U);
}

TEST(Checking, AVerdictReachesEachAccountOfTheUpstreamAndIsCountedOnce) {
  auto settings = checked(2);
  auto& route = settings.routes.emplace_back(as_a_route(settings));
  route.match.path_prefix = "/a";
  route.circuit = RouteCircuit::own;
  Scheduler scheduler{Instant{} + 1h};
  Upstream upstream{settings, 0, 7};
  ScriptedDialler dialler{scheduler};
  dialler.script[1] = {false, false, false};
  Heard heard;
  Checking const checking{upstream, dialler, scheduler, Rng{1}, heard};
  for (auto due = scheduler.next_due(); due && *due <= Instant{} + 1h + 2500ms; due = scheduler.next_due()) {
    scheduler.advance(*due);
  }
  std::uint64_t bad = 0;
  unsigned accounts = 0;
  upstream.each_account([&](Route const& account) {
    auto const endpoint = account.health.snapshot(scheduler.now()).endpoints[1];
    EXPECT_EQ(endpoint.state, CircuitState::open) << account.account_title();
    bad += endpoint.checks.bad;
    ++accounts;
  });
  EXPECT_EQ(accounts, 2U);
  EXPECT_EQ(bad, 3U);
}

TEST(Checking, OneThatCouldNotBeMadeIsAbandonedAndNoVerdict) {
  World world{1};
  world.dialler.script[0] = {false, std::nullopt, false, std::nullopt, false};
  world.run_for(3500ms);
  EXPECT_EQ(world.counts(0).abandoned, 2U);
  EXPECT_EQ(world.upstream.health.state(), CircuitState::closed);
  world.run_for(1s);
  EXPECT_EQ(world.counts(0).bad, 3U);
  EXPECT_EQ(world.upstream.health.state(), CircuitState::open) << "it breaks no row either";
}

TEST(Checking, FollowsEndpointsThatComeAndGo) {
  World world{2};
  world.checking->set_endpoints({EndpointId{0}});
  world.run_for(1500ms);
  EXPECT_TRUE(world.dialler.made[1].empty());
  world.dialler.takes = 500ms;
  world.run_for(600ms);  // in the middle of one
  world.checking->set_endpoints({EndpointId{1}});
  EXPECT_EQ(world.counts(0).abandoned, 1U);
  auto const before = world.dialler.made[0].size();
  world.run_for(5s);
  EXPECT_EQ(world.dialler.made[0].size(), before) << "no check of an endpoint that has gone";
  EXPECT_EQ(world.dialler.made[1].front(), Instant{} + 1h + 2100ms) << "a new one is checked at once";
}

TEST(Checking, EndsWithAllThatIsUnderWay) {
  World world;
  world.dialler.takes = 1h;
  world.run_for(1s);
  world.checking.reset();
  EXPECT_EQ(world.counts(0).abandoned, 1U);
  EXPECT_EQ(world.scheduler.next_due(), std::nullopt) << "a timer is left";
}

}  // namespace
}  // namespace candor
