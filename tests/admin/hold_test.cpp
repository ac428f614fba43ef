// Orders to hold a circuit by hand: what they do, and who may give them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "candor/admin/routes.hpp"
#include "explained.hpp"

namespace candor::admin {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using testing::explained;
using ::testing::HasSubstr;
using testing::Play;
using ::testing::StartsWith;

class Orders : public ::testing::Test {
 protected:
  Answer ask(Request const& request) {
    Sources sources{
        .upstreams = [this] { return std::vector{play.upstream()}; },
        .now = [this] { return play.now; },
        .wall = [this] { return play.wall; },
        .changed = [this](Upstream const& upstream,
                          std::string const& what) { said.push_back(upstream.name() + ": " + what); }};
    return Routes{sources, settings}.answer(request);
  }
  static Request order(std::string body) {
    return {.method = "POST",
            .target = "/api/v1/upstreams/payments/circuit",
            .host = "localhost:15000",
            .content_type = "application/json",
            .body = std::move(body),
            .peer = "127.0.0.1:51234"};
  }
  Answer give(std::string body) { return ask(order(std::move(body))); }
  std::string detail(Answer const& answer) {
    EXPECT_EQ(answer.content_type, "application/problem+json");
    return nlohmann::json::parse(answer.body)["detail"];
  }
  [[nodiscard]] HealthSnapshot health() const { return play.upstream()->health.snapshot(play.now); }

  AdminSettings settings{.changes = true};
  Play play;
  std::vector<std::string> said;
};

TEST_F(Orders, HoldTheCircuitOpenUntilItIsGivenBack) {
  auto const answer = give(R"({"hold": "open"})");
  EXPECT_EQ(answer.status, 200U);
  auto const circuit = nlohmann::json::parse(answer.body)["circuit"];
  EXPECT_EQ(circuit["held"], "open");
  EXPECT_EQ(circuit["state"], "open");
  EXPECT_TRUE(play.refused());
  EXPECT_EQ(give(R"({"hold": "none"})").status, 200U);
  EXPECT_FALSE(health().held);
  play.good({});  // the probe
  EXPECT_EQ(health().state, CircuitState::ramping);
}

TEST_F(Orders, HoldTheCircuitClosedWhateverFails) {
  give(R"({"hold": "closed"})");
  play.bad({}, FailureKind::status, 503, 50);
  EXPECT_EQ(health().state, CircuitState::closed);
  EXPECT_EQ(health().ledger.failed(), 50U) << "held, it counts all the same";
  give(R"({"hold": "none"})");
  play.bad({}, FailureKind::status, 503);
  EXPECT_EQ(health().state, CircuitState::open) << "from then on it goes by its rules";
}

TEST_F(Orders, HoldOneEndpoint) {
  auto const answer = give(R"({"hold": "open", "endpoint": "payments-2:8080"})");
  auto const endpoints = nlohmann::json::parse(answer.body)["endpoints"];
  EXPECT_TRUE(endpoints[0]["held"].is_null());
  EXPECT_EQ(endpoints[1]["held"], "open");
  for (std::uint64_t i = 1; i <= 20; ++i) {
    auto permit = play.upstream()->health.admit({.request = {i}}, play.now);
    ASSERT_TRUE(permit);
    EXPECT_EQ(permit->endpoint(), EndpointId{0});
    std::move(*permit).settle(Outcome::success(), play.now, 200);
  }
}

TEST_F(Orders, HoldTheCircuitThatARouteHasOfItsOwn) {
  play.split_off("charge");
  auto const answer = give(R"({"hold": "open", "route": "charge"})");
  auto const json = nlohmann::json::parse(answer.body);
  EXPECT_EQ(json["routes"][0]["circuit"]["held"], "open");
  EXPECT_TRUE(json["circuit"]["held"].is_null());
  EXPECT_FALSE(health().held);
  EXPECT_THAT(said, ElementsAre("payments: 127.0.0.1:51234 holds the circuit (route charge) open"));
  auto const unknown = give(R"({"hold": "open", "route": "search"})");
  EXPECT_EQ(unknown.status, 404U);
  EXPECT_EQ(detail(unknown), "payments has no route \"search\" with a circuit of its own; there is: charge.");
  EXPECT_EQ(detail(give(R"({"hold": "open", "route": 5})")), "\"route\" has to be a name, as a string.");
}

TEST_F(Orders, AreLoggedWithWhoGaveThem) {
  give(R"({"hold": "open"})");
  give(R"({"hold": "closed", "endpoint": "payments-1:8080"})");
  give(R"({"hold": "none"})");
  EXPECT_THAT(said,
              ElementsAre("payments: 127.0.0.1:51234 holds the circuit open",
                          "payments: 127.0.0.1:51234 holds the circuit of endpoint payments-1:8080 closed",
                          "payments: 127.0.0.1:51234 gives the circuit back"));
}

TEST_F(Orders, AreNotTakenUnlessTheConfigurationSaysSo) {
  settings.changes = false;
  auto const answer = give(R"({"hold": "open"})");
  EXPECT_EQ(answer.status, 403U);
  EXPECT_THAT(detail(answer), HasSubstr("admin.changes: true"));
  EXPECT_FALSE(health().held);
  EXPECT_THAT(said, ::testing::IsEmpty());
}

TEST_F(Orders, AreNotTakenFromAStrangersPage) {
  auto request = order(R"({"hold": "open"})");
  for (auto const* origin : {"http://evil.example", "null", "http://localhost:15001", "localhost:15000"}) {
    request.origin = origin;
    auto const answer = ask(request);
    EXPECT_EQ(answer.status, 403U) << origin;
    EXPECT_THAT(detail(answer), HasSubstr(origin));
  }
  request.origin.clear();
  for (auto const* site : {"cross-site", "same-site"}) {
    request.fetch_site = site;
    EXPECT_EQ(ask(request).status, 403U) << site;
  }
  request.fetch_site.clear();
  request.host = "evil.example";
  EXPECT_EQ(ask(request).status, 403U) << "DNS rebinding";
  EXPECT_FALSE(health().held);
  request = order(R"({"hold": "open"})");
  request.origin = "http://localhost:15000";
  request.fetch_site = "same-origin";
  EXPECT_EQ(ask(request).status, 200U) << "its own page may";
}

TEST_F(Orders, AreJson) {
  auto request = order(R"({"hold": "open"})");
  for (auto const* type : {"", "text/plain", "application/x-www-form-urlencoded", "application/jsonp"}) {
    request.content_type = type;
    EXPECT_EQ(ask(request).status, 415U) << type;
  }
  request.content_type = "Application/JSON; charset=utf-8";
  EXPECT_EQ(ask(request).status, 200U);
}

TEST_F(Orders, ThatMeanNothingAreToldSo) {
  struct Wrong {
    char const* body;
    char const* why;
  };
  for (auto const& [body, why] : {
           Wrong{"", "The body is no JSON."},
           Wrong{"hold=open", "The body is no JSON."},
           Wrong{"[]", "The body has to be an object, such as {\"hold\": \"open\"}."},
           Wrong{"{}", "It does not say what to do: \"hold\" is missing."},
           Wrong{R"({"hold": "opened"})",
                 "\"hold\" has to be \"open\", \"closed\" or \"none\", not \"opened\"."},
           Wrong{R"({"hold": null})", "\"hold\" has to be \"open\", \"closed\" or \"none\", not null."},
           Wrong{R"({"hold": "open", "for": "10m"})",
                 "There is no \"for\" to be given; there is: hold, endpoint, route."},
           Wrong{R"({"hold": "open", "endpoint": 1})", "\"endpoint\" has to be an address, as a string."},
       }) {
    auto const answer = give(body);
    EXPECT_EQ(answer.status, 400U) << body;
    EXPECT_EQ(detail(answer), why);
  }
  std::string const deep = "{\"hold\": " + std::string(100'000, '[') + std::string(100'000, ']') + '}';
  EXPECT_EQ(detail(give(deep)), "\"hold\" has to be \"open\", \"closed\" or \"none\", not an array.");
  auto const unknown = give(R"({"hold": "open", "endpoint": "payments-9:8080"})");
  EXPECT_EQ(unknown.status, 404U);
  EXPECT_EQ(detail(unknown),
            "payments has no endpoint \"payments-9:8080\"; it has: payments-1:8080, payments-2:8080.");
  EXPECT_FALSE(health().held);
  EXPECT_THAT(said, ::testing::IsEmpty());
}

TEST_F(Orders, GoToACircuitThatThereIsByPost) {
  auto request = order(R"({"hold": "open"})");
  request.method = "GET";
  auto const read = ask(request);
  EXPECT_EQ(read.status, 405U);
  EXPECT_THAT(read.fields, Contains(std::pair<std::string, std::string>{"Allow", "POST"}));
  request.method = "POST";
  request.target = "/api/v1/upstreams/orders/circuit";
  EXPECT_EQ(ask(request).status, 404U);
  for (auto const* target : {"/api/v1/upstreams/circuit", "/api/v1/upstreams//circuit", "/nowhere"}) {
    request.target = target;
    EXPECT_EQ(ask(request).status, 404U) << target;
  }
  request.target = "/api/v1/upstreams/p%61yments/circuit?by=hand";
  EXPECT_EQ(ask(request).status, 200U);
}

TEST_F(Orders, AreExplained) {
  play.good({});
  give(R"({"hold": "open"})");
  play.pass(3s);
  EXPECT_TRUE(play.refused());
  auto const open = explained(play);
  EXPECT_THAT(open,
              StartsWith("payments: circuit OPEN: an operator holds it so for 3s, since 12:41:00.010 UTC."));
  EXPECT_THAT(open, HasSubstr("Every request is refused, and none probes, until an operator gives it back."));
  EXPECT_THAT(open, HasSubstr("Refused since Candor started: 1 attempt."));
  EXPECT_THAT(open, HasSubstr("candor hold payments none"));
  give(R"({"hold": "closed"})");
  EXPECT_THAT(explained(play), StartsWith("payments: circuit CLOSED: an operator holds it so"));
  give(R"({"hold": "open"})");
  give(R"({"hold": "none"})");
  auto const back = explained(play);
  EXPECT_THAT(back, HasSubstr("Why it opened: rule held_open\n  An operator holds it open.\n"));
  EXPECT_THAT(back, HasSubstr("The wait is over: the next request is the probe."));
}

}  // namespace
}  // namespace candor::admin
