// What is written loads back to the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support.hpp"

namespace candor::config::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A configuration in which no setting has its default.
Config unusual() {
  UpstreamSettings payments{.name = "pay.ments_1-x"};
  payments.listen = "[::1]:0";
  payments.hosts = {"a.internal", "10.1.2.3"};
  payments.endpoints = {{"[2001:db8::1]:80", 1000, 15}, {"payments-1.:65535", 2, 3}};
  payments.balance = {BalanceSettings::Policy::ring_hash, "X-Session", 90s};
  payments.host_header = "[::1]:8080";
  payments.timeouts = {1ns * 1'234'567, 90s, 12h, 61min, 168h};
  payments.timeouts.deadline_header = {"grpc-timeout", DeadlineFormat::grpc};
  payments.classify.failure_statuses = {{100, 199}, {500, 500}, {503, 599}};
  payments.retry.attempts = 7;
  payments.retry.on = {{FailureKind::status, FailureKind::tls}, {504, 500}};
  payments.retry.backoff = {1500us, 1ns * 1'500'001, BackoffSettings::Jitter::decorrelated};
  payments.retry.budget = {1.0 / 3.0, 1e-7, 1min, 0.75};
  payments.retry.replay = Replay::always;
  payments.retry.idempotency_keys = {"X-Key", "`odd|~"};
  payments.retry.replay_limit = Bytes{65537};
  payments.retry.hedge = {.after = 1234us, .quantile = 0.75};
  payments.breaker.enabled = false;
  payments.breaker.window = 150ms;
  payments.breaker.trip = {std::nullopt, 3, FailureRateSettings{0.25, 7}, SlowRateSettings{0.75, 8},
                           StrainRateSettings{1, 9}};
  payments.breaker.slow_after = 1ms;
  payments.breaker.open = {2s, 0, 3s, 0.5};
  payments.breaker.probe = {2, 3};
  payments.breaker.ramp = {1, 2.5, 0s, 0.125};
  payments.limit = {
      .attempts = 77, .adaptive = AdaptiveLimitSettings{3, 5, 2.5}, .queue = 9, .queue_timeout = 7ms};
  payments.throttle = ThrottleSettings{2.5, 90s, 0.75};
  payments.fallback = {.on = {FallbackOn::failing_answer, FallbackOn::refused},
                       .upstream = "true",
                       .stale = StaleSettings{.within = 90s, .bytes = 5_KiB},
                       .status = 503,
                       .content_type = "text/x; a=\"b\"",
                       .headers = {{"x-a", "1: 2 # 3"}},
                       .body = "two\nlines, \"quoted\", ${NOT} a variable\t\u00e9\n"};
  // A route that has another value in each of its parts.
  auto route = as_a_route(payments);
  route.match = {.methods = {"GET"}, .path_regex = "/[^'\"]*#"};
  route.name = "on";
  route.circuit = RouteCircuit::own;
  route.timeouts.request = 13h;
  route.classify.failure_statuses = {{500, 500}, {504, 504}};
  route.retry.attempts = 4;
  route.breaker.trip = {.evidence = EvidenceSettings{0.25}, .consecutive_failures = 4};
  route.breaker.window = 250ms;
  route.fallback = std::nullopt;
  auto other = as_a_route(payments);
  other.match = {.path_prefix = "/b"};
  other.shadow = as_a_shadow(other);
  other.shadow->retry.attempts = 20;
  payments.shadow = as_a_shadow(payments);
  payments.shadow->breaker.trip = {.evidence = EvidenceSettings{0.75},
                                   .strain_rate = StrainRateSettings{0.5, 7}};
  payments.shadow->retry.budget.ratio = 0.7;
  payments.routes = {route, other};
  UpstreamSettings search{.name = "true"};
  search.endpoints = {{"search-1:80"}};
  search.breaker.trip.consecutive_failures = 5;  // beside evidence, whose numbers are the default ones
  Config config;
  config.admin = {std::nullopt, {"ops.internal"}};
  config.listeners = {{.listen = "127.0.0.1:0"},
                      {.listen = "unix:/run/a b.sock",
                       .mode = ListenerSettings::Mode::forward_proxy,
                       .proxy_protocol = true,
                       .connections = 7,
                       .signposts = {{.match = {.hosts = {"x.y"},
                                                .methods = {"POST"},
                                                .path_prefix = "/a:b",
                                                .path_regex = R"(/a:b/[^"\\]+\.x)",
                                                .headers = {{"x-t", "gold # 1"}, {"x-u", std::nullopt}}},
                                      .upstream = "true"}}}};
  config.net.via = "candor-1";
  config.net.workers = 3;
  config.net.limits = {.head = 48_KiB,
                       .target = 64_B,
                       .fields = 7,
                       .body = 0_B,
                       .body_rate = 1_B,
                       .body_grace = 1ms,
                       .head_timeout = 1h,
                       .idle = 1ms,
                       .connections = 10};
  config.net.pool = {.idle = 0s, .per_endpoint = 0, .connections = 3};
  config.net.dns = {.least_ttl = 200ms,
                    .most_ttl = 24h,
                    .timeout = 10ms,
                    .servers = {"10.0.0.10:53", "[2001:db8::53]:5353"},
                    .addresses = DnsSettings::Addresses::both};
  config.net.drain_timeout = 0s;
  config.log.level = LogSettings::Level::error;
  config.access_log = {AccessLogSettings::Mode::all, 1e-3, "/var/log/it's \"${NOT}\" $$ {a}: b # c", 1};
  config.upstreams = {payments, search};
  return config;
}

void expect_same(Config const& a, Config const& b) {
  EXPECT_EQ(a.admin.listen, b.admin.listen);
  EXPECT_EQ(a.admin.hosts, b.admin.hosts);
  ASSERT_EQ(a.listeners.size(), b.listeners.size());
  for (std::size_t i = 0; i < a.listeners.size(); ++i)
    EXPECT_EQ(a.listeners[i].listen, b.listeners[i].listen);
  EXPECT_EQ(a.net.workers, b.net.workers);
  EXPECT_EQ(a.net.drain_timeout, b.net.drain_timeout);
  EXPECT_EQ(a.net.limits.head, b.net.limits.head);
  EXPECT_EQ(a.net.limits.target, b.net.limits.target);
  EXPECT_EQ(a.net.limits.fields, b.net.limits.fields);
  EXPECT_EQ(a.net.limits.body, b.net.limits.body);
  EXPECT_EQ(a.net.limits.head_timeout, b.net.limits.head_timeout);
  EXPECT_EQ(a.net.limits.idle, b.net.limits.idle);
  EXPECT_EQ(a.net.limits.connections, b.net.limits.connections);
  EXPECT_EQ(a.net.pool.idle, b.net.pool.idle);
  EXPECT_EQ(a.net.pool.per_endpoint, b.net.pool.per_endpoint);
  EXPECT_EQ(a.net.dns.refresh, b.net.dns.refresh);
  EXPECT_EQ(a.net.dns.least_ttl, b.net.dns.least_ttl);
  EXPECT_EQ(a.net.dns.most_ttl, b.net.dns.most_ttl);
  EXPECT_EQ(a.net.dns.timeout, b.net.dns.timeout);
  EXPECT_EQ(a.net.dns.servers, b.net.dns.servers);
  EXPECT_EQ(a.net.dns.addresses, b.net.dns.addresses);
  EXPECT_EQ(a.log.level, b.log.level);
  EXPECT_EQ(a.access_log.mode, b.access_log.mode);
  EXPECT_EQ(a.access_log.sample, b.access_log.sample);
  EXPECT_EQ(a.access_log.path, b.access_log.path);
  EXPECT_EQ(a.access_log.queue, b.access_log.queue);
}

void expect_same(UpstreamSettings const& a, UpstreamSettings const& b) {
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.listen, b.listen);
  EXPECT_EQ(a.hosts, b.hosts);
  ASSERT_EQ(a.endpoints.size(), b.endpoints.size());
  for (std::size_t i = 0; i < a.endpoints.size(); ++i) {
    EXPECT_EQ(a.endpoints[i].address, b.endpoints[i].address);
    EXPECT_EQ(a.endpoints[i].weight, b.endpoints[i].weight);
    EXPECT_EQ(a.endpoints[i].priority, b.endpoints[i].priority);
  }
  EXPECT_EQ(a.balance.policy, b.balance.policy);
  EXPECT_EQ(a.balance.hash_header, b.balance.hash_header);
  EXPECT_EQ(a.balance.ramp, b.balance.ramp);
  EXPECT_EQ(a.host_header, b.host_header);
  EXPECT_EQ(a.timeouts.connect, b.timeouts.connect);
  EXPECT_EQ(a.timeouts.attempt, b.timeouts.attempt);
  EXPECT_EQ(a.timeouts.request, b.timeouts.request);
  EXPECT_EQ(a.timeouts.idle, b.timeouts.idle);
  EXPECT_EQ(a.timeouts.total, b.timeouts.total);
  EXPECT_EQ(a.classify.failure_statuses, b.classify.failure_statuses);
}

void expect_same(RetrySettings const& a, RetrySettings const& b) {
  EXPECT_EQ(a.attempts, b.attempts);
  EXPECT_EQ(a.on.kinds, b.on.kinds);
  EXPECT_EQ(a.on.statuses, b.on.statuses);
  EXPECT_EQ(a.backoff.base, b.backoff.base);
  EXPECT_EQ(a.backoff.cap, b.backoff.cap);
  EXPECT_EQ(a.backoff.jitter, b.backoff.jitter);
  EXPECT_EQ(a.budget.ratio, b.budget.ratio);
  EXPECT_EQ(a.budget.per_second, b.budget.per_second);
  EXPECT_EQ(a.budget.over, b.budget.over);
  EXPECT_EQ(a.budget.stretch, b.budget.stretch);
  EXPECT_EQ(a.replay, b.replay);
  EXPECT_EQ(a.idempotency_keys, b.idempotency_keys);
  EXPECT_EQ(a.replay_limit, b.replay_limit);
}

void expect_same(BreakerSettings const& a, BreakerSettings const& b) {
  EXPECT_EQ(a.enabled, b.enabled);
  EXPECT_EQ(a.window, b.window);
  EXPECT_EQ(a.trip, b.trip);
  EXPECT_EQ(a.slow_after, b.slow_after);
  EXPECT_EQ(a.open.first, b.open.first);
  EXPECT_EQ(a.open.patience, b.open.patience);
  EXPECT_EQ(a.open.cap, b.open.cap);
  EXPECT_EQ(a.open.jitter, b.open.jitter);
  EXPECT_EQ(a.probe.in_flight, b.probe.in_flight);
  EXPECT_EQ(a.probe.successes, b.probe.successes);
  EXPECT_EQ(a.ramp.from, b.ramp.from);
  EXPECT_EQ(a.ramp.over, b.ramp.over);
  EXPECT_EQ(a.ramp.cap, b.ramp.cap);
  EXPECT_EQ(a.ramp.floor_per_second, b.ramp.floor_per_second);
}

void expect_same(std::optional<ShadowSettings> const& a, std::optional<ShadowSettings> const& b) {
  ASSERT_EQ(a.has_value(), b.has_value());
  if (!a) return;
  EXPECT_EQ(a->retry, b->retry);
  EXPECT_EQ(a->breaker, b->breaker);
}

void expect_same(RouteSettings const& a, RouteSettings const& b) {
  EXPECT_EQ(a.match, b.match);
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.circuit, b.circuit);
  EXPECT_EQ(a.timeouts.request, b.timeouts.request);
  EXPECT_EQ(a.classify.failure_statuses, b.classify.failure_statuses);
  expect_same(a.retry, b.retry);
  expect_same(a.breaker, b.breaker);
  EXPECT_EQ(a.fallback.has_value(), b.fallback.has_value());
  expect_same(a.shadow, b.shadow);
}

void expect_all_same(Config const& a, Config const& b) {
  expect_same(a, b);
  ASSERT_EQ(a.upstreams.size(), b.upstreams.size());
  for (std::size_t i = 0; i < a.upstreams.size(); ++i) {
    expect_same(a.upstreams[i], b.upstreams[i]);
    expect_same(a.upstreams[i].retry, b.upstreams[i].retry);
    expect_same(a.upstreams[i].breaker, b.upstreams[i].breaker);
    expect_same(a.upstreams[i].shadow, b.upstreams[i].shadow);
    ASSERT_EQ(a.upstreams[i].routes.size(), b.upstreams[i].routes.size());
    for (std::size_t k = 0; k < a.upstreams[i].routes.size(); ++k) {
      expect_same(a.upstreams[i].routes[k], b.upstreams[i].routes[k]);
    }
  }
}

TEST(Effective, LoadsBackToTheSameSettings) {
  auto const before = unusual();
  auto const after = config(effective(before));
  expect_all_same(before, after);
  EXPECT_EQ(effective(after), effective(before));
}

TEST(Effective, JsonLoadsBackToTheSameSettings) {
  auto const before = unusual();
  auto const after = config(effective_json(before));
  expect_all_same(before, after);
  EXPECT_EQ(effective_json(after), effective_json(before));
}

TEST(Effective, ARefreshLoadsBackBesideTheBoundsThatItReplaces) {
  auto before = unusual();
  before.net.dns = {.refresh = 100ms};
  expect_all_same(before, config(effective(before)));
  expect_all_same(before, config(effective_json(before)));
}

TEST(Effective, EveryDefaultIsWithinItsRange) {
  auto const before = config(with_upstream(""));
  expect_all_same(before, config(effective(before)));
}

TEST(Effective, SaysWhatTheFileWasSilentAbout) {
  auto const text = effective(config(with_upstream("")));
  EXPECT_THAT(text, HasSubstr("\n      request: 15s\n"));
  EXPECT_THAT(text, HasSubstr("\n      failure_statuses: [500, \"502-599\"]\n"));
  EXPECT_THAT(text, HasSubstr("\nadmin:\n  listen: 127.0.0.1:15000\n"));
  EXPECT_THAT(text, HasSubstr("\nworkers: null\n"));
}

TEST(Effective, IsYamlTheSameForOlderReaders) {
  auto const text = effective(config(with_upstream("")));
  EXPECT_THAT(text, HasSubstr("  mode: \"off\"\n")) << "off is a boolean in YAML 1.1";
  EXPECT_THAT(text, HasSubstr("      \"on\": [connect")) << "on, too";
  EXPECT_THAT(text, HasSubstr("false_trip: 1.0e-07")) << "1e-07 is a string there";
}

}  // namespace
}  // namespace candor::config::test
