// Tunnels: by CONNECT, and by a change of protocol.
#include <gtest/gtest.h>

#include "asked.hpp"

namespace candor::test {
namespace {

constexpr std::string_view asks =
    "GET /chat HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
constexpr std::string_view agrees =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-Y: z\r\n\r\n";
constexpr std::string_view asks_for_tunnel = "CONNECT test:443 HTTP/1.1\r\nHost: test:443\r\n\r\n";

ProxyOptions forward_proxy() { return with_listener({.mode = ListenerSettings::Mode::forward_proxy}); }

/// A caller of a forward proxy before an endpoint that the test plays.
struct AtForwardProxy {
  HandUpstream upstream{};
  Proxy proxy{upstream_of({upstream.address()}), forward_proxy()};
  SocketCaller caller{proxy.shared_caller()};
};

/// A caller and an endpoint at the two ends of a changed protocol.
struct Upgraded : Asked {
  explicit Upgraded(TimeoutSettings const& timeouts = {}) : Asked(asks, {.timeouts = timeouts}) {
    endpoint.send(agrees);
    answered = caller.read_head();
  }

  std::string answered{};  ///< its head, as the caller got it
};

bool says(std::string const& head, std::string_view line) {
  return head.find("\r\n" + std::string(line) + "\r\n") != std::string::npos;
}

TEST(Upgrading, CarriesBytesBothWaysUntilBothHaveEnded) {
  Upgraded tunnel;
  EXPECT_TRUE(says(tunnel.received, "Connection: upgrade") && says(tunnel.received, "Upgrade: websocket"));
  EXPECT_TRUE(tunnel.answered.starts_with("HTTP/1.1 101 "));
  EXPECT_TRUE(says(tunnel.answered, "Connection: upgrade") && says(tunnel.answered, "Upgrade: websocket"));
  EXPECT_TRUE(says(tunnel.answered, "X-Y: z"));
  tunnel.caller.send("ping");
  EXPECT_EQ(tunnel.endpoint.read_bytes(4), "ping");
  tunnel.endpoint.send("pong");
  EXPECT_EQ(tunnel.caller.read_bytes(4), "pong");

  tunnel.caller.half_close();
  EXPECT_TRUE(tunnel.endpoint.ended());
  tunnel.endpoint.send("still here");
  EXPECT_EQ(tunnel.caller.read_bytes(10), "still here");
  tunnel.endpoint.close();
  EXPECT_TRUE(tunnel.caller.ended());
  EXPECT_FALSE(tunnel.caller.was_reset());
  EXPECT_TRUE(eventually([&] { return tunnel.proxy.observer.count(RequestResult::answered) == 1; }));
}

TEST(Upgrading, TheEndpointMayEndFirst) {
  Upgraded tunnel;
  tunnel.endpoint.half_close();
  EXPECT_TRUE(tunnel.caller.ended());
  tunnel.caller.send("last words");
  EXPECT_EQ(tunnel.endpoint.read_bytes(10), "last words");
  tunnel.caller.half_close();
  EXPECT_TRUE(tunnel.endpoint.ended());
  EXPECT_FALSE(tunnel.endpoint.was_reset());
}

TEST(Upgrading, BytesSentAlongWithTheHeadsAreNotLost) {
  Asked asked{std::string(asks) + "early"};
  asked.endpoint.send(std::string(agrees) + "soon");
  asked.caller.read_head();
  EXPECT_EQ(asked.caller.read_bytes(4), "soon");
  EXPECT_EQ(asked.endpoint.read_bytes(5), "early");
}

TEST(Upgrading, MuchGoesBothWaysAtOnce) {
  Upgraded tunnel;
  std::string const much(3'000'000, 'm');
  std::thread sends_up{[&] { tunnel.caller.send(much); }};
  std::thread sends_down{[&] { tunnel.endpoint.send(much); }};
  std::string up;
  std::thread reads_up{[&] { up = tunnel.endpoint.read_bytes(much.size()); }};
  EXPECT_TRUE(tunnel.caller.read_bytes(much.size()) == much);
  for (auto* thread : {&sends_up, &sends_down, &reads_up}) thread->join();
  EXPECT_TRUE(up == much);
}

TEST(Upgrading, SettlesItsAttemptWithTheChange) {
  Upgraded tunnel;
  EXPECT_TRUE(eventually([&] { return tunnel.proxy.ledger().success == 1; }));
  EXPECT_EQ(tunnel.proxy.ledger().in_flight, 0U);
  tunnel.endpoint.reset();
  EXPECT_TRUE(tunnel.caller.ended());
  EXPECT_TRUE(tunnel.caller.was_reset());
  EXPECT_TRUE(eventually([&] { return tunnel.proxy.observer.count(RequestResult::broken) == 1; }));
  EXPECT_EQ(tunnel.proxy.health().late_breaks, 0U);
}

TEST(Upgrading, BreaksForTheEndpointWhenTheCallerBreaks) {
  Upgraded tunnel;
  tunnel.caller.reset();
  EXPECT_TRUE(tunnel.endpoint.ended());
  EXPECT_TRUE(tunnel.endpoint.was_reset());
}

TEST(Upgrading, BreaksForTheEndpointWhenTheServerStops) {
  Upgraded tunnel;
  tunnel.caller.send("a part");
  EXPECT_EQ(tunnel.endpoint.read_bytes(6), "a part");
  tunnel.proxy.server->stop();
  EXPECT_TRUE(tunnel.endpoint.ended());
  EXPECT_TRUE(tunnel.endpoint.was_reset());
  EXPECT_TRUE(tunnel.caller.ended());
  EXPECT_TRUE(tunnel.caller.was_reset());
}

TEST(Upgrading, EndsWhenNoByteComesEitherWay) {
  Upgraded tunnel{{.tunnel = 30ms}};
  EXPECT_TRUE(tunnel.caller.ended());
  EXPECT_TRUE(tunnel.endpoint.ended());
  EXPECT_TRUE(eventually([&] { return tunnel.proxy.observer.count(RequestResult::broken) == 1; }));
}

TEST(Upgrading, EndsSoonerOnceOneWayHasEnded) {
  Upgraded tunnel{{.idle = 30ms}};
  tunnel.caller.close();  // for us, it may only have ended its sending
  EXPECT_TRUE(tunnel.endpoint.ended());
  EXPECT_TRUE(eventually([&] { return tunnel.proxy.observer.disconnected == 1; }));
}

TEST(Upgrading, TellsACallersBreakFromAnEndpoints) {
  Upgraded tunnel;
  tunnel.caller.half_close();
  EXPECT_TRUE(tunnel.endpoint.ended());
  tunnel.caller.reset();
  EXPECT_TRUE(eventually([&] { return tunnel.proxy.observer.count(RequestResult::abandoned) == 1; }));
}

TEST(Upgrading, OutlivesTheIdleTimeoutOfBodies) {
  Upgraded tunnel{{.idle = 1ms}};
  // Other requests with their own timeouts take longer than that.
  auto other = tunnel.proxy.caller();
  other.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
  auto endpoint = tunnel.upstream.accept();
  endpoint.read_head();
  endpoint.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n");
  EXPECT_FALSE(other.read_answer().whole);
  tunnel.caller.send("ping");
  EXPECT_EQ(tunnel.endpoint.read_bytes(4), "ping");
}

TEST(Upgrading, ToAProtocolThatIsNotAllowedIsAskedForInVain) {
  Served served{[](Received const& request) { return answer(200, request.head); }};
  auto const answered =
      served.caller.get("/", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n");
  EXPECT_EQ(answered.status, 200U);
  EXPECT_EQ(answered.body.find("pgrade"), std::string::npos) << answered.body;
  EXPECT_EQ(answered.body.find("HTTP2"), std::string::npos) << answered.body;
}

TEST(Upgrading, MayBeDeclinedByAnOrdinaryAnswer) {
  Served served{[](Received const&) { return answer(426, "no", "Upgrade: x\r\nConnection: Upgrade\r\n"); }};
  EXPECT_EQ(ask(served.caller, asks).status, 426U);
  EXPECT_EQ(served.caller.get("/").status, 426U);
  EXPECT_EQ(served.upstream.connections(), 1U);
}

TEST(Upgrading, ToAnotherProtocolThanAskedForIsAFailure) {
  Served served{[](Received const&) {
    return raw("HTTP/1.1 101 Switching Protocols\r\nUpgrade: other\r\nConnection: Upgrade\r\n\r\nbytes");
  }};
  auto const answered = ask(served.caller, asks);
  EXPECT_EQ(answered.status, 502U);
  EXPECT_TRUE(answered.has("error=http_upgrade_failed")) << answered.head;
  ASSERT_TRUE(served.proxy.settles());
  EXPECT_EQ(failures(served.proxy.ledger(), FailureKind::protocol), served.proxy.ledger().failed());
}

TEST(Upgrading, WithoutBeingAskedIsAFailure) {
  Served served{[](Received const&) { return raw(std::string(agrees) + "bytes"); }};
  auto const answered = served.caller.get("/");
  EXPECT_EQ(answered.status, 502U);
  EXPECT_TRUE(answered.has("error=http_upgrade_failed")) << answered.head;
}

TEST(Upgrading, IsRetriedLikeAnyGet) {
  Asked asked{asks};
  asked.endpoint.send(busy);
  EXPECT_TRUE(says(asked.next_attempt(), "candor-attempt: 2"));
  asked.endpoint.send(agrees);
  EXPECT_TRUE(asked.caller.read_head().starts_with("HTTP/1.1 101 "));
}

TEST(Connecting, OpensATunnelToTheUpstream) {
  AtForwardProxy at;
  at.caller.send(asks_for_tunnel);
  auto endpoint = at.upstream.accept();
  auto const head = at.caller.read_head();
  EXPECT_TRUE(head.starts_with("HTTP/1.1 200 Connection established\r\n")) << head;
  for (auto const* field : {"Content-Length", "Transfer-Encoding", "Connection:"}) {
    EXPECT_EQ(head.find(field), std::string::npos) << head;
  }
  at.caller.send("\x16 hello");
  EXPECT_EQ(endpoint.read_bytes(7), "\x16 hello");
  endpoint.send("world");
  EXPECT_EQ(at.caller.read_bytes(5), "world");
  ASSERT_TRUE(at.proxy.settles());
  EXPECT_EQ(at.proxy.ledger().success, 1U);
}

/// The answer to a CONNECT of a caller of its own.
Answered ask_for_tunnel(Proxy const& proxy) {
  auto caller = proxy.shared_caller();
  return ask(caller, asks_for_tunnel);
}

TEST(Connecting, IsAnAttemptLikeAnyOther) {
  HeldPort const absent;
  auto settings = upstream_of({absent.address()});
  settings.breaker.trip = {.evidence = std::nullopt, .consecutive_failures = 3};
  settings.breaker.open.first = settings.breaker.open.cap = 1h;
  Proxy proxy{settings, forward_proxy()};
  auto const failed = ask_for_tunnel(proxy);
  EXPECT_EQ(failed.status, 502U);
  EXPECT_TRUE(failed.has("attempts=3")) << failed.head;
  // A run of failures counts once a second request is among them.
  EXPECT_TRUE(ask_for_tunnel(proxy).has("retries denied: circuit"));
  auto const refused = ask_for_tunnel(proxy);
  EXPECT_EQ(refused.status, 503U);
  EXPECT_TRUE(refused.has("circuit_open")) << refused.head;
  EXPECT_EQ(proxy.ledger().started, 4U);
}

TEST(Connecting, InVainTakesNothingElseFromTheConnection) {
  SocketUpstream well{[](Received const&) { return answer(200, "ok"); }};
  HeldPort const absent;
  auto ill = upstream_of({absent.address()});
  auto other = upstream_of({well.address()});
  other.name = "other";
  Proxy proxy{std::vector{ill, other}, forward_proxy()};
  auto caller = proxy.shared_caller();
  caller.send(std::string(asks_for_tunnel) + "GET /smuggled HTTP/1.1\r\nHost: other\r\n\r\n");
  auto const failed = caller.read_answer();
  EXPECT_EQ(failed.status, 502U);
  EXPECT_TRUE(failed.has("Connection: close")) << failed.head;
  EXPECT_TRUE(caller.ended());
  EXPECT_EQ(well.received(), 0U);
}

TEST(Connecting, ElsewhereThanToAnUpstreamIsRefused) {
  AtForwardProxy at;
  auto const answered = ask(at.caller, "CONNECT elsewhere:443 HTTP/1.1\r\nHost: elsewhere:443\r\n\r\n");
  EXPECT_EQ(answered.status, 421U);
  EXPECT_TRUE(answered.has("http_request_denied"));
}

TEST(Connecting, IsServedByForwardProxiesAlone) {
  AtForwardProxy at;
  auto caller = at.proxy.caller();
  EXPECT_EQ(ask(caller, asks_for_tunnel).status, 501U);
}

}  // namespace
}  // namespace candor::test
