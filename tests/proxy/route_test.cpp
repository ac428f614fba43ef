// Routes: which one a request takes, and that its settings, its account and its budget are those of the
// route.
#include <gtest/gtest.h>

#include "candor/proxy/answer.hpp"
#include "support/rig.hpp"

namespace candor::test {
namespace {

/// A route of plain_settings(), which it is treated by but for what a test changes.
RouteSettings route(MatchSettings match, RouteCircuit circuit = RouteCircuit::shared) {
  auto settings = as_a_route(plain_settings());
  settings.match = std::move(match);
  settings.circuit = circuit;
  return settings;
}

UpstreamSettings with_routes(std::vector<RouteSettings> routes) {
  auto settings = plain_settings();
  settings.routes = std::move(routes);
  return settings;
}

Ledger ledger(Rig const& rig, std::size_t place) {
  return rig.upstream.routes()[place].health.snapshot(rig.scheduler.now()).ledger;
}

TEST(Route, IsTheFirstThatMatchesElseTheUpstreamsOwn) {
  Rig rig{with_routes({route({.methods = {"POST"}, .path_prefix = "/a"}), route({.path_prefix = "/a"}),
                       route({.path_regex = "/b/[0-9]+"})})};
  auto const place = [&rig](std::string method, std::string path) {
    return rig.send({.method = std::move(method), .path = std::move(path)}).exchange->route.place;
  };
  EXPECT_EQ(place("POST", "/a/1"), 1U);
  EXPECT_EQ(place("GET", "/a/1"), 2U);
  EXPECT_EQ(place("GET", "/b/17"), 3U);
  EXPECT_EQ(place("GET", "/b/x"), 0U);
  EXPECT_EQ(place("POST", "/"), 0U);
}

TEST(Route, ItsSettingsHoldForItsRequestsAndForNoOthers) {
  auto charge = route({.path_prefix = "/charge"});
  charge.retry.attempts = 1;
  charge.timeouts.attempt = 50ms;
  charge.classify.failure_statuses = {{500, 599}};
  Rig rig{with_routes({charge})};

  rig.transport.usually = {.status = 501};
  auto& failing = rig.send({.path = "/charge"});
  auto& fine = rig.send({.path = "/other"});
  rig.run_for(1s);
  EXPECT_FALSE(failing.good);
  EXPECT_EQ(failing.exchange->denied, RetryDenied::attempts);
  EXPECT_TRUE(fine.good);

  rig.transport.usually = hangs();
  auto& impatient = rig.send({.path = "/charge"});
  auto& patient = rig.send({.path = "/other"});
  rig.run_for(50ms);
  EXPECT_TRUE(impatient.ended());
  EXPECT_FALSE(patient.ended());
  rig.run_for(1min);
  rig.expect_all_told();
}

TEST(Route, HasItsOwnFallback) {
  auto charge = route({.path_prefix = "/charge"});
  charge.fallback = FallbackSettings{.status = 200, .body = "later"};
  Rig rig{with_routes({charge})};
  rig.transport.usually = fails(FailureKind::connect);
  auto& charged = rig.send({.path = "/charge"});
  auto& other = rig.send({.path = "/other"});
  rig.run_for(1s);
  EXPECT_EQ(charged.content, "later");
  EXPECT_EQ(other.status, std::nullopt);
}

TEST(Route, SharesTheAccountUnlessItAsksForItsOwn) {
  Rig rig{with_routes({route({.path_prefix = "/a"}), route({.path_prefix = "/b"}, RouteCircuit::own)})};
  rig.send({.path = "/a"});
  rig.send({.path = "/b"});
  rig.send({.path = "/c"});
  rig.run_for(1s);
  EXPECT_EQ(ledger(rig, 0).started, 2U);
  EXPECT_EQ(&rig.upstream.routes()[1].health, &rig.upstream.health);
  EXPECT_EQ(ledger(rig, 2).started, 1U);
  std::vector<std::string_view> names;
  rig.upstream.each_account([&names](Route const& account) { names.push_back(account.account_name()); });
  EXPECT_EQ(names, (std::vector<std::string_view>{"", "/b"}));
  rig.expect_all_told();
}

TEST(Route, ACircuitOfItsOwnRefusesItsRequestsAndNoOthers) {
  auto charge = route({.path_prefix = "/charge"}, RouteCircuit::own);
  charge.breaker.trip = {.evidence = std::nullopt, .consecutive_failures = 2};
  charge.retry.attempts = 1;
  Rig rig{with_routes({charge})};
  rig.transport.then(answers(503));
  rig.transport.then(answers(503));
  rig.send({.path = "/charge"});
  rig.send({.path = "/charge"});
  rig.run_for(10ms);
  auto& refused = rig.send({.path = "/charge"});
  auto& other = rig.send({.path = "/other"});
  rig.run_for(10ms);
  EXPECT_EQ(refused.refusal(), Refusal::circuit_open);
  EXPECT_EQ(own_answer(*refused.failure, *refused.exchange).explanation,
            "The circuit of up (route /charge) is open: too many of its attempts failed.");
  EXPECT_EQ(other.status, 200);
  EXPECT_EQ(rig.upstream.health.state(), CircuitState::closed);
}

TEST(Route, AnOpenSharedCircuitDoesNotRefuseAFaultlessRouteOfItsOwn) {
  Rig rig{with_routes({route({.path_prefix = "/a"}), route({.path_prefix = "/b"}, RouteCircuit::own)})};
  rig.open_circuit();
  auto& sharing = rig.send({.path = "/a"});
  auto& apart = rig.send({.path = "/b"});
  rig.run_for(10ms);
  EXPECT_EQ(sharing.refusal(), Refusal::circuit_open);
  EXPECT_EQ(apart.status, 200);
}

/// Retries wait for the circuit that they will ask.
TEST(Route, AnOpeningEndsTheWaitsOfTheRoutesThatReadItsAccount) {
  auto patient = route({.path_prefix = "/a"});
  auto apart = route({.path_prefix = "/b"}, RouteCircuit::own);
  for (auto* each : {&patient, &apart}) each->retry.backoff = {5s, 5s, BackoffSettings::Jitter::none};
  Rig rig{with_routes({patient, apart})};
  rig.transport.usually = answers(503);
  auto& sharing = rig.send({.path = "/a"});
  auto& other = rig.send({.path = "/b"});
  rig.run_for(10ms);
  rig.transport.usually = answers(200);
  rig.open_circuit();
  rig.run_for(10ms);
  EXPECT_TRUE(sharing.ended());
  EXPECT_EQ(sharing.exchange->denied, RetryDenied::circuit);
  EXPECT_FALSE(other.ended());
  rig.run_for(10s);
  EXPECT_EQ(other.status, 200);
}

TEST(Route, AllRoutesDrawOnOneBudget) {
  auto settings = with_routes({route({.path_prefix = "/a"}, RouteCircuit::own)});
  settings.retry.budget = {.ratio = 0, .per_second = 0.1, .over = 10s, .stretch = std::nullopt};
  Rig rig{settings};
  rig.transport.usually = answers(503);
  auto& first = rig.send({.path = "/a"});
  rig.run_for(1s);
  auto& second = rig.send({.path = "/b"});
  rig.run_for(1s);
  EXPECT_EQ(first.exchange->retries, 1U);
  EXPECT_EQ(first.exchange->denied, RetryDenied::budget);
  EXPECT_EQ(second.exchange->retries, 0U) << "the other route has had the only token";
}

TEST(Route, TheLedgersOfAllAccountsTogetherHoldWhatWasSent) {
  auto own = RouteCircuit::own;
  Rig rig{with_routes(
      {route({.path_prefix = "/a"}, own), route({.path_prefix = "/b"}), route({.path_prefix = "/c"}, own)})};
  Rng chance{5};
  for (int i = 0; i < 1000; ++i) {
    rig.transport.then({.head = chance.between(0ms, 30ms),
                        .status = static_cast<std::uint16_t>(chance.chance(0.3) ? 503 : 200)});
  }
  std::vector<Call*> calls;
  for (int i = 0; i < 500; ++i) {
    std::string const paths = "abcd";
    calls.push_back(&rig.send({.path = std::string("/") + paths[chance.below(4)]}));
    if (chance.chance(0.1)) calls[chance.below(calls.size())]->hang_up();
    rig.run_for(2ms);
  }
  rig.run_for(1min);
  rig.expect_all_told();
  std::array<std::uint64_t, 2> by_endpoint{};
  rig.upstream.each_account([&](Route const& account) {
    auto const snapshot = account.health.snapshot(rig.scheduler.now());
    ASSERT_EQ(snapshot.endpoints.size(), by_endpoint.size());
    for (auto const& endpoint : snapshot.endpoints) by_endpoint[endpoint.id.value] += endpoint.ledger.started;
  });
  std::array<std::uint64_t, 2> sent{};
  for (auto const& attempt : rig.transport.sent) ++sent[attempt.endpoint.value];
  EXPECT_EQ(by_endpoint, sent);
}

TEST(Route, HasALimitOfItsOwnBesideTheUpstreamsWhereItHasAnAccount) {
  auto narrow = route({.path_prefix = "/a"}, RouteCircuit::own);
  narrow.limit.attempts = 1;
  Rig rig{with_routes({narrow})};
  rig.transport.usually = {.head = 1s};
  rig.send({.path = "/a"});
  auto& refused = rig.send({.path = "/a"});
  auto& other = rig.send({.path = "/b"});
  rig.run_for(2s);
  EXPECT_EQ(refused.refusal(), Refusal::limit);
  EXPECT_EQ(other.status, 200);
}

TEST(Route, ThoseThatShareAnAccountWaitInLanesOfTheirOwn) {
  auto settings = with_routes({route({.path_prefix = "/a"}), route({.path_prefix = "/b"}, RouteCircuit::own),
                               route({.path_prefix = "/c"})});
  settings.limit = {.attempts = 1, .queue = 10};
  for (auto& each : settings.routes) each.limit = settings.limit;
  Rig rig{settings};
  auto const& routes = rig.upstream.routes();
  EXPECT_EQ(routes[0].queue, &*rig.upstream.queue);
  EXPECT_EQ(routes[1].queue, routes[0].queue);
  EXPECT_NE(routes[2].queue, routes[0].queue) << "its own account has its own";
  EXPECT_EQ((std::vector<std::size_t>{routes[0].lane, routes[1].lane, routes[3].lane}),
            (std::vector<std::size_t>{0, 1, 2}));
  // A crowd at one route does not make another's request wait behind all of it.
  rig.transport.usually = {.head = 10ms};
  std::vector<Call*> crowd;
  for (int i = 0; i < 6; ++i) crowd.push_back(&rig.send({.path = "/a"}));
  auto& other = rig.send({.path = "/c"});
  rig.run_for(30ms);
  EXPECT_TRUE(other.ended());
  EXPECT_FALSE(crowd.back()->ended());
}

std::string name_of(MatchSettings match) { return name(RouteSettings{.match = std::move(match)}); }

TEST(RouteName, IsAsTheConfigurationSays) {
  EXPECT_EQ(name(RouteSettings{.match = {.path_prefix = "/a"}, .name = "charge"}), "charge");
}

TEST(RouteName, ElseSaysWhatTheRouteMatches) {
  EXPECT_EQ(name_of({.methods = {"POST"}, .path_prefix = "/charge"}), "POST /charge");
  EXPECT_EQ(name_of({.methods = {"GET", "HEAD"}}), "GET,HEAD *");
  EXPECT_EQ(name_of({.path_regex = "/v[0-9]+/.*"}), "~/v[0-9]+/.*");
  EXPECT_EQ(name_of({.path_prefix = "/a", .path_regex = ".*x"}), "/a ~.*x");
  EXPECT_EQ(name_of({.hosts = {"a.example", "b.example"}, .path_prefix = "/"}), "/ at a.example,b.example");
  EXPECT_EQ(name_of({.headers = {{"x-tenant"}, {"x-b"}}}), "* with x-tenant,x-b");
}

TEST(RouteName, ShowsNoValueOfAFieldAndTellsThemApart) {
  auto const gold = name_of({.headers = {{"x-tenant", "gold"}}});
  auto const iron = name_of({.headers = {{"x-tenant", "iron"}}});
  EXPECT_TRUE(gold.starts_with("* with x-tenant #")) << gold;
  EXPECT_EQ(gold.find("gold"), std::string::npos);
  EXPECT_NE(gold, iron);
  EXPECT_EQ(gold, name_of({.headers = {{"x-tenant", "gold"}}})) << "the same, always";
}

TEST(RouteName, IsCutWhereItIsLong) {
  std::string const long_path = "/" + std::string(100, 'a');
  EXPECT_EQ(name_of({.path_prefix = long_path}).size(), 64U);
  EXPECT_NE(name_of({.path_prefix = long_path + "b"}), name_of({.path_prefix = long_path + "c"}));
}

TEST(RouteName, IsUniqueEvenAmongRoutesThatMatchTheSame) {
  auto settings = with_routes({route({.path_prefix = "/a"}), route({.path_prefix = "/a"})});
  Upstream const upstream{settings, 0, 1};
  EXPECT_EQ(upstream.routes()[1].name, "/a");
  EXPECT_EQ(upstream.routes()[2].name, "/a+");
}

}  // namespace
}  // namespace candor::test
