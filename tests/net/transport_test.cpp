// What an endpoint meets: connections, attempts, retries, and what is made of its answers.
#include <gtest/gtest.h>

#include "asked.hpp"

namespace candor::test {
namespace {

TEST(Transport, SaysWhichAttemptItIsAndWhy) {
  std::vector<std::string> heads;
  SocketUpstream upstream{[&](Received const& request) {
    heads.push_back(request.head);
    return answer(request.number < 3 ? 503 : 200, "done");
  }};
  Proxy proxy{upstream_of({upstream.address()})};
  EXPECT_EQ(proxy.caller().get("/").status, 200U);
  ASSERT_EQ(heads.size(), 3U);
  EXPECT_NE(heads[0].find("candor-attempt: 1\r\n"), std::string::npos);
  EXPECT_NE(heads[2].find("candor-attempt: 3\r\ncandor-retry-reason: status\r\n"), std::string::npos);
  EXPECT_EQ(proxy.ledger().started, 3U);
  // The answers that were given up were short: their connection went on.
  EXPECT_EQ(upstream.connections(), 1U);
}

TEST(Transport, SendsABodyAgainUpToTheLimit) {
  std::vector<std::string> bodies;
  SocketUpstream upstream{[&](Received const& request) {
    bodies.push_back(request.body);
    return answer(request.number % 3 == 0 ? 200 : 503, "done");
  }};
  auto settings = upstream_of({upstream.address()});
  settings.retry.replay = Replay::always;
  Proxy proxy{settings};
  std::string const body(65'536, 'b');
  EXPECT_EQ(proxy.caller().post("/", body).status, 200U);
  EXPECT_EQ(bodies, (std::vector{body, body, body}));
  std::string const larger(65'537, 'c');
  auto const given_up = proxy.caller().post("/", larger);
  EXPECT_EQ(given_up.status, 503U);
  EXPECT_TRUE(given_up.has("body")) << given_up.head;
  EXPECT_EQ(bodies.size(), 4U);
}

TEST(Transport, TriesAgainAtOnceWhenAKeptConnectionHadBeenClosed) {
  SocketUpstream upstream{[](Received const&) { return answer(200, "ok"); }};
  upstream.close_unread_after(1);
  Proxy proxy{upstream_of({upstream.address()})};
  auto caller = proxy.caller();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(caller.get("/").status, 200U);
  ASSERT_TRUE(proxy.settles());
  auto const ledger = proxy.ledger();
  EXPECT_EQ(upstream.received(), 20U);
  EXPECT_EQ(ledger.success, 20U);
  // Where the upstream was slow to close, its kernel had acknowledged the request.
  EXPECT_EQ(ledger.excluded + failures(ledger, FailureKind::reset), 19U);
  EXPECT_EQ(ledger.failed(), failures(ledger, FailureKind::reset));
  EXPECT_GT(ledger.excluded, 0U);
}

TEST(Transport, AKeptConnectionThatBreaksWithTheRequestTakenWasNotStale) {
  SocketUpstream upstream{[](Received const& request) {
    return request.on_connection == 1 ? answer(200, "ok") : Reaction{.then = Reaction::Then::close};
  }};
  Proxy proxy{upstream_of({upstream.address()})};
  auto caller = proxy.caller();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(caller.get("/").status, 200U);
  ASSERT_TRUE(proxy.settles());
  auto const ledger = proxy.ledger();
  EXPECT_EQ(ledger.started, upstream.received());
  EXPECT_EQ(ledger.success, 5U);
  EXPECT_EQ(ledger.excluded, 0U);
  EXPECT_EQ(failures(ledger, FailureKind::reset), 4U);
}

TEST(Transport, DropsAnIdleConnectionThatItsEndpointCloses) {
  SocketUpstream upstream{[](Received const&) { return answer(200, "ok"); }};
  Proxy proxy{upstream_of({upstream.address()})};
  auto caller = proxy.caller();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(caller.get("/").status, 200U);
    auto const dropped = proxy.observer.count(PoolEvent::dropped);
    upstream.close_idle();
    ASSERT_TRUE(eventually([&] { return proxy.observer.count(PoolEvent::dropped) > dropped; }));
  }
  EXPECT_EQ(proxy.ledger().excluded, 0U);
  EXPECT_EQ(upstream.connections(), 3U);
}

TEST(Transport, KeepsNoConnectionLongerThanItsEndpointSays) {
  SocketUpstream upstream{
      [](Received const&) { return answer(200, "ok", "Keep-Alive: max=9\r\nKeep-Alive: Timeout = 0\r\n"); }};
  Proxy proxy{upstream_of({upstream.address()})};
  auto caller = proxy.caller();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(caller.get("/").status, 200U);
  EXPECT_EQ(upstream.connections(), 3U);
}

TEST(Transport, NeverReusesAConnectionWithBytesToSpare) {
  SocketUpstream upstream{[](Received const&) {
    auto reaction = answer(200, "ok");
    reaction.bytes += "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong";
    return reaction;
  }};
  Proxy proxy{upstream_of({upstream.address()})};
  auto caller = proxy.caller();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(caller.get("/").body, "ok");
  EXPECT_EQ(upstream.connections(), 5U);
}

TEST(Transport, ABodyThatComesLateBehindAnAnswerWithoutOneIsNoOtherAnswer) {
  for (std::string const head : {"HTTP/1.1 200 OK\r\nContent-Length: 45\r\n\r\n",
                                 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                                 "HTTP/1.1 304 Not Modified\r\nContent-Length: 45\r\n\r\n"}) {
    Asked asked{"HEAD /one HTTP/1.1\r\nHost: test\r\n\r\n"};
    ASSERT_TRUE(asked.endpoint.send(head));
    EXPECT_EQ(asked.caller.read_answer(http::Method::head).body, "");
    asked.caller.send("GET /two HTTP/1.1\r\nHost: test\r\n\r\n");
    auto another = asked.upstream.accept();
    ASSERT_TRUE(another.connected()) << head;
    EXPECT_NE(another.read_head().find("GET /two"), std::string::npos);
    asked.endpoint.send("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nwrong!!");
    EXPECT_TRUE(asked.endpoint.ended()) << head;
    another.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nright");
    EXPECT_EQ(asked.caller.read_answer().body, "right");
    EXPECT_EQ(asked.proxy.ledger().failed(), 0U);
  }
}

TEST(Transport, UsesAConnectionAgainWhenNoBodyHasComeBehindAnAnswerWithoutOne) {
  SocketUpstream upstream{
      [](Received const&) { return raw("HTTP/1.1 200 OK\r\nContent-Length: 45\r\n\r\n"); }};
  Proxy proxy{upstream_of({upstream.address()})};
  auto caller = proxy.caller();
  EXPECT_TRUE(eventually([&] {
    caller.send("HEAD / HTTP/1.1\r\nHost: test\r\n\r\n");
    EXPECT_EQ(caller.read_answer(http::Method::head).status, 200U);
    return upstream.connections() < upstream.received();
  }));
  // What speaks of none is used at once.
  SocketUpstream plain{[](Received const&) { return raw("HTTP/1.1 304 Not Modified\r\n\r\n"); }};
  Proxy other{upstream_of({plain.address()})};
  auto second = other.caller();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(second.get("/").status, 304U);
  EXPECT_EQ(plain.connections(), 1U);
}

TEST(Transport, KeepsNoConnectionWhoseAnswerWithoutContentHasALength) {
  for (std::string const field : {"Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"}) {
    Asked asked{"GET / HTTP/1.1\r\nHost: test\r\n\r\n"};
    ASSERT_TRUE(asked.endpoint.send("HTTP/1.1 204 No Content\r\n" + field + "\r\n"));
    EXPECT_EQ(asked.caller.read_answer().status, 204U);
    EXPECT_TRUE(asked.endpoint.ended()) << field;
  }
}

TEST(Transport, TrailersBelongToTheirOwnAnswerAlone) {
  SocketUpstream upstream{[](Received const& request) {
    if (request.number == 1) {
      return raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Secret: s\r\n\r\n");
    }
    return raw("HTTP/1.1 200 OK\r\n\r\nuntil the end", Reaction::Then::close);
  }};
  Proxy proxy{upstream_of({upstream.address()})};
  EXPECT_EQ(proxy.caller().get("/").body, "a");
  ASSERT_TRUE(proxy.settles());
  auto another = proxy.caller();
  another.send("GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
  auto const whole = another.read_bytes(100'000);
  EXPECT_NE(whole.find("until the end"), std::string::npos);
  EXPECT_EQ(whole.find("X-Secret"), std::string::npos) << whole;
  EXPECT_EQ(upstream.connections(), 1U);
}

TEST(Transport, CountsWhatIsNoAnswerAsAProtocolFailure) {
  for (std::string const bytes :
       {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "I am no server\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n"}) {
    SocketUpstream upstream{[&](Received const&) { return raw(bytes); }};
    Proxy proxy{upstream_of({upstream.address()})};
    auto const answered = proxy.caller().get("/");
    EXPECT_EQ(answered.status, 502U) << bytes;
    EXPECT_TRUE(answered.has("error=http_protocol_error")) << answered.head;
    EXPECT_EQ(failures(proxy.ledger(), FailureKind::protocol), upstream.received());
  }
}

TEST(Transport, GoesToAnotherEndpointAfterARefusedConnection) {
  HeldPort const absent;
  SocketUpstream upstream{[](Received const&) { return answer(200, "ok"); }};
  Proxy proxy{upstream_of({upstream.address(), absent.address()})};
  auto caller = proxy.caller();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(caller.get("/").status, 200U);
  auto const ledger = proxy.ledger();
  EXPECT_EQ(ledger.success, 4U);
  EXPECT_GE(failures(ledger, FailureKind::connect), 2U);
  EXPECT_EQ(ledger.started - failures(ledger, FailureKind::connect), upstream.received());
}

TEST(Transport, TellsARefusedConnectionFromASilentUpstream) {
  HeldPort const absent;
  auto gone = upstream_of({absent.address()});
  gone.retry.attempts = 1;
  Proxy refused{gone};
  auto const no_connection = refused.caller().get("/");
  EXPECT_EQ(no_connection.status, 502U);
  EXPECT_TRUE(no_connection.has("error=connection_refused"));
  // What never opened is not closed either.
  EXPECT_EQ(refused.observer.count(PoolEvent::opened), 0U);
  EXPECT_EQ(refused.observer.count(PoolEvent::closed), 0U);

  SocketUpstream silent{[](Received const&) { return hang(); }};
  auto settings = upstream_of({silent.address()});
  settings.retry.attempts = 1;
  settings.timeouts.attempt = 50ms;
  Proxy proxy{settings};
  auto const no_answer = proxy.caller().get("/");
  EXPECT_EQ(no_answer.status, 504U);
  EXPECT_TRUE(no_answer.has("error=http_response_timeout"));
  EXPECT_EQ(failures(proxy.ledger(), FailureKind::timeout), 1U);
}

TEST(Transport, EndsARequestAtItsDeadline) {
  SocketUpstream silent{[](Received const&) { return hang(); }};
  auto settings = upstream_of({silent.address()});
  settings.timeouts.request = 80ms;
  settings.timeouts.attempt = 50ms;
  Proxy proxy{settings};
  auto const answered = proxy.caller().get("/");
  EXPECT_EQ(answered.status, 504U);
  ASSERT_TRUE(proxy.settles());
  EXPECT_EQ(proxy.ledger().started, silent.received());
}

TEST(Transport, BlamesNoUpstreamForASlowCaller) {
  SocketUpstream upstream{[](Received const&) { return answer(200, "ok"); }};
  auto settings = upstream_of({upstream.address()});
  settings.timeouts.attempt = 300ms;
  settings.timeouts.request = 1s;
  settings.breaker.slow_after = 200ms;
  Proxy proxy{settings};
  auto caller = proxy.caller();
  caller.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nhalf");
  auto const answered = caller.read_answer();
  EXPECT_EQ(answered.status, 408U);
  ASSERT_TRUE(proxy.settles());
  auto const ledger = proxy.ledger();
  EXPECT_EQ(ledger.excluded, 1U);
  EXPECT_EQ(ledger.failed(), 0U);
  EXPECT_EQ(ledger.slow, 0U);
}

TEST(Transport, OutlivesItsAttemptWithAnUpload) {
  // An answer before the body is in, then a body that turns out to be none: the upload goes on when its
  // attempt has long had its head.
  Asked asked{"POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"};
  ASSERT_TRUE(asked.endpoint.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nearly\r\n"));
  EXPECT_EQ(asked.caller.read_bytes(12), "HTTP/1.1 200");
  asked.caller.send("no size\r\n");
  ASSERT_TRUE(asked.endpoint.send("4\r\nlate\r\n0\r\n\r\n"));
  ASSERT_TRUE(asked.proxy.settles());
  EXPECT_EQ(asked.proxy.ledger().success, 1U);
}

TEST(Transport, StandsInterimAnswersHoweverTheyFillItsBuffer) {
  // Together with the head they fill the block that they are read into: to the byte, and beyond.
  for (std::size_t const size : {69'632UL, 69'600UL, 60'000UL}) {
    std::string const interim_line = "HTTP/1.1 103 Early Hints\r\nLink: ";
    std::string const last = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    std::string all;
    while (all.size() + 1000 + 100 + last.size() < size) {
      all += interim_line + std::string(1000 - interim_line.size() - 4, 'h') + "\r\n\r\n";
    }
    auto const left = size - all.size() - last.size();
    all += interim_line + std::string(left - interim_line.size() - 4, 'h') + "\r\n\r\n" + last;
    SocketUpstream upstream{[&](Received const&) { return raw(all); }};
    Proxy proxy{upstream_of({upstream.address()})};
    auto const answered = proxy.caller().get("/");
    EXPECT_EQ(answered.status, size > 65'536 ? 502U : 200U) << size;
    EXPECT_EQ(proxy.caller().get("/").status, answered.status) << size;
  }
}

TEST(Transport, PassesAnEarlyAnswerOnWhileTheBodyStillComes) {
  Asked asked{"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 1000000\r\n\r\nbegins"};
  ASSERT_TRUE(asked.endpoint.send("HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\n\r\nstop"));
  auto const answered = asked.caller.read_answer();
  EXPECT_EQ(answered.status, 413U);
  EXPECT_EQ(answered.body, "stop");
  EXPECT_TRUE(answered.has("Connection: close"));
}

TEST(Transport, LetsABodyGoOnBesideAnAnswerThatIsPassedOn) {
  // The endpoint ends its answer when it has read the whole request, whatever the answer is. Of those that
  // could be tried again there is no other attempt.
  InTwo const body;
  for (auto const* status : {"200", "302", "404", "500", "503"}) {
    HandUpstream upstream;
    auto settings = upstream_of({upstream.address()});
    settings.retry.attempts = 1;
    Proxy proxy{settings};
    auto caller = proxy.caller();
    caller.send(body.head() + body.first);
    auto endpoint = upstream.accept();
    endpoint.read_head();
    endpoint.send("HTTP/1.1 " + std::string(status) + " Early\r\nContent-Length: 3\r\n\r\n");
    ASSERT_TRUE(caller.read_head().starts_with("HTTP/1.1 " + std::string(status)));
    caller.send(body.second);
    ASSERT_TRUE(endpoint.read_bytes(body.whole().size()) == body.whole()) << status;
    endpoint.send("end");
    EXPECT_EQ(caller.read_bytes(3), "end") << status;
  }
}

TEST(Transport, EndsTheUploadOfAnAnswerThatIsTriedAgain) {
  InTwo const body;
  Asked asked{body.head() + body.first};
  ASSERT_TRUE(asked.endpoint.read_bytes(body.first.size()) == body.first);
  asked.endpoint.send("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
  auto second = asked.upstream.accept();
  second.read_head();
  asked.caller.send(body.second);
  EXPECT_TRUE(second.read_bytes(body.whole().size()) == body.whole());
  EXPECT_TRUE(asked.endpoint.ended()) << "in mid-body nobody can use it again";
  second.send(fine);
  EXPECT_EQ(asked.caller.read_answer().status, 200U);
}

TEST(Transport, LooksNamesUp) {
  SocketUpstream upstream{[](Received const&) { return answer(200, "ok"); }};
  Proxy proxy{upstream_of({"localhost:" + std::to_string(upstream.port())})};
  for (int i = 0; i < 4; ++i) EXPECT_EQ(proxy.caller().get("/").status, 200U);
  EXPECT_EQ(proxy.ledger().failed(), 0U);
}

TEST(Transport, SaysThatANameGivesNoAddress) {
  auto settings = upstream_of({"name.invalid:80"});
  settings.retry.attempts = 1;
  Proxy proxy{settings};
  auto const answered = proxy.caller().get("/");
  EXPECT_EQ(answered.status, 502U);
  EXPECT_TRUE(answered.has("error=dns_error"));
  EXPECT_EQ(failures(proxy.ledger(), FailureKind::dns), 1U);
}

}  // namespace
}  // namespace candor::test
