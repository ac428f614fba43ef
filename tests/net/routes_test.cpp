// Routes of one upstream, over real sockets: what its own count says, and what the ledgers of its accounts
// do.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "proxy_rig.hpp"

namespace candor::test {
namespace {

/// Three routes beside the upstream's own: two with circuits of their own, one of which is for a path that
/// fails.
UpstreamSettings with_routes(SocketUpstream const& upstream) {
  auto settings = upstream_of({upstream.address()});
  settings.retry.backoff = {.base = 1ms, .cap = 2ms};
  auto const route = [&settings](std::string prefix, RouteCircuit circuit) {
    auto each = as_a_route(settings);
    each.match.path_prefix = std::move(prefix);
    each.circuit = circuit;
    return each;
  };
  settings.routes = {route("/poisoned", RouteCircuit::own), route("/search", RouteCircuit::shared),
                     route("/charge", RouteCircuit::own)};
  settings.routes[2].retry.attempts = 1;
  return settings;
}

TEST(Routes, AllLedgersTogetherHoldWhatTheUpstreamCounted) {
  std::atomic<std::uint64_t> seen{0};
  SocketUpstream upstream{[&seen](Received const& request) {
    ++seen;
    return answer(request.target == "/poisoned" ? 500 : 200, "x");
  }};
  Proxy proxy{with_routes(upstream), {.workers = 2}};
  std::atomic<unsigned> good{0};
  std::vector<std::thread> callers;
  for (int t = 0; t < 4; ++t) {
    callers.emplace_back([&proxy, &good] {
      for (int i = 0; i < 50; ++i) {
        for (auto const* path : {"/poisoned", "/search", "/charge", "/"}) {
          auto caller = proxy.caller();
          if (caller.get(path).status == 200) ++good;
        }
      }
    });
  }
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(good, 600U) << "the others notice nothing";

  auto const sum = [&proxy] {
    Ledger ledger;
    proxy.upstreams[0]->each_account(
        [&ledger](Route const& account) { ledger += account.health.snapshot(monotonic_now()).ledger; });
    return ledger;
  };
  ASSERT_TRUE(eventually([&sum] { return sum().in_flight == 0; }));
  EXPECT_TRUE(sum().balanced());
  EXPECT_EQ(sum().started, seen);
  auto const& routes = proxy.upstreams[0]->routes();
  EXPECT_EQ(routes[0].health.snapshot(monotonic_now()).ledger.success, 400U);
  EXPECT_EQ(routes[3].health.snapshot(monotonic_now()).ledger.success, 200U);
  auto const poisoned = routes[1].health.snapshot(monotonic_now());
  EXPECT_NE(poisoned.state, CircuitState::closed);
  EXPECT_EQ(poisoned.ledger.success, 0U);
  EXPECT_GT(poisoned.refusals, 0U);
}

TEST(Routes, AWaitingRetryEndsWithItsOwnCircuitOnly) {
  SocketUpstream upstream{[](Received const&) { return answer(500, "x"); }};
  auto settings = with_routes(upstream);
  for (auto& route : settings.routes) {
    route.retry.on.statuses = {500};
    route.retry.backoff = {10s, 10s, BackoffSettings::Jitter::none};
    route.breaker.trip = {.evidence = std::nullopt, .consecutive_failures = 2};
  }
  Proxy proxy{settings};
  auto waiting = proxy.caller();
  waiting.send("GET /poisoned HTTP/1.1\r\nHost: a\r\n\r\n");
  auto const failed = [&proxy] {
    return proxy.upstreams[0]->routes()[1].health.snapshot(monotonic_now()).ledger.failed();
  };
  ASSERT_TRUE(eventually([&] { return failed() == 1; }));
  auto other = proxy.caller();
  other.send("GET /poisoned HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(waiting.read_answer().status, 500U) << "long before its wait is over";
  EXPECT_EQ(other.read_answer().status, 500U);
}

}  // namespace
}  // namespace candor::test
