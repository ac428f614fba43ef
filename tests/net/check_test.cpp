// Checks over real sockets: what is sent, what is a good answer, and how an endpoint comes back by them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "asked.hpp"
#include "support/hand_upstream.hpp"

namespace candor::test {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

/// Asks for /healthz each 20ms.
UpstreamSettings checked(std::vector<std::string> const& endpoints) {
  auto settings = upstream_of(endpoints);
  settings.check = CheckSettings{.path = "/healthz", .pace = {.every = 20ms, .timeout = 10s}};
  return settings;
}

CheckCounts checks(Proxy const& proxy, std::size_t endpoint = 0) {
  return proxy.health().endpoints[endpoint].checks;
}

/// Well, but for its health check as long as `ill` says so.
Reaction with_health(Received const& request, std::atomic<bool> const& ill) {
  if (request.target == "/healthz") return answer(ill ? 503 : 200, "");
  return answer(200, "ok");
}

TEST(Check, AsksWhatItIsToldOnAConnectionOfItsOwn) {
  std::mutex lock;
  std::string head;
  SocketUpstream upstream{[&](Received const& request) {
    std::lock_guard const held{lock};
    head = request.head;
    return answer(204, "");
  }};
  auto settings = checked({upstream.address()});
  settings.check->path = "/healthz?full=1";
  settings.check->method = CheckMethod::head;
  settings.check->host = "payments.example";
  Proxy const proxy{settings};
  ASSERT_TRUE(eventually([&] { return checks(proxy).good >= 2; }));
  std::lock_guard const held{lock};
  EXPECT_THAT(head, StartsWith("HEAD /healthz?full=1 HTTP/1.1\r\nHost: payments.example\r\n"));
  EXPECT_THAT(head, HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_EQ(proxy.ledger().started, 0U);
}

TEST(Check, AnEndpointThatTakesConnectionsButFailsItsCheckIsEjectedAndComesBackByIt) {
  std::atomic<bool> ill = true;
  SocketUpstream sick{[&](Received const& request) { return with_health(request, ill); }};
  SocketUpstream well{[&](Received const&) { return answer(200, "ok"); }};
  Proxy const proxy{checked({sick.address(), well.address()})};
  ASSERT_TRUE(eventually([&] { return proxy.health().endpoints[0].state == CircuitState::open; }));
  auto caller = proxy.caller();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(caller.get("/").status, 200U);
  EXPECT_EQ(proxy.health().endpoints[0].ledger.started, 0U);
  ill = false;
  ASSERT_TRUE(eventually([&] { return !proxy.health().endpoints[0].awaits_checks; }));
  EXPECT_EQ(caller.get("/").status, 200U);
  EXPECT_EQ(proxy.health().endpoints[0].ledger.started, 1U) << "the first request after that was its probe";
  EXPECT_NE(proxy.health().endpoints[0].state, CircuitState::open);
}

TEST(Check, TheUpstreamsOnlyEndpointFoundIllRefusesUntilItIsWell) {
  std::atomic<bool> ill = true;
  std::atomic<unsigned> asked = 0;
  SocketUpstream upstream{[&](Received const& request) {
    if (request.target == "/healthz") ++asked;
    return with_health(request, ill);
  }};
  Proxy proxy{checked({upstream.address()})};
  ASSERT_TRUE(eventually([&] { return proxy.health().state == CircuitState::open; }));
  auto caller = proxy.caller();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(caller.get("/").status, 503U);
  EXPECT_EQ(proxy.ledger().started, 0U);
  ill = false;
  ASSERT_TRUE(eventually([&] { return !proxy.health().awaits_checks; }));
  EXPECT_EQ(caller.get("/").status, 200U);
  proxy.server->stop();
  auto const counts = checks(proxy);
  EXPECT_LE(counts.good + counts.bad, asked) << "by the upstream's own count";
  EXPECT_GE(counts.good + counts.bad + counts.abandoned, asked);
  EXPECT_EQ(proxy.ledger().started, 1U);
}

TEST(Check, WithoutAPathAConnectionIsEnough) {
  HeldPort const nobody;
  SocketUpstream upstream{[](Received const&) { return reset(); }};
  auto settings = checked({upstream.address(), nobody.address()});
  settings.check->path.reset();
  Proxy const proxy{settings};
  // What is counted first is reported next.
  ASSERT_TRUE(eventually([&] {
    return checks(proxy).good >= 3 && checks(proxy, 1).bad >= 3 &&
           proxy.health().endpoints[1].standing == Standing::ill;
  }));
  EXPECT_EQ(upstream.received(), 0U);
}

TEST(Check, WhatIsNoGoodAnswerIsABadCheck) {
  for (auto const& reaction : {
           answer(500, ""),
           answer(404, ""),
           raw("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n"),
           raw("220 mail.example ESMTP\r\n"),
           raw("HTTP/1.1 200 OK\r\n", Reaction::Then::close),
           raw("HTTP/1.1 200 OK\r\nX: " + std::string(std::size_t{80} * 1024, 'x')),
           raw("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
           reset(),
       }) {
    SocketUpstream upstream{[&](Received const&) { return reaction; }};
    Proxy const proxy{checked({upstream.address()})};
    EXPECT_TRUE(eventually([&] { return checks(proxy).bad >= 1; })) << reaction.bytes.substr(0, 60);
    EXPECT_EQ(checks(proxy).good, 0U);
  }
}

TEST(Check, InterimAnswersAreNotTheAnswer) {
  SocketUpstream upstream{[](Received const&) {
    return raw(
        "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
  }};
  Proxy const proxy{checked({upstream.address()})};
  EXPECT_TRUE(eventually([&] { return checks(proxy).good >= 2; }));
  EXPECT_EQ(checks(proxy).bad, 0U);
}

TEST(Check, OneThatIsNotAnsweredInTimeIsBad) {
  SocketUpstream upstream{[](Received const&) { return hang(); }};
  auto settings = checked({upstream.address()});
  settings.check->pace.timeout = 30ms;
  Proxy const proxy{settings};
  EXPECT_TRUE(eventually([&] { return proxy.health().state == CircuitState::open; }));
}

TEST(Check, EndpointsThatComeAreCheckedAtOnceAndThoseThatHaveLeftNoMore) {
  std::atomic<unsigned> asked_of_leaving = 0;
  SocketUpstream leaving{[&](Received const&) {
    ++asked_of_leaving;
    return answer(200, "");
  }};
  SocketUpstream coming{[](Received const&) { return answer(200, ""); }};
  Proxy const proxy{checked({leaving.address()}), {.workers = 2}};
  ASSERT_TRUE(eventually([&] { return asked_of_leaving >= 2; }));
  auto const address = *Address::parse(coming.address());
  proxy.server->set_endpoints(0, {{.entry = {.settings = {coming.address()}}, .addresses = {address}}});
  ASSERT_TRUE(eventually([&] { return coming.received() >= 1; }));
  auto const asked = asked_of_leaving.load();
  ASSERT_TRUE(eventually([&] { return coming.received() >= 5; }));
  EXPECT_LE(asked_of_leaving, asked + 1) << "one may have been under way";
}

TEST(Check, OneWorkerMakesThemHoweverManyThereAre) {
  SocketUpstream upstream{[](Received const&) { return hang(); }};
  auto settings = checked({upstream.address()});
  settings.check->pace.timeout = 10min;
  Proxy proxy{settings, {.workers = 3}};
  ASSERT_TRUE(eventually([&] { return upstream.received() >= 1; }));
  proxy.server->stop();
  EXPECT_EQ(upstream.received(), 1U) << "the one that hangs is the only one";
  EXPECT_EQ(checks(proxy).abandoned, 1U) << "broken off by the end";
}

}  // namespace
}  // namespace candor::test
