#include "candor/admin/routes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <nlohmann/json.hpp>

#include "candor/observe/metrics.hpp"
#include "support.hpp"

namespace candor::admin {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::Play;
using ::testing::StartsWith;

std::string gunzip(std::string const& compressed) {
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) return "inflateInit2 failed";
  std::string bytes = compressed;
  std::string text(1U << 20U, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  int const result = inflate(&stream, Z_FINISH);
  text.resize(stream.total_out);
  inflateEnd(&stream);
  return result == Z_STREAM_END ? text : "not gzip";
}

class Admin : public ::testing::Test {
 protected:
  Answer ask(Request request) {
    std::vector<std::shared_ptr<Upstream>> const upstreams{play.upstream()};
    observe::MetricsSources metrics{.upstreams = upstreams,
                                    .workers = {std::make_shared<observe::WorkerMetrics>(upstreams)},
                                    .now = [this] { return play.now; }};
    Sources sources{.upstreams = [upstreams] { return upstreams; },
                    .metrics = {std::make_shared<observe::MetricsCollectable>(metrics)},
                    .phase = [this] { return phase; },
                    .now = [this] { return play.now; },
                    .wall = [this] { return play.wall; }};
    return Routes{sources, {}}.answer(request);
  }
  Answer get(std::string target) { return ask({.target = std::move(target), .host = "127.0.0.1:15000"}); }
  nlohmann::json json(std::string target) {
    auto const answer = get(std::move(target));
    EXPECT_EQ(answer.status, 200U);
    EXPECT_EQ(answer.content_type, "application/json");
    return nlohmann::json::parse(answer.body);
  }

  Play play;
  Phase phase = Phase::serving;
};

TEST_F(Admin, ServesMetricsAsPrometheusText) {
  auto const answer = get("/metrics");
  EXPECT_EQ(answer.status, 200U);
  EXPECT_EQ(answer.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(answer.body, HasSubstr("# TYPE candor_attempts_total counter\n"));
  EXPECT_THAT(answer.body, HasSubstr("candor_circuit_state{upstream=\"payments\",state=\"closed\"} 1\n"));
}

TEST_F(Admin, CompressesWhenAsked) {
  auto const plain = get("/metrics");
  auto const packed = ask({.target = "/metrics", .host = "localhost", .accept_encoding = "gzip"});
  EXPECT_THAT(packed.fields,
              ::testing::Contains(std::pair<std::string, std::string>{"Content-Encoding", "gzip"}));
  EXPECT_LT(packed.body.size(), plain.body.size() / 4);
  EXPECT_THAT(gunzip(packed.body), HasSubstr("candor_attempts_started_total"));
  EXPECT_THAT(plain.fields,
              Not(::testing::Contains(std::pair<std::string, std::string>{"Content-Encoding", "gzip"})));
}

TEST_F(Admin, TheProbesFollowTheSidecarsLifeAndNothingElse) {
  play.bad({}, FailureKind::connect, 0, 7);  // an open circuit is no reason to be taken out of service
  struct Expected {
    Phase phase;
    unsigned livez, startupz, readyz;
  };
  for (auto const& [now, livez, startupz, readyz] :
       {Expected{Phase::starting, 200, 503, 503}, Expected{Phase::serving, 200, 200, 200},
        Expected{Phase::draining, 200, 200, 503}}) {
    phase = now;
    EXPECT_EQ(get("/livez").status, livez);
    EXPECT_EQ(get("/startupz").status, startupz);
    EXPECT_EQ(get("/readyz").status, readyz);
  }
  EXPECT_EQ(get("/readyz").body, "draining\n");
}

TEST_F(Admin, ListsUpstreamsWithTheirNumbers) {
  play.good({}, 3);
  play.bad({.endpoint = 1}, FailureKind::timeout);
  auto const list = json("/api/v1/upstreams")["upstreams"];
  ASSERT_EQ(list.size(), 1U);
  auto const& payments = list[0];
  EXPECT_EQ(payments["name"], "payments");
  EXPECT_EQ(payments["time"], "2024-05-01T12:41:00.040Z");
  EXPECT_EQ(payments["circuit"]["state"], "closed");
  EXPECT_TRUE(payments["circuit"]["since"].is_null());
  EXPECT_EQ(payments["window"]["settled"], 4);
  EXPECT_EQ(payments["window"]["failure_ratio"], 0.25);
  EXPECT_EQ(payments["run"], 1);
  EXPECT_EQ(payments["ledger"]["failures"]["timeout"], 1);
  EXPECT_EQ(payments["budget_tokens"], 30.0);
}

TEST_F(Admin, AnUpstreamShowsItsLimitAndWhatIsInFlight) {
  auto const held = play.admit({});
  auto const payments = json("/api/v1/upstreams")["upstreams"][0];
  EXPECT_EQ(payments["limit"]["attempts"], 1024);
  EXPECT_EQ(payments["limit"]["in_use"], 1);
  EXPECT_TRUE(payments["limit"]["queued"].is_null());
  EXPECT_TRUE(payments["limit"]["usual_latency_seconds"].is_null());
  EXPECT_EQ(payments["limit"]["refusals"]["limit"], 0);
  EXPECT_TRUE(payments["throttle"].is_null());
}

TEST_F(Admin, OneUpstreamHasItsEndpointsLedgers) {
  play.good({}, 3);
  play.bad({.endpoint = 1}, FailureKind::timeout);
  auto const endpoints = json("/api/v1/upstreams/payments")["endpoints"];
  ASSERT_EQ(endpoints.size(), 2U);
  EXPECT_EQ(endpoints[0]["address"], "payments-1:8080");
  EXPECT_EQ(endpoints[0]["ledger"]["success"], 3);
  EXPECT_EQ(endpoints[1]["ledger"]["failure"], 1);
}

TEST_F(Admin, RoutesWithAccountsOfTheirOwnStandBesideTheSharedOne) {
  EXPECT_EQ(json("/api/v1/upstreams/payments")["routes"], nlohmann::json::array());
  play.split_off("charge");
  play.good({}, 3);
  play.good({.of_route = true}, 2);
  play.bad({.of_route = true}, FailureKind::timeout, 0, 7);
  auto const payments = json("/api/v1/upstreams/payments");
  EXPECT_EQ(payments["ledger"]["started"], 3);
  EXPECT_EQ(payments["circuit"]["state"], "closed");
  ASSERT_EQ(payments["routes"].size(), 1U);
  auto const& charge = payments["routes"][0];
  EXPECT_EQ(charge["name"], "charge");
  EXPECT_EQ(charge["circuit"]["state"], "open");
  EXPECT_EQ(charge["ledger"]["started"], 9);
  EXPECT_EQ(charge["endpoints"][0]["ledger"]["started"], 9);
  EXPECT_FALSE(charge.contains("budget_tokens")) << "it is the upstream's";
  EXPECT_EQ(json("/api/v1/upstreams")["upstreams"][0]["routes"][0]["circuit"]["state"], "open");
  EXPECT_EQ(json("/api/v1/upstreams/payments/evidence")["routes"][0]["transitions"].size(), 1U);
  auto const text = get("/api/v1/upstreams/payments/explain").body;
  EXPECT_THAT(text, StartsWith("payments: circuit CLOSED;"));
  EXPECT_THAT(text, ::testing::HasSubstr("\n\npayments (route charge): circuit OPEN;"));
}

TEST_F(Admin, AShadowStandsBesideWhatActs) {
  EXPECT_TRUE(json("/api/v1/upstreams/payments")["shadow"].is_null());
  auto shadow = as_a_shadow(play.upstream()->settings);
  shadow.breaker.trip = {.evidence = std::nullopt, .consecutive_failures = 2};
  shadow.retry.attempts = 1;
  play.watch_by(shadow);
  play.bad({}, FailureKind::reset, 0, 3);
  play.good({}, 2);
  auto const payments = json("/api/v1/upstreams/payments/evidence");
  EXPECT_EQ(payments["circuit"]["state"], "closed");
  EXPECT_EQ(payments["transitions"].size(), 0U);
  auto const& circuit = payments["shadow"]["circuit"];
  EXPECT_EQ(circuit["state"], "open");
  EXPECT_EQ(circuit["openings"], 1);
  EXPECT_EQ(circuit["would_have_refused"]["failure"], 1);
  EXPECT_EQ(circuit["would_have_refused"]["success"], 2);
  EXPECT_EQ(payments["shadow"]["transitions"][0]["rule"], "consecutive_failures");
  EXPECT_EQ(payments["shadow"]["retries"]["added"], 0);
  EXPECT_EQ(payments["shadow"]["retries"]["spared"]["attempts"], 0);
}

TEST_F(Admin, EvidenceHoldsTransitionsWithTheAttemptsBehindThem) {
  play.good({}, 63);
  play.bad({.method = "POST", .path = "/charge\xff", .endpoint = 1}, FailureKind::status, 503, 6);
  auto const evidence = json("/api/v1/upstreams/payments/evidence");
  EXPECT_EQ(evidence["circuit"]["state"], "open");
  EXPECT_EQ(evidence["circuit"]["generation"], 1);
  EXPECT_EQ(evidence["circuit"]["retry_after_seconds"], 0.1);
  ASSERT_EQ(evidence["transitions"].size(), 1U);
  auto const& opening = evidence["transitions"][0];
  EXPECT_EQ(opening["rule"], "evidence_run");
  EXPECT_EQ(opening["from"], "closed");
  EXPECT_EQ(opening["to"], "open");
  EXPECT_EQ(opening["run"], opening["value"]);
  EXPECT_THAT(opening["in_words"].get<std::string>(), StartsWith("A run of 6 failed attempts."));
  auto const& last = opening["attempts"].back();
  EXPECT_EQ(last["route"], "POST /charge\xef\xbf\xbd");
  EXPECT_EQ(last["endpoint"], "payments-2:8080");
  EXPECT_EQ(last["outcome"], "failure");
  EXPECT_EQ(last["kind"], "status");
  EXPECT_EQ(last["status"], 503);
  EXPECT_EQ(last["duration_seconds"], 0.01);
  EXPECT_EQ(last["age_seconds"], 0.0);
  EXPECT_EQ(evidence["recent_attempts"].size(), 69U);
}

TEST_F(Admin, AProbesTransitionHoldsTheProbeAlone) {
  play.bad({}, FailureKind::connect, 0, 7);
  play.pass(1s);
  play.bad({.path = "/probe"}, FailureKind::timeout);
  auto const transitions = json("/api/v1/upstreams/payments/evidence")["transitions"];
  ASSERT_EQ(transitions.size(), 3U);
  EXPECT_EQ(transitions[0]["attempts"].size(), 7U);
  EXPECT_EQ(transitions[1]["rule"], "window_elapsed");
  EXPECT_EQ(transitions[2]["rule"], "probe_failure");
  ASSERT_EQ(transitions[2]["attempts"].size(), 1U);
  EXPECT_EQ(transitions[2]["attempts"][0]["route"], "GET /probe");
  EXPECT_EQ(transitions[2]["attempts"][0]["probe"], true);
}

TEST_F(Admin, ExplainsInPlainText) {
  auto const answer = get("/api/v1/upstreams/payments/explain");
  EXPECT_EQ(answer.content_type, "text/plain; charset=utf-8");
  EXPECT_THAT(answer.body, StartsWith("payments: circuit CLOSED; it has not opened"));
}

TEST_F(Admin, NamesMayBePercentEncodedAndQueriesAreIgnored) {
  EXPECT_EQ(get("/api/v1/upstreams/p%61yments?pretty=1").status, 200U);
}

TEST_F(Admin, WhatIsNotThereIsAProblemThatSaysWhatIs) {
  auto const answer = get("/api/v1/upstreams/orders");
  EXPECT_EQ(answer.status, 404U);
  EXPECT_EQ(answer.content_type, "application/problem+json");
  auto const problem = nlohmann::json::parse(answer.body);
  EXPECT_EQ(problem["status"], 404);
  EXPECT_EQ(problem["detail"], "There is no upstream \"orders\"; there is: payments.");
  for (auto const* path :
       {"/nope", "/api/v1/upstreams/payments/nope", "/metrics/", "/api/v1/upstreamsx", "*"}) {
    EXPECT_EQ(get(path).status, 404U) << path;
  }
}

TEST_F(Admin, OnlyGetAndHeadAreTaken) {
  EXPECT_EQ(ask({.method = "HEAD", .target = "/livez", .host = "localhost"}).status, 200U);
  auto const answer = ask({.method = "POST", .target = "/livez", .host = "localhost"});
  EXPECT_EQ(answer.status, 405U);
  EXPECT_THAT(answer.fields, ::testing::Contains(std::pair<std::string, std::string>{"Allow", "GET, HEAD"}));
}

TEST_F(Admin, AStrangersNameIsTurnedAwayWithTheReason) {
  auto const answer = ask({.target = "/metrics", .host = "evil.example"});
  EXPECT_EQ(answer.status, 403U);
  EXPECT_THAT(answer.body, HasSubstr("DNS rebinding"));
  EXPECT_EQ(ask({.target = "/metrics"}).status, 400U);
  EXPECT_EQ(ask({.target = "/livez", .http_1_0 = true}).status, 200U);
}

TEST_F(Admin, TheIndexLinksWhatThereIs) {
  auto const answer = get("/");
  EXPECT_EQ(answer.content_type, "text/html; charset=utf-8");
  EXPECT_THAT(answer.body, HasSubstr("<a href=\"/api/v1/upstreams/payments/explain\">"));
}

}  // namespace
}  // namespace candor::admin
