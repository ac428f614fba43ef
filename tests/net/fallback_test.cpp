// What callers see of fallbacks, and of hedges, over real sockets.
#include <gtest/gtest.h>

#include "asked.hpp"

namespace candor::test {
namespace {

UpstreamSettings with_fallback(std::string const& endpoint, FallbackSettings fallback) {
  auto settings = upstream_of({endpoint});
  settings.retry.backoff = {.base = 1ms, .cap = 2ms};
  settings.breaker.enabled = false;
  settings.fallback = std::move(fallback);
  return settings;
}

TEST(Fallback, AFixedAnswerSaysThatItIsOneAndKeepsTheConnection) {
  SocketUpstream upstream{[](Received const&) { return reset(); }};
  Proxy proxy{with_fallback(upstream.address(), {.status = 200, .headers = {{"x-a", "b"}}, .body = "sorry"})};
  auto caller = proxy.caller();
  for (int i = 0; i < 2; ++i) {
    auto const answered = caller.get("/");
    EXPECT_EQ(answered.status, 200U);
    EXPECT_EQ(answered.body, "sorry");
    EXPECT_TRUE(answered.has("HTTP/1.1 200 OK\r\n")) << answered.head;
    EXPECT_TRUE(answered.has("x-a: b\r\n")) << answered.head;
    EXPECT_TRUE(answered.has("candor-fallback: fixed\r\n")) << answered.head;
    EXPECT_TRUE(answered.has("candor-retry: exhausted\r\n")) << answered.head;
    EXPECT_TRUE(answered.has("Proxy-Status: candor; error=connection_terminated; ")) << answered.head;
    EXPECT_FALSE(answered.has("Connection: close")) << answered.head;
  }
  EXPECT_TRUE(eventually([&] { return proxy.observer.count(RequestResult::failed) == 2; }));
}

TEST(Fallback, AFixedAnswerGoesOutThoughTheTimeIsOver) {
  SocketUpstream upstream{[](Received const&) { return hang(); }};
  auto settings = with_fallback(upstream.address(), {.status = 202, .body = "later"});
  settings.timeouts.request = 50ms;
  Proxy proxy{settings};
  auto caller = proxy.caller();
  auto const answered = caller.get("/");
  EXPECT_EQ(answered.status, 202U);
  EXPECT_EQ(answered.body, "later");
  EXPECT_TRUE(answered.whole);
  EXPECT_EQ(caller.get("/").status, 202U) << "on the same connection";
}

TEST(Fallback, AStaleAnswerIsTheLastOneWhateverItsFraming) {
  SocketUpstream upstream{[](Received const& request) {
    if (request.target == "/chunked") {
      return raw(
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: a/b\r\n\r\n"
          "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
    }
    return answer(200, "plain", "Connection: x-hop\r\nx-hop: 1\r\nETag: \"e\"\r\n");
  }};
  Proxy proxy{with_fallback(upstream.address(), {.stale = StaleSettings{}})};
  auto caller = proxy.caller();
  EXPECT_EQ(caller.get("/chunked").body, "abcde");
  EXPECT_EQ(caller.get("/").body, "plain");
  upstream.stop();

  auto const chunked = caller.get("/chunked");
  EXPECT_EQ(chunked.status, 200U);
  EXPECT_EQ(chunked.body, "abcde");
  EXPECT_TRUE(chunked.has(" GMT\r\nContent-Length: 5\r\nAge: ")) << chunked.head;
  EXPECT_FALSE(chunked.has("Transfer-Encoding")) << chunked.head;
  EXPECT_TRUE(chunked.has("Cache-Status: candor; fwd=stale\r\n")) << chunked.head;
  EXPECT_TRUE(chunked.has("candor-fallback: stale\r\n")) << chunked.head;
  auto const plain = caller.get("/");
  EXPECT_EQ(plain.body, "plain");
  EXPECT_TRUE(plain.has("ETag: \"e\"\r\n")) << plain.head;
  EXPECT_FALSE(plain.has("x-hop")) << plain.head;
  EXPECT_EQ(caller.get("/never-seen").status, 502U);
}

TEST(Fallback, AnotherUpstreamAnswersWhateverTheSize) {
  std::string const large(300'000, 'x');
  SocketUpstream first{[](Received const&) { return reset(); }};
  SocketUpstream second{[&large](Received const& request) { return answer(200, request.body + large); }};
  auto other = upstream_of({second.address()});
  other.name = "other";
  Proxy proxy{{with_fallback(first.address(), {.upstream = "other"}), other}};
  auto caller = proxy.caller();
  for (int i = 0; i < 3; ++i) {
    auto const answered = caller.get("/");
    EXPECT_EQ(answered.status, 200U);
    EXPECT_TRUE(answered.body == large);
    EXPECT_TRUE(answered.has("candor-fallback: upstream\r\n")) << answered.head;
    EXPECT_FALSE(answered.has("candor-retry")) << answered.head;
  }
  ASSERT_TRUE(caller.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"));
  EXPECT_TRUE(caller.read_answer().body == "hello" + large) << "the body is sent again";
  EXPECT_TRUE(eventually([&] { return proxy.ledger(1).in_flight == 0; }));
  EXPECT_EQ(proxy.ledger(1).success, 4U);
  EXPECT_TRUE(eventually([&] { return proxy.observer.count(RequestResult::answered) == 4; }));
}

TEST(Fallback, AnAnswerOfAnotherUpstreamThatBreaksOffBreaksOff) {
  SocketUpstream first{[](Received const&) { return reset(); }};
  SocketUpstream second{[](Received const&) {
    return raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", Reaction::Then::close);
  }};
  auto other = upstream_of({second.address()});
  other.name = "other";
  Proxy proxy{{with_fallback(first.address(), {.upstream = "other"}), other}};
  auto caller = proxy.caller();
  EXPECT_FALSE(caller.get("/").whole);
  EXPECT_TRUE(eventually([&] { return proxy.ledger(1).failed() == 1; }));
}

TEST(Fallback, AnotherUpstreamHasTheBodyFromItsStartThoughTheFirstOneStillReads) {
  HandUpstream first;
  HandUpstream second;
  auto settings = with_fallback(first.address(), {.on = {FallbackOn::failing_answer}, .upstream = "other"});
  settings.retry.attempts = 1;
  settings.classify.failure_statuses = {{202, 202}};
  auto other = upstream_of({second.address()});
  other.name = "other";
  Proxy proxy{{settings, other}};
  auto caller = proxy.caller();
  InTwo const body;
  caller.send(body.head() + body.first);
  auto endpoint = first.accept();
  endpoint.read_head();
  ASSERT_TRUE(endpoint.read_bytes(body.first.size()) == body.first);
  endpoint.send("HTTP/1.1 202 Early\r\nContent-Length: 2\r\n\r\n");
  auto instead = second.accept();
  instead.read_head();
  caller.send(body.second);
  EXPECT_TRUE(instead.read_bytes(body.whole().size()) == body.whole());
  instead.send(fine);
  EXPECT_EQ(caller.read_answer().status, 200U);
}

TEST(Hedge, OverSocketsTheQuickerEndpointAnswersAndTheBooksBalance) {
  SocketUpstream stuck{[](Received const&) { return hang(); }};
  SocketUpstream quick{[](Received const& request) { return answer(200, request.body + "quick"); }};
  auto settings = upstream_of({stuck.address(), quick.address()});
  settings.retry.hedge = {.after = 5ms};
  settings.retry.budget = {.ratio = 1, .per_second = 100, .over = 10s};
  settings.breaker.enabled = false;
  Proxy proxy{settings};
  auto caller = proxy.caller();
  constexpr unsigned requests = 40;
  for (unsigned i = 0; i < requests; ++i) {
    if (i % 2 == 0) {
      EXPECT_EQ(caller.get("/").body, "quick");
    } else {
      ASSERT_TRUE(caller.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nbe "));
      EXPECT_EQ(caller.read_answer().body, "be quick");
    }
  }
  ASSERT_TRUE(proxy.settles());
  auto const ledger = proxy.ledger();
  EXPECT_TRUE(ledger.balanced());
  EXPECT_EQ(ledger.success, requests);
  EXPECT_GT(ledger.abandoned, 0U);
  EXPECT_EQ(ledger.started, quick.received() + stuck.received());
}

}  // namespace
}  // namespace candor::test
