// What a caller meets at a listener.
#include <gtest/gtest.h>

#include "../../src/net/block.hpp"
#include "asked.hpp"

namespace candor::test {
namespace {

/// Says back what it got.
Reaction echo(Received const& request) {
  return answer(200, request.method + " " + request.target + "\n" + request.body);
}

TEST(Session, AnswersARequestAndKeepsTheConnection) {
  SocketUpstream upstream{echo};
  Proxy proxy{upstream_of({upstream.address()})};
  auto caller = proxy.caller();
  for (int i = 0; i < 3; ++i) {
    auto const answered = caller.get("/a?b=" + std::to_string(i));
    EXPECT_EQ(answered.status, 200U);
    EXPECT_EQ(answered.body, "GET /a?b=" + std::to_string(i) + "\n");
    EXPECT_FALSE(answered.has("Connection: close"));
  }
  EXPECT_EQ(upstream.received(), 3U);
  EXPECT_EQ(upstream.connections(), 1U);
}

TEST(Session, AnswersPipelinedRequestsInTheirOrder) {
  SocketUpstream upstream{echo};
  Proxy proxy{upstream_of({upstream.address()})};
  auto caller = proxy.caller();
  std::string all;
  for (int i = 0; i < 200; ++i) {
    std::string const body(static_cast<std::size_t>(i * 37), 'x');
    all += "PUT /" + std::to_string(i) +
           " HTTP/1.1\r\nHost: test\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  ASSERT_TRUE(caller.send(all));
  for (int i = 0; i < 200; ++i) {
    auto const answered = caller.read_answer();
    ASSERT_EQ(answered.status, 200U);
    ASSERT_EQ(answered.body,
              "PUT /" + std::to_string(i) + "\n" + std::string(static_cast<std::size_t>(i * 37), 'x'));
  }
}

TEST(Session, ReadsARequestThatComesByteByByte) {
  SocketUpstream upstream{echo};
  Proxy proxy{upstream_of({upstream.address()})};
  auto caller = proxy.caller();
  std::string const request =
      "POST /slow HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: "
      "chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n";
  for (char const c : request) ASSERT_TRUE(caller.send({&c, 1}));
  EXPECT_EQ(caller.read_answer().body, "POST /slow\nabcdefg");
}

TEST(Session, CarriesBodiesOfAnySizeUnchanged) {
  SocketUpstream upstream{echo};
  Proxy proxy{upstream_of({upstream.address()})};
  auto caller = proxy.caller();
  for (std::size_t const size :
       {0UL, 1UL, 4095UL, 65'535UL, 65'536UL, 65'537UL, 70'000UL, 1'000'000UL, 5'000'000UL}) {
    std::string body(size, '\0');
    Rng rng{size};
    for (auto& c : body) c = static_cast<char>('a' + rng.below(26));
    auto const answered = caller.post("/", body);
    ASSERT_EQ(answered.status, 200U) << size;
    ASSERT_TRUE(answered.body == "POST /\n" + body) << size;
  }
  EXPECT_EQ(upstream.connections(), 1U);
}

TEST(Session, CarriesChunkedBodiesHoweverTheyAreCut) {
  SocketUpstream upstream{echo};
  Proxy proxy{upstream_of({upstream.address()})};
  auto caller = proxy.caller();
  for (std::size_t const chunk : {1UL, 7UL, 100UL, 4096UL, 50'000UL, 200'000UL}) {
    std::string request = "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n";
    std::string body;
    std::size_t const chunks = chunk < 100 ? 20'000 : 12;
    for (std::size_t i = 0; i < chunks; ++i) {
      std::string const content(chunk, static_cast<char>('a' + i % 26));
      http::append_chunk_head(request, chunk);
      request += content + "\r\n";
      body += content;
    }
    http::append_last_chunk(request);
    ASSERT_TRUE(caller.send(request));
    auto const answered = caller.read_answer();
    ASSERT_EQ(answered.status, 200U) << chunk;
    ASSERT_TRUE(answered.body == "POST /\n" + body) << chunk;
  }
}

TEST(Session, ReadsABodyInLargePiecesHoweverLateItsHeadEnds) {
  // One byte is left behind the head, in the block that both requests' heads are read into.
  auto const padded = [](std::string head, std::size_t size) {
    head += "X: ";
    return head + std::string(size - head.size() - 4, 'x') + "\r\n\r\n";
  };
  auto const first = padded("GET /first HTTP/1.1\r\nHost: test\r\n", 6'000);
  auto const second = padded("POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n",
                             Block::size - 1 - first.size());
  Asked asked{first + second};
  asked.endpoint.send(fine);
  EXPECT_EQ(asked.caller.read_answer().status, 200U);
  ASSERT_TRUE(asked.endpoint.read_head().starts_with("POST / "));
  for (int i = 0; i < 100; ++i) {
    // Beyond what is kept for a retry, too.
    std::string const chunk = "3e8\r\n" + std::string(1'000, 'c') + "\r\n";
    asked.caller.send(chunk);
    ASSERT_TRUE(asked.endpoint.read_bytes(chunk.size()) == chunk) << i;
  }
  asked.caller.send("0\r\n\r\n");
  EXPECT_EQ(asked.endpoint.read_bytes(5), "0\r\n\r\n");
  asked.endpoint.send(fine);
  EXPECT_EQ(asked.caller.read_answer().status, 200U);
}

TEST(Session, TellsACallerThatWaitsToGoOn) {
  SocketUpstream upstream{echo};
  auto settings = upstream_of({upstream.address()});
  settings.timeouts.go_ahead = 1ms;  // this upstream says nothing before it has the body
  Proxy proxy{settings};
  auto caller = proxy.caller();
  caller.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(caller.read_bytes(25), "HTTP/1.1 100 Continue\r\n\r\n");
  caller.send("hello");
  EXPECT_EQ(caller.read_answer().body, "POST /\nhello");
}

TEST(Session, TellsNoCallerThatHasGoneOnByItself) {
  SocketUpstream upstream{echo};
  Proxy proxy{upstream_of({upstream.address()})};
  auto caller = proxy.caller();
  caller.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhe");
  ASSERT_TRUE(eventually([&] { return proxy.ledger().in_flight == 1; }));
  caller.send("llo");
  EXPECT_EQ(caller.read_bytes(12), "HTTP/1.1 200");
}

TEST(Session, GivesAnOldCallerWhatItCanRead) {
  SocketUpstream upstream{[](Received const&) {
    return raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  }};
  Proxy proxy{upstream_of({upstream.address()})};
  auto caller = proxy.caller();
  caller.send("GET / HTTP/1.0\r\nHost: test\r\n\r\n");
  auto const answered = caller.read_answer();
  EXPECT_TRUE(answered.has("HTTP/1.0 200"));
  EXPECT_FALSE(answered.has("chunked"));
  EXPECT_EQ(answered.body, "abcde");
  EXPECT_TRUE(answered.whole);
}

TEST(Session, FramesAnAnswerThatEndsWithItsConnection) {
  SocketUpstream upstream{
      [](Received const&) { return raw("HTTP/1.0 200 OK\r\n\r\nuntil the end", Reaction::Then::close); }};
  Proxy proxy{upstream_of({upstream.address()})};
  auto caller = proxy.caller();
  for (int i = 0; i < 2; ++i) {
    auto const answered = caller.get("/");
    EXPECT_TRUE(answered.has("Transfer-Encoding: chunked"));
    EXPECT_EQ(answered.body, "until the end");
    EXPECT_TRUE(answered.whole);
  }
}

TEST(Session, AnswersHeadNoContentAndNotModifiedWithoutABody) {
  SocketUpstream upstream{[](Received const& request) {
    if (request.method == "HEAD") return raw("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    if (request.target == "/204") return raw("HTTP/1.1 204 No Content\r\n\r\n");
    return raw("HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n");
  }};
  Proxy proxy{upstream_of({upstream.address()})};
  auto caller = proxy.caller();
  caller.send("HEAD / HTTP/1.1\r\nHost: test\r\n\r\n");
  auto const head = caller.read_answer(http::Method::head);
  EXPECT_TRUE(head.has("Content-Length: 1000"));
  EXPECT_EQ(caller.get("/204").status, 204U);
  EXPECT_EQ(caller.get("/304").status, 304U);
  EXPECT_EQ(proxy.observer.connected, 1U) << "the caller's goes on";
}

TEST(Session, NeverMakesABrokenAnswerLookWhole) {
  SocketUpstream upstream{[](Received const& request) {
    if (request.target == "/length") {
      return raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", Reaction::Then::close);
    }
    return raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", Reaction::Then::close);
  }};
  Proxy proxy{upstream_of({upstream.address()})};
  for (auto const* path : {"/length", "/chunked"}) EXPECT_FALSE(proxy.caller().get(path).whole) << path;
  auto old = proxy.caller();
  old.send("GET /chunked HTTP/1.0\r\nHost: test\r\n\r\n");
  // Its body ends with the connection: an orderly end would look like the whole.
  EXPECT_FALSE(old.read_answer().whole);
  ASSERT_TRUE(proxy.settles());
  auto const ledger = proxy.ledger();
  EXPECT_EQ(failures(ledger, FailureKind::truncated), 1U);
  EXPECT_EQ(failures(ledger, FailureKind::reset), 2U);
  EXPECT_EQ(ledger.started, upstream.received());
}

TEST(Session, AbortsAnAnswerThatBreaksOffOnItsWay) {
  for (auto const* version : {"HTTP/1.1", "HTTP/1.0"}) {
    SocketUpstream upstream{[](Received const&) {
      return raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", Reaction::Then::hang);
    }};
    Proxy proxy{upstream_of({upstream.address()})};
    auto caller = proxy.caller();
    caller.send("GET / " + std::string{version} + "\r\nHost: test\r\n\r\n");
    EXPECT_EQ(caller.read_bytes(8), version);
    upstream.stop();
    caller.read_bytes(1'000'000);
    EXPECT_TRUE(caller.was_reset()) << version;
    EXPECT_TRUE(eventually([&] { return proxy.observer.count(RequestResult::broken) == 1; }));
  }
}

TEST(Session, RefusesGarbageAndServesTheNextConnection) {
  SocketUpstream upstream{echo};
  Proxy proxy{upstream_of({upstream.address()})};
  for (std::string const garbage :
       {"\x16\x03\x01\x02", "no such thing\r\n\r\n", "GET / HTTP/1.1\nHost: a\n\n", "GET / HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"}) {
    auto caller = proxy.caller();
    caller.send(garbage);
    EXPECT_EQ(caller.read_answer().status, 400U) << garbage;
    EXPECT_TRUE(caller.ended());
  }
  EXPECT_EQ(proxy.caller().get("/").status, 200U);
  EXPECT_EQ(upstream.received(), 1U);
  EXPECT_EQ(proxy.observer.rejections, 5U);
}

TEST(Session, BoundsHeadsAndBodies) {
  SocketUpstream upstream{echo};
  ProxyOptions options;
  options.limits.body = Bytes{1000};
  options.limits.head_timeout = 50ms;
  Proxy proxy{upstream_of({upstream.address()}), options};
  EXPECT_EQ(proxy.caller().get("/" + std::string(9000, 'a')).status, 414U);
  EXPECT_EQ(proxy.caller().get("/", "X: " + std::string(66'000, 'a') + "\r\n").status, 431U);
  EXPECT_EQ(proxy.caller().post("/", std::string(1001, 'a')).status, 413U);
  EXPECT_EQ(proxy.caller().post("/", std::string(1000, 'a')).status, 200U);
  auto chunked = proxy.caller();
  std::string request = "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n";
  http::append_chunk_head(request, 1001);
  chunked.send(request + std::string(1001, 'a') + "\r\n0\r\n\r\n");
  EXPECT_EQ(chunked.read_answer().status, 413U);
  auto slow = proxy.caller();
  slow.send("GET / HT");
  EXPECT_EQ(slow.read_answer().status, 408U);
}

TEST(Session, RoutesASharedPortByHostAndRefusesStrangers) {
  SocketUpstream one{[](Received const&) { return answer(200, "one"); }};
  SocketUpstream other{[](Received const&) { return answer(200, "other"); }};
  auto first = upstream_of({one.address()});
  first.name = "one";
  first.hosts = {"one.internal"};
  auto second = upstream_of({other.address()});
  second.name = "other";
  ProxyOptions options;
  options.shared = {{.listen = "127.0.0.1:0"}};
  Proxy proxy{{first, second}, options};
  auto const ask = [&](std::string const& host) {
    auto caller = proxy.shared_caller();
    caller.send("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
    return caller.read_answer();
  };
  EXPECT_EQ(ask("ONE.internal:80").body, "one");
  EXPECT_EQ(ask("other").body, "other");
  auto const stranger = ask("example.com");
  EXPECT_EQ(stranger.status, 421U);
  EXPECT_TRUE(stranger.has("http_request_denied"));
}

TEST(Session, EndsTheAttemptOfACallerWhoLeaves) {
  SocketUpstream upstream{[](Received const&) { return hang(); }};
  Proxy proxy{upstream_of({upstream.address()})};
  unsigned callers = 0;
  for (bool const reset : {false, true}) {
    auto caller = proxy.caller();
    caller.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    ++callers;
    ASSERT_TRUE(eventually([&] { return upstream.received() == callers; }));
    ASSERT_TRUE(eventually([&] { return proxy.ledger().in_flight == 1; }));
    reset ? caller.reset() : caller.close();
    ASSERT_TRUE(proxy.settles());
  }
  EXPECT_EQ(proxy.ledger().abandoned, 2U);
  EXPECT_EQ(proxy.ledger().failed(), 0U);
  ASSERT_TRUE(eventually([&] { return proxy.observer.count(RequestResult::abandoned) == 2; }));
}

TEST(Session, TakesACallerThatEndsItsSendingForOneThatHasLeft) {
  // Even one that would still read: nothing tells the two apart.
  Asked asked{"GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"};
  asked.caller.half_close();
  EXPECT_TRUE(asked.endpoint.ended());
  EXPECT_TRUE(asked.caller.ended());
  EXPECT_TRUE(asked.caller.was_reset()) << "nobody may take it for an answer's end";
  ASSERT_TRUE(asked.proxy.settles());
  EXPECT_EQ(asked.proxy.ledger().abandoned, 1U);
}

TEST(Session, ExcludesAnAttemptWhoseCallerBreaksItsBodyOff) {
  SocketUpstream upstream{echo};
  Proxy proxy{upstream_of({upstream.address()})};
  {
    auto caller = proxy.caller();
    caller.send(
        "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nnot a size\r\n");
    EXPECT_EQ(caller.read_answer().status, 400U);
  }
  ASSERT_TRUE(proxy.settles());
  EXPECT_EQ(proxy.ledger().excluded, 1U);
  EXPECT_EQ(upstream.received(), 0U);
}

TEST(Session, TurnsCallersAwayAboveTheLimit) {
  SocketUpstream upstream{echo};
  ProxyOptions options;
  options.limits.connections = 2;
  Proxy proxy{upstream_of({upstream.address()}), options};
  auto first = proxy.caller();
  auto second = proxy.caller();
  EXPECT_EQ(first.get("/").status, 200U);
  EXPECT_EQ(second.get("/").status, 200U);
  auto third = proxy.caller();
  auto const turned_away = third.read_answer();
  EXPECT_EQ(turned_away.status, 503U);
  EXPECT_TRUE(turned_away.has("connection_limit_reached"));
  first.close();
  ASSERT_TRUE(eventually([&] { return proxy.observer.disconnected == 1; }));
  EXPECT_EQ(proxy.caller().get("/").status, 200U);
  EXPECT_EQ(proxy.observer.refused, 1U);
}

TEST(Session, SaysNothingAboveTheLimitWhereAnotherProxySpeaksFirst) {
  SocketUpstream upstream{echo};
  auto options = with_listener({.proxy_protocol = true, .connections = 1});
  Proxy proxy{upstream_of({upstream.address()}), options};
  auto first = proxy.shared_caller();
  ASSERT_TRUE(eventually([&] { return proxy.observer.connected == 1; }));
  auto second = proxy.shared_caller();
  EXPECT_TRUE(second.ended()) << "it would be taken for the upstream's";
  EXPECT_EQ(proxy.observer.refused, 1U);
}

}  // namespace
}  // namespace candor::test
