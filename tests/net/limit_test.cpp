// The limit over real sockets and several workers.
#include <gtest/gtest.h>

#include "asked.hpp"

namespace candor::test {
namespace {

TEST(Limit, SaysOnTheWireThatItRefusesAndWhy) {
  SocketUpstream upstream{[](Received const&) { return hang(); }};
  auto settings = upstream_of({upstream.address()});
  settings.limit = {.attempts = 1};
  Proxy proxy{settings};
  auto first = proxy.caller();
  first.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return upstream.received() == 1; }));
  auto second = proxy.caller();
  auto const refused = second.get("/");
  EXPECT_EQ(refused.status, 503U);
  EXPECT_TRUE(refused.has("Proxy-Status: candor; error=connection_limit_reached; details=\"limit\"\r\n"))
      << refused.head;
  EXPECT_TRUE(refused.has("Retry-After: 1\r\n")) << refused.head;
  EXPECT_TRUE(refused.has("candor-retry: refused\r\n")) << refused.head;
  EXPECT_TRUE(refused.has("application/problem+json")) << refused.head;
  first.close();
  ASSERT_TRUE(proxy.settles());
  EXPECT_EQ(upstream.received(), 1U);
}

TEST(Limit, WhoWaitsOnOneWorkerGoesWhenAnAttemptOfAnotherEnds) {
  constexpr std::size_t callers = 16;
  SocketUpstream upstream{
      [](Received const& request) { return request.number == 1 ? hang() : answer(200, "here"); }};
  auto settings = upstream_of({upstream.address()});
  settings.limit = {.attempts = 1, .queue = callers, .queue_timeout = 1min};
  settings.timeouts.request = 2min;
  settings.timeouts.attempt = 2min;
  ProxyOptions options;
  options.workers = 4;
  Proxy proxy{settings, options};
  auto first = proxy.caller();
  first.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return upstream.received() == 1; }));
  std::vector<SocketCaller> others;
  for (std::size_t i = 0; i < callers; ++i) {
    others.push_back(proxy.caller());
    others.back().send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
  }
  auto const& queue = *proxy.upstreams[0]->queue;
  ASSERT_TRUE(eventually([&] { return queue.snapshot().waiting == callers; }));
  EXPECT_EQ(upstream.received(), 1U);
  first.close();
  for (auto& caller : others) EXPECT_EQ(caller.read_answer().status, 200U);
  ASSERT_TRUE(proxy.settles());
  EXPECT_FALSE(queue.is_occupied());
  EXPECT_EQ(proxy.ledger().success, callers);
  EXPECT_EQ(upstream.received(), 1 + callers);
}

TEST(Limit, ACallerWhoHangsUpFreesItsPlace) {
  SocketUpstream upstream{[](Received const&) { return hang(); }};
  auto settings = upstream_of({upstream.address()});
  settings.limit = {.attempts = 1, .queue = 1, .queue_timeout = 1min};
  Proxy proxy{settings};
  auto first = proxy.caller();
  first.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return upstream.received() == 1; }));
  auto const& queue = *proxy.upstreams[0]->queue;
  {
    auto second = proxy.caller();
    second.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    ASSERT_TRUE(eventually([&] { return queue.snapshot().waiting == 1; }));
    EXPECT_TRUE(proxy.caller().get("/").has("details=\"queue_full\""));
  }
  EXPECT_TRUE(eventually([&] { return queue.snapshot().waiting == 0; }));
}

TEST(Limit, APoolWithoutRoomUsesUpNoProbe) {
  SocketUpstream upstream{
      [](Received const& request) { return request.number == 1 ? hang() : answer(200, "here"); }};
  ProxyOptions options;
  options.pool.connections = 1;
  Proxy proxy{upstream_of({upstream.address()}), options};
  auto& health = proxy.upstreams[0]->health;
  auto first = proxy.caller();
  first.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return upstream.received() == 1; }));
  health.hold(Hold::open, monotonic_now());
  health.hold(std::nullopt, monotonic_now());
  auto second = proxy.caller();
  EXPECT_TRUE(second.get("/").has("details=\"connections\""));
  EXPECT_EQ(health.state(), CircuitState::half_open);
  EXPECT_EQ(proxy.health().probes_in_flight, 0U);
  EXPECT_EQ(proxy.ledger().excluded, 1U);
  first.close();
  ASSERT_TRUE(proxy.settles());
  EXPECT_EQ(second.get("/").status, 200U);
  EXPECT_EQ(health.state(), CircuitState::ramping);
}

// An answer below 300 that counts as a failure: its upload would go on, and the retry has to wait.
TEST(Limit, ARetryThatWaitsStillHasTheBodyFromItsStart) {
  std::string const body(32'000, 'b');
  std::string const as_chunk = "7d00\r\n" + body + "\r\n0\r\n\r\n";
  for (bool const chunked : {false, true}) {
    HandUpstream upstream;
    auto settings = upstream_of({upstream.address()});
    settings.limit = {.attempts = 1, .queue = 2, .queue_timeout = 1min};
    settings.timeouts.request = 2min;
    settings.breaker.enabled = false;
    settings.classify.failure_statuses = {{202, 202}};
    settings.retry.on.statuses = {202};
    Proxy proxy{settings};
    auto const& queue = *proxy.upstreams[0]->queue;
    auto caller = proxy.caller();
    caller.send("PUT / HTTP/1.1\r\nHost: test\r\n");
    caller.send(chunked ? "Transfer-Encoding: chunked\r\n\r\n" : "Content-Length: 32000\r\n\r\n");
    auto const& bytes = chunked ? as_chunk : body;
    caller.send(bytes.substr(0, 2'000));
    auto first = upstream.accept();
    first.read_head();
    // Whoever waits already comes before the retry.
    auto other_caller = proxy.caller();
    other_caller.send("GET /other HTTP/1.1\r\nHost: test\r\n\r\n");
    ASSERT_TRUE(eventually([&] { return queue.snapshot().waiting == 1; }));
    first.send("HTTP/1.1 202 Early\r\nContent-Length: 2\r\n\r\n");
    auto other = upstream.accept();
    ASSERT_TRUE(other.read_head().starts_with("GET /other "));
    ASSERT_TRUE(eventually([&] { return queue.snapshot().waiting == 1; }));
    caller.send(bytes.substr(2'000, 10'000));
    auto refused = proxy.caller();
    refused.send("no request\r\n\r\n");
    EXPECT_EQ(refused.read_answer().status, 400U) << "the worker has seen what came before";
    other.send(busy);
    EXPECT_EQ(other_caller.read_answer().status, 503U);
    auto second = upstream.accept();
    ASSERT_TRUE(second.read_head().starts_with("PUT / "));
    caller.send(bytes.substr(12'000));
    auto const came = chunked ? second.read_chunked() : second.read_bytes(body.size());
    EXPECT_TRUE(came == body) << came.size();
    second.send(fine);
    EXPECT_EQ(caller.read_answer().status, 200U);
  }
}

TEST(Limit, StoppingEndsThoseThatWait) {
  SocketUpstream upstream{[](Received const&) { return hang(); }};
  auto settings = upstream_of({upstream.address()});
  settings.limit = {.attempts = 1, .queue = 100, .queue_timeout = 1min};
  ProxyOptions options;
  options.workers = 3;
  Proxy proxy{settings, options};
  std::vector<SocketCaller> callers;
  for (int i = 0; i < 9; ++i) {
    callers.push_back(proxy.caller());
    callers.back().send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
  }
  ASSERT_TRUE(eventually([&] { return proxy.upstreams[0]->queue->snapshot().waiting == 8; }));
  proxy.server->stop();
  EXPECT_EQ(proxy.upstreams[0]->queue->snapshot().waiting, 0U);
  EXPECT_EQ(proxy.ledger().in_flight, 0U);
}

}  // namespace
}  // namespace candor::test
