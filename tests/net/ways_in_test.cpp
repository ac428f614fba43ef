// The ways in: shared ports and their routes, forward proxies, Unix domain sockets, PROXY protocol, bounds.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "proxy_rig.hpp"
#include "support/folder.hpp"
#include "support/hand_upstream.hpp"

namespace candor::test {
namespace {

SocketUpstream::Behaviour saying(std::string name) {
  return [name](Received const& request) {
    return answer(200, name + " " + request.target + "\n" + request.head);
  };
}

std::string request(std::string const& target, std::string const& host, std::string const& fields = {}) {
  return "GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\n" + fields + "\r\n";
}

Answered ask(SocketCaller& caller, std::string const& request_bytes) {
  caller.send(request_bytes);
  return caller.read_answer();
}

ProxyOptions shared(ListenerSettings listener) {
  ProxyOptions options;
  listener.listen = "127.0.0.1:0";
  options.shared.push_back(std::move(listener));
  return options;
}
constexpr auto forward_proxy = ListenerSettings::Mode::forward_proxy;

TEST(SharedPort, RoutesByWhatARequestLooksLikeBeforeItsHost) {
  SocketUpstream one{saying("one")};
  SocketUpstream two{saying("two")};
  auto first = upstream_of({one.address()});
  auto second = upstream_of({two.address()});
  first.name = "one";
  second.name = "two";
  auto const options = shared(
      {.routes = {{.match = {.path_prefix = "/two", .headers = {{"x-t", "gold"}}}, .upstream = "two"}}});
  Proxy proxy{std::vector{first, second}, options};
  auto caller = proxy.shared_caller();
  EXPECT_TRUE(ask(caller, request("/two/x", "one")).body.starts_with("one /two/x\n"));
  EXPECT_TRUE(ask(caller, request("/two/x", "one", "X-T: gold\r\n")).body.starts_with("two /two/x\n"));
  EXPECT_TRUE(ask(caller, request("/twofold", "one", "X-T: gold\r\n")).body.starts_with("one /twofold\n"));
  EXPECT_EQ(ask(caller, request("/", "nobody")).status, 421U);
}

TEST(ForwardProxy, TakesTheTargetsOriginAndPassesOnItsPath) {
  SocketUpstream upstream{saying("it")};
  Proxy proxy{upstream_of({upstream.address()}), shared({.mode = forward_proxy})};
  auto caller = proxy.shared_caller();
  auto const answered =
      ask(caller, request("http://test:8080/a?b", "other", "Proxy-Connection: keep-alive\r\n"));
  EXPECT_TRUE(answered.body.starts_with("it /a?b\n")) << answered.body;
  EXPECT_NE(answered.body.find("\r\nHost: test:8080\r\n"), std::string::npos) << answered.body;
  EXPECT_EQ(answered.body.find("Proxy-Connection"), std::string::npos);
  EXPECT_TRUE(answered.has("Via: 1.1 candor-test\r\n")) << answered.head;
  EXPECT_NE(answered.body.find("Via: 1.1 candor-test\r\n"), std::string::npos) << answered.body;
}

TEST(ForwardProxy, IsNoOpenProxy) {
  SocketUpstream upstream{saying("it")};
  Proxy proxy{upstream_of({upstream.address()}), shared({.mode = forward_proxy})};
  auto caller = proxy.shared_caller();
  EXPECT_EQ(ask(caller, request("http://" + upstream.address() + "/", "test")).status, 421U);
  auto another = proxy.shared_caller();
  EXPECT_EQ(ask(another, request("http://test.evil/", "test")).status, 421U);
  EXPECT_EQ(upstream.received(), 0U);
}

TEST(ForwardProxy, CarriesNothingInTheClearThatWasAskedForByHttps) {
  SocketUpstream upstream{saying("it")};
  Proxy proxy{upstream_of({upstream.address()}), shared({.mode = forward_proxy})};
  auto caller = proxy.shared_caller();
  EXPECT_EQ(ask(caller, request("HTTPS://test/", "test")).status, 421U);
  EXPECT_EQ(upstream.received(), 0U);
}

TEST(Loops, AreKnownByVia) {
  SocketUpstream upstream{saying("it")};
  Proxy proxy{upstream_of({upstream.address()})};
  auto caller = proxy.caller();
  EXPECT_EQ(ask(caller, request("/", "test", "Via: 1.1 other\r\n")).status, 200U);
  auto const answered = ask(caller, request("/", "test", "Via: 1.1 a, 1.1 candor-test\r\n"));
  EXPECT_EQ(answered.status, 508U);
  EXPECT_TRUE(answered.has("error=proxy_loop_detected")) << answered.head;
  EXPECT_EQ(upstream.received(), 1U);
}

TEST(UnixSocket, ServesCallersOnEveryWorker) {
  SocketUpstream upstream{saying("it")};
  Folder const folder;
  auto settings = upstream_of({upstream.address()});
  settings.listen = "unix:" + folder.path("in");
  ProxyOptions options;
  options.workers = 3;
  Proxy proxy{settings, options};
  std::vector<SocketCaller> callers;
  for (int i = 0; i < 50; ++i) callers.emplace_back(*Address::parse(*settings.listen));
  for (auto& caller : callers) EXPECT_EQ(caller.get("/").status, 200U);
  EXPECT_EQ(upstream.received(), 50U);
}

TEST(UnixSocket, LeadsToAnEndpoint) {
  Folder const folder;
  auto const address = "unix:" + folder.path("out");
  HandUpstream upstream{*Address::parse(address)};
  Proxy proxy{upstream_of({address})};
  auto caller = proxy.caller();
  caller.send(request("/", "test"));
  auto endpoint = upstream.accept();
  EXPECT_TRUE(endpoint.read_head().starts_with("GET / HTTP/1.1\r\nHost: test\r\n"));
  endpoint.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(caller.read_answer().status, 200U);
}

TEST(UnixSocket, ThatIsNotThereIsARefusedConnection) {
  Folder const folder;
  Proxy proxy{upstream_of({"unix:" + folder.path("out")})};
  EXPECT_EQ(proxy.caller().get("/").status, 502U);
  EXPECT_EQ(proxy.ledger().failures[static_cast<std::size_t>(FailureKind::connect)], proxy.ledger().started);
}

TEST(UnixSocket, TakesItsFileAwayAtTheEndAndReplacesOneLeftBehind) {
  SocketUpstream upstream{saying("it")};
  Folder const folder;
  auto settings = upstream_of({upstream.address()});
  settings.listen = "unix:" + folder.path("in");
  // Of somebody who ended without tidying up.
  auto const address = *Address::parse(*settings.listen);
  { HandUpstream const left{address}; }
  ASSERT_TRUE(std::filesystem::exists(folder.path("in")));
  {
    Proxy proxy{settings};
    EXPECT_EQ(SocketCaller{address}.get("/").status, 200U);
    proxy.server->drain();
    EXPECT_FALSE(std::filesystem::exists(folder.path("in")));
  }
}

TEST(UnixSocket, OfSomebodyElseIsLeftAlone) {
  Folder const folder;
  auto settings = upstream_of({"127.0.0.1:1"});
  settings.listen = "unix:" + folder.path("in");
  HandUpstream const other{*Address::parse(*settings.listen)};
  EXPECT_THROW(Proxy{settings}, std::runtime_error);
  EXPECT_TRUE(std::filesystem::exists(folder.path("in")));
}

TEST(IntroducedCallers, AreServedAfterTheirHeader) {
  SocketUpstream upstream{saying("it")};
  Proxy proxy{upstream_of({upstream.address()}), shared({.proxy_protocol = true})};
  auto caller = proxy.shared_caller();
  auto const answered = ask(caller, "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + request("/a", "test"));
  EXPECT_TRUE(answered.body.starts_with("it /a\n"));
  EXPECT_TRUE(ask(caller, request("/b", "test")).body.starts_with("it /b\n"));
}

TEST(IntroducedCallers, MayComeByteByByte) {
  SocketUpstream upstream{saying("it")};
  Proxy proxy{upstream_of({upstream.address()}), shared({.proxy_protocol = true})};
  auto caller = proxy.shared_caller();
  for (char const c : "PROXY UNKNOWN\r\n" + request("/a", "test")) ASSERT_TRUE(caller.send({&c, 1}));
  EXPECT_EQ(caller.read_answer().status, 200U);
}

TEST(IntroducedCallers, GetNothingWithoutAHeader) {
  SocketUpstream upstream{saying("it")};
  Proxy proxy{upstream_of({upstream.address()}), shared({.proxy_protocol = true})};
  auto caller = proxy.shared_caller();
  caller.send(request("/", "test"));
  EXPECT_TRUE(caller.ended());
  EXPECT_EQ(upstream.received(), 0U);
  EXPECT_TRUE(eventually([&] { return proxy.observer.rejections == 1; }));
}

TEST(IntroducedCallers, HaveAsLongAsForAHead) {
  SocketUpstream upstream{saying("it")};
  auto options = shared({.proxy_protocol = true});
  options.limits.head_timeout = 20ms;
  Proxy proxy{upstream_of({upstream.address()}), options};
  auto caller = proxy.shared_caller();
  caller.send("PROXY TCP4 ");
  EXPECT_TRUE(caller.ended());
}

TEST(Bounds, OfAListenerAreItsOwn) {
  SocketUpstream upstream{saying("it")};
  auto options = shared({.connections = 2});
  options.workers = 2;
  Proxy proxy{upstream_of({upstream.address()}), options};
  std::vector<SocketCaller> callers;
  for (int i = 0; i < 2; ++i) {
    callers.push_back(proxy.shared_caller());
    EXPECT_EQ(callers.back().get("/").status, 200U);
  }
  auto third = proxy.shared_caller();
  auto const refused = third.read_answer();
  EXPECT_EQ(refused.status, 503U);
  EXPECT_TRUE(refused.has("connection_limit_reached")) << refused.head;
  EXPECT_EQ(proxy.caller().get("/").status, 200U);
  callers.pop_back();
  EXPECT_TRUE(eventually([&] { return proxy.shared_caller().get("/").status == 200U; }));
}

TEST(Bounds, OfAnEndpointsConnectionsAreOurOwnNo) {
  HandUpstream upstream;
  ProxyOptions options;
  options.pool.connections = 1;
  Proxy proxy{upstream_of({upstream.address()}), options};
  auto first = proxy.caller();
  first.send(request("/", "test"));
  auto endpoint = upstream.accept();
  endpoint.read_head();
  auto const refused = proxy.caller().get("/");
  EXPECT_EQ(refused.status, 503U);
  EXPECT_TRUE(refused.has("connection_limit_reached")) << refused.head;
  endpoint.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(first.read_answer().status, 200U);
  ASSERT_TRUE(proxy.settles());
  EXPECT_EQ(proxy.ledger().excluded, 1U);
  EXPECT_EQ(proxy.ledger().failed(), 0U);
  // The one that there is serves the next.
  first.send(request("/again", "test"));
  EXPECT_TRUE(endpoint.read_head().starts_with("GET /again "));
}

TEST(Bounds, OfAnEndpointsConnectionsLetIdleOnesGo) {
  SocketUpstream upstream{saying("it")};
  auto options = shared({.mode = forward_proxy});
  options.pool.connections = 1;
  Proxy proxy{upstream_of({upstream.address()}), options};
  EXPECT_EQ(proxy.caller().get("/").status, 200U);
  ASSERT_TRUE(eventually([&] { return proxy.observer.count(PoolEvent::kept) == 1; }));
  auto caller = proxy.shared_caller();
  caller.send("CONNECT test:80 HTTP/1.1\r\nHost: test:80\r\n\r\n");
  EXPECT_TRUE(caller.read_head().starts_with("HTTP/1.1 200 "));
}

TEST(Bounds, OfABodysRateLeaveOutTheTimeInWhichItIsHeldBack) {
  HandUpstream upstream;
  ProxyOptions options;
  options.limits.body_rate = 1_MiB;
  options.limits.body_grace = 1ms;
  Proxy proxy{upstream_of({upstream.address()}), options};
  auto caller = proxy.caller();
  caller.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  auto endpoint = upstream.accept();
  endpoint.read_head();
  // Meanwhile other requests take longer than the grace.
  for (int i = 0; i < 3; ++i) {
    auto other = proxy.caller();
    other.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 100000\r\n\r\nsome");
    EXPECT_EQ(other.read_answer().status, 408U);
  }
  endpoint.send("HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_TRUE(caller.read_head().starts_with("HTTP/1.1 100 "));
}

TEST(Bounds, OfABodysRateEndOneThatOnlyTrickles) {
  HandUpstream upstream;
  ProxyOptions options;
  options.limits.body_rate = 1_MiB;
  options.limits.body_grace = 20ms;
  Proxy proxy{upstream_of({upstream.address()}), options};
  auto caller = proxy.caller();
  caller.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 100000\r\n\r\nsome");
  EXPECT_EQ(caller.read_answer().status, 408U);
  ASSERT_TRUE(proxy.settles());
  EXPECT_EQ(proxy.ledger().failed(), 0U);
}

}  // namespace
}  // namespace candor::test
