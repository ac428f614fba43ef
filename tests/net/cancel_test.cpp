// Cancelling on real timers and sockets, through all layers: the same cases as on virtual time in the tests
// of the proxy's layers. And the permit that rides on a body.
#include <gtest/gtest.h>

#include "proxy_rig.hpp"

namespace candor::test {
namespace {

/// Whose first attempt fails, and whose retry waits for ever, as far as a test can see.
UpstreamSettings waiting_for_its_retry(SocketUpstream const& upstream) {
  auto settings = upstream_of({upstream.address()});
  settings.retry.backoff.base = settings.retry.backoff.cap = 600s;
  settings.retry.backoff.jitter = BackoffSettings::Jitter::none;
  settings.timeouts.request = 1200s;
  return settings;
}

constexpr auto dead = [](Received const&) { return answer(503, "dead"); };

TEST(Cancel, ACallerWhoLeavesEndsTheWaitForARetry) {
  SocketUpstream upstream{dead};
  Proxy proxy{waiting_for_its_retry(upstream)};
  auto caller = proxy.caller();
  caller.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return proxy.ledger().failed() == 1; }));
  caller.close();
  ASSERT_TRUE(eventually([&] { return proxy.observer.count(RequestResult::abandoned) == 1; }));
  ASSERT_TRUE(eventually([&] { return proxy.observer.disconnected == 1; }));
  EXPECT_EQ(upstream.received(), 1U);
}

TEST(Cancel, TheDeadlineEndsAnAttempt) {
  SocketUpstream upstream{[](Received const&) { return hang(); }};
  auto settings = upstream_of({upstream.address()});
  settings.timeouts.request = 50ms;
  Proxy proxy{settings};
  auto const answered = proxy.caller().get("/");
  EXPECT_EQ(answered.status, 504U);
  EXPECT_TRUE(answered.has("details=\"deadline\"")) << answered.head;
  ASSERT_TRUE(proxy.settles());
  EXPECT_EQ(proxy.ledger().failures[static_cast<std::size_t>(FailureKind::timeout)], 1U);
}

TEST(Cancel, AnOpeningCircuitEndsTheWaitForARetry) {
  SocketUpstream upstream{dead};
  auto settings = waiting_for_its_retry(upstream);
  settings.breaker.trip = {.evidence = std::nullopt, .consecutive_failures = 2};
  ProxyOptions options;
  options.workers = 2;
  Proxy proxy{settings, options};
  auto first = proxy.caller();
  first.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return proxy.ledger().failed() == 1; }));
  auto second = proxy.caller();
  EXPECT_EQ(second.get("/").status, 503U);
  EXPECT_EQ(first.read_answer().status, 503U);
  EXPECT_EQ(upstream.received(), 2U);
}

TEST(Cancel, ACallerWhoLeavesInMidBodyAbandonsTheAttempt) {
  SocketUpstream upstream{[](Received const&) {
    return raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", Reaction::Then::hang);
  }};
  Proxy proxy{upstream_of({upstream.address()})};
  // A second after the head the attempt would count as a success: should the machine stand still for so long
  // between two lines of this test, the next go tells.
  for (int go = 0; go < 10 && proxy.ledger().abandoned == 0; ++go) {
    auto caller = proxy.caller();
    caller.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    EXPECT_NE(caller.read_bytes(1), "");
    caller.close();
    ASSERT_TRUE(proxy.settles());
  }
  EXPECT_EQ(proxy.ledger().abandoned, 1U);
  EXPECT_EQ(proxy.ledger().failed(), 0U);
}

TEST(Cancel, ABodyThatStreamsOnHoldsNoAccountOpen) {
  SocketUpstream upstream{[](Received const&) {
    return raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n", Reaction::Then::hang);
  }};
  Proxy proxy{upstream_of({upstream.address()})};
  auto caller = proxy.caller();
  caller.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return proxy.ledger().success == 1; }));
  // What breaks off now is told apart: its attempt has had its verdict.
  upstream.stop();
  EXPECT_FALSE(caller.read_answer().whole);
  EXPECT_EQ(proxy.health().late_breaks, 1U);
  EXPECT_EQ(proxy.ledger().failed(), 0U);
  EXPECT_TRUE(proxy.ledger().balanced());
}

}  // namespace
}  // namespace candor::test
