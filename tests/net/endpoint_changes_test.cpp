// Endpoints that come and go under traffic, over sockets.
#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <thread>

#include "proxy_rig.hpp"
#include "support/hand_upstream.hpp"

namespace candor::test {
namespace {

PlacedEndpoint placed(std::string const& address) {
  return {.entry = {.settings = {address}, .source = "test"}, .addresses = {*Address::parse(address)}};
}

UpstreamSettings upstream_without_retries(std::vector<std::string> const& endpoints) {
  auto settings = upstream_of(endpoints);
  settings.retry.attempts = 1;
  return settings;
}

TEST(EndpointChanges, AHundredUnderTrafficFailNoRequest) {
  std::deque<SocketUpstream> ups;
  for (int i = 0; i < 4; ++i) ups.emplace_back([](Received const&) { return answer(200, "ok"); });
  Proxy proxy{upstream_without_retries({ups[0].address()}), {.workers = 2}};
  std::atomic<bool> over{false};
  std::atomic<unsigned> good{0};
  std::atomic<unsigned> bad{0};
  std::vector<std::jthread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      auto caller = proxy.caller();
      while (!over) ++(caller.get("/").status == 200 ? good : bad);
    });
  }
  for (std::size_t n = 1; n <= 100; ++n) {
    // One comes, one goes, and some stay; now and then there is but one.
    std::vector<PlacedEndpoint> wanted{placed(ups[n % 4].address())};
    if (n % 3 != 0) wanted.push_back(placed(ups[(n + 1) % 4].address()));
    proxy.server->set_endpoints(0, wanted);
    auto const enough = good + 20;
    ASSERT_TRUE(eventually([&] { return good + bad >= enough; }));
  }
  over = true;
  callers.clear();
  ASSERT_TRUE(proxy.settles());
  EXPECT_EQ(bad, 0U);
  auto const health = proxy.health();
  EXPECT_EQ(health.ledger.failed(), 0U);
  EXPECT_EQ(health.ledger.success, good);
  EXPECT_GT(health.departed.endpoints, 90U);
  unsigned received = 0;
  for (auto const& up : ups) received += up.received();
  EXPECT_EQ(received, health.ledger.started);
}

/// Two connections to an endpoint: one rests, and the other has half of its answer still to carry.
struct IdleAndBusy {
  IdleAndBusy(Proxy& proxy, HandUpstream& upstream)
      : one(proxy.caller()),
        idle(asked(one, "/idle", upstream)),
        two(proxy.caller()),
        busy(asked(two, "/busy", upstream)) {
    idle.read_head();
    busy.read_head();
    idle.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nidle");
    EXPECT_EQ(one.read_answer().body, "idle");
    busy.send("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nbusy");
    EXPECT_TRUE(two.is_being_answered());
  }

  static SocketCaller asked(SocketCaller& caller, std::string const& path, HandUpstream& upstream) {
    caller.send("GET " + path + " HTTP/1.1\r\nHost: test\r\n\r\n");
    return upstream.accept();
  }

  SocketCaller one;
  SocketCaller idle;
  SocketCaller two;
  SocketCaller busy;
};

TEST(EndpointChanges, TheIdleConnectionsOfOneThatLeftEndAtOnceAndTheBusyOnesWithTheirExchange) {
  HandUpstream leaving;
  SocketUpstream staying{[](Received const&) { return answer(200, "stays"); }};
  Proxy proxy{upstream_without_retries({leaving.address()})};
  IdleAndBusy held{proxy, leaving};

  proxy.server->set_endpoints(0, {placed(staying.address())});
  EXPECT_TRUE(held.idle.ended());
  EXPECT_EQ(proxy.caller().get("/").body, "stays");
  EXPECT_EQ(proxy.health().departed.ledger.in_flight, 1U);
  held.busy.send("body");
  EXPECT_EQ(held.two.read_answer().body, "busybody");
  EXPECT_TRUE(held.busy.ended()) << "nobody will use it again";
  ASSERT_TRUE(proxy.settles());
  EXPECT_EQ(proxy.health().departed.ledger.success, 2U);
  EXPECT_TRUE(eventually([&] { return proxy.observer.count(PoolEvent::closed) == 2U; }))
      << "what is left is the connection to the one that stays";
}

TEST(EndpointChanges, AConnectionToAnAddressThatItsEndpointHasNoLongerEndsAsThoseOfOneThatLeft) {
  HandUpstream before;
  SocketUpstream after{[](Received const&) { return answer(200, "after"); }};
  auto const at = [](std::vector<std::string> const& addresses) {
    PlacedEndpoint payments{.entry = {.settings = {"payments.test:80"}, .source = "test"}, .addresses = {}};
    for (auto const& address : addresses) payments.addresses.push_back(*Address::parse(address));
    return std::vector{payments};
  };
  Proxy proxy{upstream_without_retries({before.address()})};
  proxy.server->set_endpoints(0, at({before.address()}));
  IdleAndBusy held{proxy, before};

  proxy.server->set_endpoints(0, at({after.address()}));
  EXPECT_TRUE(held.idle.ended());
  held.busy.send("body");
  EXPECT_EQ(held.two.read_answer().body, "busybody");
  EXPECT_TRUE(held.busy.ended());
  EXPECT_EQ(held.two.get("/").body, "after");
  // Where it is still, its connections stay.
  proxy.server->set_endpoints(0, at({before.address(), after.address()}));
  proxy.server->set_endpoints(0, at({after.address()}));
  EXPECT_EQ(held.two.get("/").body, "after");
  EXPECT_EQ(after.connections(), 1U);
  EXPECT_EQ(proxy.health().departed.endpoints, 1U) << "it never left, whatever its address";
  EXPECT_EQ(proxy.ledger().failed(), 0U);
}

TEST(EndpointChanges, OneThatComesBackIsAnotherOne) {
  SocketUpstream first{[](Received const&) { return answer(200, "first"); }};
  SocketUpstream second{[](Received const&) { return answer(200, "second"); }};
  Proxy proxy{upstream_without_retries({first.address()})};
  auto caller = proxy.caller();
  EXPECT_EQ(caller.get("/").body, "first");
  proxy.server->set_endpoints(0, {placed(second.address())});
  EXPECT_EQ(caller.get("/").body, "second");
  proxy.server->set_endpoints(0, {placed(first.address())});
  EXPECT_EQ(caller.get("/").body, "first");
  EXPECT_EQ(first.connections(), 2U);
  EXPECT_EQ(proxy.health().endpoints.at(0).ledger.success, 1U);
}

TEST(EndpointChanges, WithoutAnyEndpointItSaysThatNoneIsKnown) {
  Proxy proxy{upstream_without_retries({"127.0.0.1:1"})};
  proxy.server->set_endpoints(0, {});
  auto const refused = proxy.caller().get("/");
  EXPECT_EQ(refused.status, 503U);
  EXPECT_TRUE(refused.has("error=destination_not_found; details=\"no_endpoint\"")) << refused.head;
  EXPECT_TRUE(refused.has("Retry-After: 1"));
  EXPECT_EQ(proxy.ledger().started, 0U);
}

}  // namespace
}  // namespace candor::test
