// The ways in: shared ports and their routes, forward proxies, Unix domain sockets, PROXY protocol, bounds.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "asked.hpp"
#include "support/folder.hpp"

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

constexpr auto forward_proxy = ListenerSettings::Mode::forward_proxy;

/// A caller at a listener, before an upstream that says what it got.
struct AtListener {
  explicit AtListener(ProxyOptions const& options) : proxy(upstream_of({upstream.address()}), options) {}

  SocketUpstream upstream{saying("it")};
  Proxy proxy;
  SocketCaller caller{proxy.shared_caller()};
};

TEST(SharedPort, RoutesByWhatARequestLooksLikeBeforeItsHost) {
  SocketUpstream one{saying("one")};
  SocketUpstream two{saying("two")};
  auto first = upstream_of({one.address()});
  auto second = upstream_of({two.address()});
  first.name = "one";
  second.name = "two";
  auto const options = with_listener(
      {.signposts = {{.match = {.path_prefix = "/two", .headers = {{"x-t", "gold"}}}, .upstream = "two"}}});
  Proxy proxy{std::vector{first, second}, options};
  auto caller = proxy.shared_caller();
  EXPECT_TRUE(ask(caller, request("/two/x", "one")).body.starts_with("one /two/x\n"));
  EXPECT_TRUE(ask(caller, request("/two/x", "one", "X-T: gold\r\n")).body.starts_with("two /two/x\n"));
  EXPECT_TRUE(ask(caller, request("/twofold", "one", "X-T: gold\r\n")).body.starts_with("one /twofold\n"));
  EXPECT_EQ(ask(caller, request("/", "nobody")).status, 421U);
}

TEST(ForwardProxy, TakesTheTargetsOriginAndPassesOnItsPath) {
  AtListener at{with_listener({.mode = forward_proxy})};
  auto const answered =
      ask(at.caller, request("http://test:8080/a?b", "other", "Proxy-Connection: keep-alive\r\n"));
  EXPECT_TRUE(answered.body.starts_with("it /a?b\n")) << answered.body;
  EXPECT_NE(answered.body.find("\r\nHost: test:8080\r\n"), std::string::npos) << answered.body;
  EXPECT_EQ(answered.body.find("Proxy-Connection"), std::string::npos);
  EXPECT_TRUE(answered.has("Via: 1.1 candor-test\r\n")) << answered.head;
  EXPECT_NE(answered.body.find("Via: 1.1 candor-test\r\n"), std::string::npos) << answered.body;
}

TEST(ForwardProxy, IsNoOpenProxy) {
  AtListener at{with_listener({.mode = forward_proxy})};
  EXPECT_EQ(ask(at.caller, request("http://" + at.upstream.address() + "/", "test")).status, 421U);
  auto another = at.proxy.shared_caller();
  EXPECT_EQ(ask(another, request("http://test.evil/", "test")).status, 421U);
  EXPECT_EQ(at.upstream.received(), 0U);
}

TEST(ForwardProxy, CarriesNothingInTheClearThatWasAskedForByHttps) {
  AtListener at{with_listener({.mode = forward_proxy})};
  EXPECT_EQ(ask(at.caller, request("HTTPS://test/", "test")).status, 421U);
  EXPECT_EQ(at.upstream.received(), 0U);
}

TEST(Loops, AreKnownByVia) {
  Served served{saying("it")};
  EXPECT_EQ(ask(served.caller, request("/", "test", "Via: 1.1 other\r\n")).status, 200U);
  auto const answered = ask(served.caller, request("/", "test", "Via: 1.1 a, 1.1 candor-test\r\n"));
  EXPECT_EQ(answered.status, 508U);
  EXPECT_TRUE(answered.has("error=proxy_loop_detected")) << answered.head;
  EXPECT_EQ(served.upstream.received(), 1U);
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
  endpoint.send(fine);
  EXPECT_EQ(caller.read_answer().status, 200U);
}

TEST(UnixSocket, ThatIsNotThereIsARefusedConnection) {
  Folder const folder;
  Proxy proxy{upstream_of({"unix:" + folder.path("out")})};
  EXPECT_EQ(proxy.caller().get("/").status, 502U);
  EXPECT_EQ(failures(proxy.ledger(), FailureKind::connect), proxy.ledger().started);
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
  AtListener at{with_listener({.proxy_protocol = true})};
  auto const answered = ask(at.caller, "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + request("/a", "test"));
  EXPECT_TRUE(answered.body.starts_with("it /a\n"));
  EXPECT_TRUE(ask(at.caller, request("/b", "test")).body.starts_with("it /b\n"));
}

TEST(IntroducedCallers, MayComeByteByByte) {
  AtListener at{with_listener({.proxy_protocol = true})};
  for (char const c : "PROXY UNKNOWN\r\n" + request("/a", "test")) ASSERT_TRUE(at.caller.send({&c, 1}));
  EXPECT_EQ(at.caller.read_answer().status, 200U);
}

TEST(IntroducedCallers, GetNothingWithoutAHeader) {
  AtListener at{with_listener({.proxy_protocol = true})};
  at.caller.send(request("/", "test"));
  EXPECT_TRUE(at.caller.ended());
  EXPECT_EQ(at.upstream.received(), 0U);
  EXPECT_TRUE(eventually([&] { return at.proxy.observer.rejections == 1; }));
}

TEST(IntroducedCallers, HaveAsLongAsForAHead) {
  auto options = with_listener({.proxy_protocol = true});
  options.limits.head_timeout = 20ms;
  AtListener at{options};
  at.caller.send("PROXY TCP4 ");
  EXPECT_TRUE(at.caller.ended());
}

TEST(Bounds, OfAListenerAreItsOwn) {
  SocketUpstream upstream{saying("it")};
  auto options = with_listener({.connections = 2});
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
  ProxyOptions options;
  options.pool.connections = 1;
  Asked asked{request("/", "test"), {.options = options}};
  auto const refused = asked.proxy.caller().get("/");
  EXPECT_EQ(refused.status, 503U);
  EXPECT_TRUE(refused.has("connection_limit_reached")) << refused.head;
  asked.endpoint.send(fine);
  EXPECT_EQ(asked.caller.read_answer().status, 200U);
  ASSERT_TRUE(asked.proxy.settles());
  EXPECT_EQ(asked.proxy.ledger().excluded, 1U);
  EXPECT_EQ(asked.proxy.ledger().failed(), 0U);
  // The one that there is serves the next.
  asked.caller.send(request("/again", "test"));
  EXPECT_TRUE(asked.endpoint.read_head().starts_with("GET /again "));
}

TEST(Bounds, OfAnEndpointsConnectionsLetIdleOnesGo) {
  auto options = with_listener({.mode = forward_proxy});
  options.pool.connections = 1;
  AtListener at{options};
  EXPECT_EQ(at.proxy.caller().get("/").status, 200U);
  ASSERT_TRUE(eventually([&] { return at.proxy.observer.count(PoolEvent::kept) == 1; }));
  at.caller.send("CONNECT test:80 HTTP/1.1\r\nHost: test:80\r\n\r\n");
  EXPECT_TRUE(at.caller.read_head().starts_with("HTTP/1.1 200 "));
}

constexpr std::string_view some_of_a_body =
    "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 100000\r\n\r\nsome";

/// The least rate of bodies, once the grace is over.
ProxyOptions a_mebibyte_a_second(Duration grace) {
  ProxyOptions options;
  options.limits.body_rate = 1_MiB;
  options.limits.body_grace = grace;
  return options;
}

TEST(Bounds, OfABodysRateLeaveOutTheTimeInWhichItIsHeldBack) {
  Asked asked{"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
              {.options = a_mebibyte_a_second(1ms)}};
  // Meanwhile other requests take longer than the grace.
  for (int i = 0; i < 3; ++i) {
    auto other = asked.proxy.caller();
    other.send(some_of_a_body);
    EXPECT_EQ(other.read_answer().status, 408U);
  }
  asked.endpoint.send("HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_TRUE(asked.caller.read_head().starts_with("HTTP/1.1 100 "));
}

TEST(Bounds, OfABodysRateEndOneThatOnlyTrickles) {
  Asked asked{some_of_a_body, {.options = a_mebibyte_a_second(20ms)}};
  EXPECT_EQ(asked.caller.read_answer().status, 408U);
  ASSERT_TRUE(asked.proxy.settles());
  EXPECT_EQ(asked.proxy.ledger().failed(), 0U);
}

}  // namespace
}  // namespace candor::test
