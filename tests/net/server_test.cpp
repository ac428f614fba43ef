// Starting, draining and ending.
#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "proxy_rig.hpp"

namespace candor::test {
namespace {

TEST(Server, NamesAPortThatIsInUse) {
  SocketUpstream upstream{[](Received const&) { return hang(); }};
  Proxy first{upstream_of({upstream.address()})};
  auto settings = upstream_of({upstream.address()});
  settings.listen = "127.0.0.1:" + std::to_string(first.server->port(0));
  for (unsigned const workers : {1U, 2U}) {
    try {
      ProxyOptions options;
      options.workers = workers;
      Proxy second{settings, options};
      FAIL() << "two proxies at one port";
    } catch (std::runtime_error const& error) {
      EXPECT_EQ(error.what(),
                "cannot listen on " + *settings.listen + " (upstream test): Address already in use");
    }
  }
}

TEST(Server, DrainsWhatIsInFlight) {
  std::promise<void> reached;
  SocketUpstream upstream{[&](Received const& request) {
    if (request.number == 1) return answer(200, "idle");
    reached.set_value();
    return raw("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab", Reaction::Then::hang);
  }};
  Proxy proxy{upstream_of({upstream.address()})};
  auto idle = proxy.caller();
  EXPECT_EQ(idle.get("/").status, 200U);
  auto busy = proxy.caller();
  busy.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
  reached.get_future().wait();
  EXPECT_NE(busy.read_bytes(1), "");
  std::promise<void> ended;
  proxy.server->drain([&] { ended.set_value(); });
  EXPECT_TRUE(idle.ended());
  EXPECT_TRUE(eventually([&] { return !proxy.caller().connected(); }));
  busy.close();
  ended.get_future().wait();
  EXPECT_EQ(proxy.ledger().in_flight, 0U);
}

TEST(Server, IsNotKeptFromEndingByEmptyLines) {
  SocketUpstream upstream{[](Received const&) { return answer(200, "done"); }};
  ProxyOptions options;
  options.drain_timeout = 1h;
  Proxy proxy{upstream_of({upstream.address()}), options};
  auto caller = proxy.caller();
  EXPECT_EQ(caller.get("/").status, 200U);
  std::atomic<bool> ended = false;
  proxy.server->drain([&] { ended = true; });
  EXPECT_TRUE(eventually([&] {
    caller.send("\r\n");
    return ended.load();
  }));
}

TEST(Server, EndsADrainWhenItsTimeIsUp) {
  SocketUpstream upstream{[](Received const&) { return hang(); }};
  ProxyOptions options;
  options.workers = 2;
  options.drain_timeout = 50ms;
  Proxy proxy{upstream_of({upstream.address()}), options};
  auto caller = proxy.caller();
  caller.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return upstream.received() == 1; }));
  std::promise<void> ended;
  proxy.server->drain([&] { ended.set_value(); });
  ended.get_future().wait();
  EXPECT_EQ(caller.read_answer().status, 0U);
  EXPECT_EQ(proxy.ledger().abandoned, 1U);
  EXPECT_EQ(proxy.ledger().in_flight, 0U);
}

TEST(Server, StopsAtOnceWithRequestsUnderWay) {
  SocketUpstream upstream{[](Received const&) { return hang(); }};
  Proxy proxy{upstream_of({upstream.address()})};
  auto caller = proxy.caller();
  caller.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return upstream.received() == 1; }));
  proxy.server->stop();
  EXPECT_EQ(proxy.ledger().in_flight, 0U);
  EXPECT_TRUE(proxy.ledger().balanced());
}

TEST(Server, CountsEveryAttemptWithEightWorkersOnOneUpstream) {
  SocketUpstream upstream{[](Received const& request) {
    if (request.number % 7 == 0) return reset();
    if (request.number % 5 == 0) return answer(503, "busy");
    return answer(200, request.target);
  }};
  ProxyOptions options;
  options.workers = 8;
  Proxy proxy{upstream_of({upstream.address()}), options};
  std::atomic<unsigned> mixed_up{0};
  {
    std::vector<std::jthread> callers;
    for (int c = 0; c < 8; ++c) {
      callers.emplace_back([&, c] {
        for (int i = 0; i < 60; ++i) {
          auto caller = proxy.caller();
          auto const path = "/" + std::to_string(c) + "/" + std::to_string(i);
          auto const answered = caller.get(path);
          if (answered.status == 200 && answered.body != path) ++mixed_up;
        }
      });
    }
  }
  ASSERT_TRUE(proxy.settles());
  EXPECT_EQ(mixed_up, 0U);
  EXPECT_EQ(proxy.ledger().started, upstream.received());
  EXPECT_EQ(proxy.observer.settled, upstream.received());
  EXPECT_TRUE(proxy.ledger().balanced());
}

}  // namespace
}  // namespace candor::test
