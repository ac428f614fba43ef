#include "candor/http/forward.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "heads.hpp"

namespace candor::http {
namespace {

/// What an upstream gets of a request, without Via and the attempt's number.
std::string forwarded(std::string_view start, std::string_view lines, RequestForwarding forwarding = {}) {
  ParsedRequest const request(std::string(start) + "\r\n" + std::string(lines) + "\r\n");
  EXPECT_TRUE(complete(request.result)) << verdict(request.result);
  forwarding.target = request.head.origin_target();
  std::string out;
  append_request_head(out, request.head, forwarding);
  constexpr std::string_view tail = "candor-attempt: 1\r\n\r\n";
  if (out.ends_with(tail)) out.resize(out.size() - tail.size());
  return out;
}

/// The lines that are left of these behind a Host.
std::string kept(std::string_view lines) {
  constexpr std::string_view head = "GET / HTTP/1.1\r\nHost: a\r\n";
  std::string const out = forwarded("GET / HTTP/1.1", "Host: a\r\n" + std::string(lines));
  EXPECT_TRUE(out.starts_with(head)) << out;
  return out.substr(head.size());
}

TEST(ForwardedRequest, PassesEverythingElseByteForByteInItsOrder) {
  constexpr std::string_view lines =
      "x-b:1\r\nACCEPT:\t*/* \r\nX-a:  2\r\nx-b: 3\r\nCookie: a=b; c\r\ntraceparent: 00-1-2-01\r\n"
      "Content-Type: x\r\nVia: 1.0 other\r\nTrailer: X\r\nDate: y\r\nAuthorization: z\r\n";
  EXPECT_EQ(kept(lines), lines);
}

TEST(ForwardedRequest, AppendsToWhatIsThere) {
  ParsedRequest const request(get_with("X: y\r\nConnection: close\r\nZ: z\r\n"));
  std::string out = "before";
  append_request_head(out, request.head,
                      {.target = "/t", .attempt = 12, .retry_reason = "connect", .via = "pseudonym"});
  EXPECT_EQ(out,
            "beforeGET /t HTTP/1.1\r\nHost: a\r\nX: y\r\nZ: z\r\nVia: 1.1 pseudonym\r\n"
            "candor-attempt: 12\r\ncandor-retry-reason: connect\r\n\r\n");
}

TEST(ForwardedRequest, LosesTheKnownHopByHopFields) {
  for (std::string_view const line :
       {"Connection: keep-alive\r\n", "Keep-Alive: timeout=5\r\n", "Proxy-Connection: keep-alive\r\n",
        "Proxy-Authorization: Basic x\r\n", "Proxy-Authenticate: Basic\r\n", "Upgrade: websocket\r\n",
        "TE: gzip\r\n", "Expect: 100-continue\r\n"}) {
    EXPECT_EQ(kept("A: b\r\n" + std::string(line) + "C: d\r\n"), "A: b\r\nC: d\r\n") << line;
  }
}

TEST(ForwardedRequest, LosesEveryFieldThatConnectionNamesOverAllItsLines) {
  EXPECT_EQ(kept("X-One: 1\r\nConnection: x-ONE , close,x-three\r\nX-Two: 2\r\nConnection: X-Four\r\n"
                 "X-Three: 3\r\nx-four: 4\r\nX-One: 5\r\nX-On: 6\r\nX-Onet: 7\r\nClose: 8\r\n"),
            "X-Two: 2\r\nX-On: 6\r\nX-Onet: 7\r\nClose: 8\r\n");
  EXPECT_EQ(kept("Connection: trailer, via\r\nTrailer: X\r\nVia: 1.1 x\r\nA: b\r\n"), "A: b\r\n");
}

TEST(ForwardedRequest, KeepsHostAndLengthEvenIfConnectionNamesThem) {
  EXPECT_EQ(kept("Connection: host, content-length\r\nContent-Length: 5\r\n"), "Content-Length: 5\r\n");
  EXPECT_EQ(kept("Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n"),
            "Transfer-Encoding: chunked\r\n");
}

TEST(ForwardedRequest, TellsTheUpstreamThatTrailersAreWelcomeIfTheCallerSaidSo) {
  constexpr std::string_view welcome = "TE: trailers\r\nConnection: TE\r\n";
  EXPECT_EQ(kept("TE: trailers\r\nConnection: TE\r\n"), welcome);
  EXPECT_EQ(kept("te: gzip;q=0.5, Trailers\r\n"), welcome);
  EXPECT_EQ(kept("TE: trailers;q=0.5\r\n"), welcome);
  EXPECT_EQ(kept("TE: gzip\r\nTE: deflate, trailers\r\n"), welcome);
}

TEST(ForwardedRequest, PassesNoOtherWishOfTeAndNoneForNoTrailers) {
  for (auto const* wish :
       {"gzip", "trailers;q=0", "trailers ; q=0.000, gzip", "x-trailers", "deflate;q=1", ""}) {
    EXPECT_EQ(kept("TE: " + std::string(wish) + "\r\nConnection: TE\r\n"), "") << wish;
  }
  EXPECT_EQ(forwarded("GET / HTTP/1.0", "Host: a\r\nTE: trailers\r\n"), "GET / HTTP/1.1\r\nHost: a\r\n");
}

TEST(ForwardedRequest, AsksForTheProtocolThatIsGivenAndForNoOther) {
  EXPECT_EQ(forwarded("GET / HTTP/1.1", "Host: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\nA: b\r\n",
                      {.upgrade = "websocket"}),
            "GET / HTTP/1.1\r\nHost: a\r\nA: b\r\nConnection: upgrade\r\nUpgrade: websocket\r\n");
}

TEST(ForwardedRequest, AsksWhetherTheBodyIsWantedWhereItsCallerStillWaits) {
  EXPECT_EQ(forwarded("POST / HTTP/1.1", "Host: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n",
                      {.expect_continue = true}),
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n");
}

TEST(ForwardedRequest, KeepsExpectationsThatItDoesNotKnow) {
  EXPECT_EQ(kept("Expect: the=unexpected\r\n"), "Expect: the=unexpected\r\n");
  EXPECT_EQ(kept("Expect: the=unexpected, 100-Continue\r\n"), "Expect: the=unexpected\r\n");
  EXPECT_EQ(kept("A: b\r\nexpect: 100-continue,,a=\"b, c\";d , x\r\nC: d\r\n"),
            "A: b\r\nExpect: a=\"b, c\";d, x\r\nC: d\r\n");
  EXPECT_EQ(kept("Expect: x\r\nConnection: expect\r\n"), "");
}

/// The protocol that a request with these lines asks to change to.
std::string upgrade(std::string_view lines, std::string_view version = "1.1") {
  ParsedRequest const request("GET / HTTP/" + std::string(version) + "\r\nHost: a\r\n" + std::string(lines) +
                              "\r\n");
  std::vector<std::string> const allowed{"websocket", "x/1"};
  return std::string(upgrade_of(request.head, allowed));
}

TEST(Upgrade, IsAskedForByBothFieldsTogether) {
  EXPECT_EQ(upgrade("Connection: Upgrade\r\nUpgrade: websocket\r\n"), "websocket");
  EXPECT_EQ(upgrade("Upgrade: WebSocket\r\nConnection: keep-alive, upgrade\r\n"), "WebSocket");
  EXPECT_EQ(upgrade("Upgrade: x/1\r\nConnection: upgrade\r\nContent-Length: 0\r\n"), "x/1");
  for (auto const* alone : {"Upgrade: websocket\r\n", "Connection: upgrade\r\n"}) {
    EXPECT_EQ(upgrade(alone), "") << alone;
  }
}

TEST(Upgrade, IsNoneToOtherProtocolsOrToSeveral) {
  for (auto const* protocols :
       {"Upgrade: x\r\n", "Upgrade: h2c\r\nConnection: HTTP2-Settings\r\nHTTP2-Settings: x\r\n",
        "Upgrade: websocket, h2c\r\n", "Upgrade: websocket\r\nUpgrade: h2c\r\n"}) {
    EXPECT_EQ(upgrade("Connection: upgrade\r\n" + std::string(protocols)), "") << protocols;
  }
}

TEST(Upgrade, IsNoneBesideABodyOrInAnOldVersion) {
  std::string const asks = "Connection: upgrade\r\nUpgrade: websocket\r\n";
  EXPECT_EQ(upgrade(asks + "Content-Length: 1\r\n"), "");
  EXPECT_EQ(upgrade(asks + "Transfer-Encoding: chunked\r\n"), "");
  EXPECT_EQ(upgrade(asks, "1.0"), "");
}

bool passed(std::string_view lines) {
  ParsedRequest const request(get_with(lines));
  return has_passed(request.head.fields, "candor-1");
}

TEST(Via, TellsALoopByOurName) {
  EXPECT_TRUE(passed("Via: 1.1 candor-1\r\n"));
  EXPECT_TRUE(passed("Via: 1.0 fred, 1.1 CANDOR-1 (a comment), HTTP/1.1 x\r\n"));
  EXPECT_TRUE(passed("Via: 1.1 x\r\nvia: HTTP/1.1\tcandor-1\r\n"));
}

TEST(Via, TellsALoopWhateverStandsInAComment) {
  EXPECT_TRUE(passed("Via: 1.1 x (5\" disk), 1.1 candor-1\r\n"));
  EXPECT_TRUE(passed("Via: 1.1 x (a (b, \\) c) d), 1.1 candor-1\r\n"));
  EXPECT_TRUE(passed("Via: 1.1 x (no end, 1.1 candor-1\r\n"));
  EXPECT_FALSE(passed("Via: 1.1 x (a, 1.1 candor-1, b)\r\n"));
}

TEST(Via, TellsNoLoopByAnotherName) {
  EXPECT_FALSE(passed("X: y\r\n"));
  EXPECT_FALSE(passed("Via: 1.1 candor-12, 1.1 xcandor-1, candor-1 x\r\n"));
  EXPECT_FALSE(passed("Via: 1.1 x (candor-1)\r\n"));
}

std::string limited(std::string_view method, std::string_view value) {
  return forwarded(std::string(method) + " / HTTP/1.1",
                   "Host: a\r\nmax-forwards: " + std::string(value) + "\r\nB: c\r\n");
}

TEST(MaxForwards, IsLoweredOfOptionsAndTraceAlone) {
  EXPECT_EQ(limited("OPTIONS", "3"), "OPTIONS / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 2\r\nB: c\r\n");
  EXPECT_EQ(limited("TRACE", "1"), "TRACE / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\nB: c\r\n");
  EXPECT_EQ(limited("GET", "3"), "GET / HTTP/1.1\r\nHost: a\r\nmax-forwards: 3\r\nB: c\r\n");
  EXPECT_EQ(limited("GET", "x"), "GET / HTTP/1.1\r\nHost: a\r\nmax-forwards: x\r\nB: c\r\n");
  EXPECT_EQ(limited("TRACE", "007"), "TRACE / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 6\r\nB: c\r\n");
}

TEST(MaxForwards, BeyondWhatWeCanCountIsTheMostThatWeCan) {
  EXPECT_EQ(limited("TRACE", "99999999999999999999999"),
            "TRACE / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 18446744073709551614\r\nB: c\r\n");
}

TEST(ForwardedRequest, MakesTheFramingAnew) {
  EXPECT_EQ(kept("A: b\r\nTransfer-Encoding: CHUNKED\r\nC: d\r\n"),
            "A: b\r\nC: d\r\nTransfer-Encoding: chunked\r\n");
  EXPECT_EQ(kept("content-length:5\r\nA: b\r\n"), "content-length:5\r\nA: b\r\n");
  EXPECT_EQ(kept("Content-Length: 0\r\n"), "Content-Length: 0\r\n");
}

TEST(ForwardedRequest, SaysALengthOnceAndWithoutLeadingZeros) {
  EXPECT_EQ(kept("Content-Length: 5\r\nA: b\r\nContent-Length: 5\r\n"), "Content-Length: 5\r\nA: b\r\n");
  EXPECT_EQ(kept("A: b\r\nContent-Length: 0010\r\nC: d\r\n"), "A: b\r\nContent-Length: 10\r\nC: d\r\n");
  EXPECT_EQ(kept("Content-Length: 00\r\n"), "Content-Length: 0\r\n");
}

TEST(ForwardedRequest, CarriesOurAttemptFieldsAndNotTheCallers) {
  ParsedRequest const request(
      get_with("Candor-Attempt: 7\r\nA: b\r\ncandor-retry-reason: lies\r\ncandor-retry: refused\r\n"));
  std::string out;
  append_request_head(out, request.head, {.target = "/", .attempt = 2, .retry_reason = "reset"});
  EXPECT_EQ(out,
            "GET / HTTP/1.1\r\nHost: a\r\nA: b\r\ncandor-retry: refused\r\n"
            "candor-attempt: 2\r\ncandor-retry-reason: reset\r\n\r\n");
}

TEST(ForwardedRequest, WritesAFieldAnewInThePlaceOfAllTheCallersLines) {
  EXPECT_EQ(
      forwarded("GET / HTTP/1.1", "Host: a\r\nx-timeout: 5\r\nX-Timeouts: 6\r\nX-TIMEOUT: 7\r\nB: c\r\n",
                {.renewed_name = "X-Timeout", .renewed_value = "4"}),
      "GET / HTTP/1.1\r\nHost: a\r\nX-Timeouts: 6\r\nB: c\r\nX-Timeout: 4\r\n");
  EXPECT_EQ(kept("X-Timeout: 5\r\n"), "X-Timeout: 5\r\n");
}

TEST(ForwardedRequest, RewritesTheHostWhereAsked) {
  EXPECT_EQ(forwarded("GET / HTTP/1.1", "A: b\r\nHost: a\r\n", {.target = {}, .host = "other:1"}),
            "GET / HTTP/1.1\r\nHost: other:1\r\nA: b\r\n");
  EXPECT_EQ(forwarded("GET / HTTP/1.1", "A: b\r\nHost: a\r\n", {.target = {}, .host = ""}),
            "GET / HTTP/1.1\r\nHost: \r\nA: b\r\n");
}

TEST(ForwardedRequest, TakesTheHostFromAnAbsoluteFormOverTheField) {
  EXPECT_EQ(forwarded("GET http://real/x HTTP/1.1", "Host: fake\r\n"), "GET /x HTTP/1.1\r\nHost: real\r\n");
  EXPECT_EQ(forwarded("GET http://same/x HTTP/1.1", "A: b\r\nHost: same\r\n"),
            "GET /x HTTP/1.1\r\nA: b\r\nHost: same\r\n");
}

TEST(ForwardedRequest, HasARootEvenIfTheAbsoluteFormHadNone) {
  EXPECT_EQ(forwarded("GET http://a?b HTTP/1.1", "Host: a\r\n"), "GET /?b HTTP/1.1\r\nHost: a\r\n");
  EXPECT_EQ(forwarded("GET http://a HTTP/1.1", "Host: a\r\n"), "GET / HTTP/1.1\r\nHost: a\r\n");
  EXPECT_EQ(forwarded("OPTIONS http://a HTTP/1.1", "Host: a\r\n"), "OPTIONS * HTTP/1.1\r\nHost: a\r\n");
}

TEST(ForwardedRequest, IsHttp11AndNamesAHostEvenIfTheCallersWasNot) {
  ParsedRequest const request("GET / HTTP/1.0\r\nA: b\r\n\r\n");
  std::string out;
  append_request_head(out, request.head, {.target = "/", .via = "candor"});
  EXPECT_EQ(out, "GET / HTTP/1.1\r\nHost: \r\nA: b\r\nVia: 1.0 candor\r\ncandor-attempt: 1\r\n\r\n");
}

TEST(ForwardedRequest, IsReadByOurOwnGuardAsTheSameMessage) {
  for (std::string_view const lines :
       {"", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n",
        "Content-Length: 007\r\nContent-Length: 7\r\n", "Connection: x, close\r\nX: y\r\nTE: trailers\r\n"}) {
    ParsedRequest const request(get_with(lines));
    std::string out;
    append_request_head(out, request.head, {.target = "/"});
    ParsedRequest const again(out);
    ASSERT_EQ(verdict(again.result), "complete " + std::to_string(out.size())) << out;
    EXPECT_EQ(again.head.framing, request.head.framing) << out;
    EXPECT_TRUE(again.head.keep_alive);
  }
}

std::string answered(std::string_view start, std::string_view lines,
                     ResponseForwarding const& forwarding = {}, Method method = Method::get) {
  ParsedResponse const response(std::string(start) + "\r\n" + std::string(lines) + "\r\n", method);
  EXPECT_TRUE(complete(response.result)) << verdict(response.result);
  std::string out;
  append_response_head(out, response.head, forwarding);
  return out;
}

TEST(ForwardedResponse, PassesEverythingElseByteForByteInItsOrder) {
  EXPECT_EQ(
      answered("HTTP/1.1 200 Fine  indeed",
               "server:x\r\nKeep-Alive: timeout=5\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nConnection: x-y\r\n"
               "X-Y: z\r\nContent-Length: 5\r\nProxy-Authenticate: Basic\r\nVia: 1.1 a\r\nTrailer: T\r\n"),
      "HTTP/1.1 200 Fine  indeed\r\nserver:x\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nContent-Length: 5\r\n"
      "Via: 1.1 a\r\nTrailer: T\r\n\r\n");
}

TEST(ForwardedResponse, KeepsAnEmptyReasonAndRepairsAMissingSpace) {
  EXPECT_EQ(answered("HTTP/1.1 204", ""), "HTTP/1.1 204 \r\n\r\n");
}

TEST(ForwardedResponse, IsFramedAsChunksWhereAsked) {
  EXPECT_EQ(answered("HTTP/1.1 200 OK", "A: b\r\nTransfer-Encoding: chunked\r\n", {.chunked = true}),
            "HTTP/1.1 200 OK\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(answered("HTTP/1.0 200 OK", "A: b\r\n", {.chunked = true}),
            "HTTP/1.1 200 OK\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(answered("HTTP/1.1 200 OK", "Content-Length: 5\r\n", {.chunked = true}),
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
}

TEST(ForwardedResponse, NeverHasChunksWhereNoBodyCanBe) {
  for (std::string_view const start : {"HTTP/1.1 204 A", "HTTP/1.1 304 A", "HTTP/1.1 103 A"}) {
    EXPECT_EQ(answered(start, "", {.chunked = true}), std::string(start) + "\r\n\r\n");
  }
}

TEST(ForwardedResponse, KeepsALengthOnlyWhereItMeansSomething) {
  constexpr std::string_view length = "Content-Length: 5\r\n";
  EXPECT_EQ(answered("HTTP/1.1 200 OK", length, {}, Method::head),
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(answered("HTTP/1.1 304 A", length), "HTTP/1.1 304 A\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(answered("HTTP/1.1 204 A", length), "HTTP/1.1 204 A\r\n\r\n");
  EXPECT_EQ(answered("HTTP/1.1 103 A", length), "HTTP/1.1 103 A\r\n\r\n");
  EXPECT_EQ(
      answered("HTTP/1.1 200 OK", std::string(length) + "Transfer-Encoding: chunked\r\n", {}, Method::head),
      "HTTP/1.1 200 OK\r\n\r\n");
  EXPECT_EQ(answered("HTTP/1.1 200 OK", "Content-Length: 05\r\nContent-Length: 5\r\n"),
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
}

TEST(ForwardedResponse, SpeaksTheCallersVersionAndSaysWhetherItStays) {
  ResponseForwarding old{.caller_version = Version::http_1_0};
  EXPECT_EQ(answered("HTTP/1.1 200 OK", "Content-Length: 0\r\n", old),
            "HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n");
  old.keep_alive = false;
  old.chunked = true;  // it could not read them
  EXPECT_EQ(answered("HTTP/1.1 200 OK", "Transfer-Encoding: chunked\r\n", old),
            "HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(answered("HTTP/1.1 200 OK", "Content-Length: 0\r\n", {.keep_alive = false}),
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(answered("HTTP/1.1 103 Hints", "Link: x\r\n", {.keep_alive = false}),
            "HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n");
}

TEST(ForwardedResponse, CarriesWhatCandorHadToDoWithIt) {
  constexpr std::string_view lines = "Proxy-Status: other\r\nCandor-Retry: refused\r\nContent-Length: 0\r\n";
  EXPECT_EQ(answered("HTTP/1.1 503 No", lines, {.proxy_status = "candor; x", .candor_retry = "exhausted"}),
            "HTTP/1.1 503 No\r\nProxy-Status: other\r\nContent-Length: 0\r\nProxy-Status: candor; x\r\n"
            "candor-retry: exhausted\r\n\r\n");
  EXPECT_EQ(answered("HTTP/1.1 200 OK", "Content-Length: 0\r\ncandor-fallback: stale\r\n",
                     {.candor_fallback = "upstream"}),
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\ncandor-fallback: upstream\r\n\r\n");
  // Another Candor's word, further up, still holds for the caller.
  EXPECT_EQ(answered("HTTP/1.1 503 No", lines), "HTTP/1.1 503 No\r\n" + std::string(lines) + "\r\n");
}

TEST(ForwardedResponse, GetsADateIfItHasNone) {
  ResponseForwarding const now{.date = "Sun, 06 Nov 1994 08:49:37 GMT"};
  EXPECT_EQ(answered("HTTP/1.1 200 OK", "A: b\r\nContent-Length: 0\r\n", now),
            "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 0\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n");
  EXPECT_EQ(answered("HTTP/1.1 204 No", "date: its own\r\n", now),
            "HTTP/1.1 204 No\r\ndate: its own\r\n\r\n");
  EXPECT_EQ(answered("HTTP/1.1 204 No", "date: x\r\nConnection: date\r\n", now),
            "HTTP/1.1 204 No\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n");
  EXPECT_EQ(answered("HTTP/1.1 103 Hints", "", now), "HTTP/1.1 103 Hints\r\n\r\n");
}

TEST(ForwardedResponse, OfResetContentSaysThatItHasNone) {
  for (std::string_view const framing : {"Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", ""}) {
    EXPECT_EQ(answered("HTTP/1.1 205 Reset", "A: b\r\n" + std::string(framing), {.chunked = true}),
              "HTTP/1.1 205 Reset\r\nA: b\r\nContent-Length: 0\r\n\r\n");
  }
  EXPECT_FALSE(has_content(205));
  EXPECT_TRUE(has_content(200) && has_content(206));
}

std::string last_chunk(std::string_view trailers, std::string_view lines) {
  ParsedRequest const request(get_with(lines));
  std::string out;
  append_last_chunk(out, trailers, request.head.fields);
  return out;
}

TEST(Trailers, PassButForThoseThatConnectionNames) {
  constexpr std::string_view trailers = "A: 1\r\nx-b:2\r\nC: 3\r\nA: 4\r\n";
  EXPECT_EQ(last_chunk(trailers, ""), "0\r\nA: 1\r\nx-b:2\r\nC: 3\r\nA: 4\r\n\r\n");
  EXPECT_EQ(last_chunk(trailers, "Connection: close, X-B\r\nConnection: a\r\n"), "0\r\nC: 3\r\n\r\n");
  EXPECT_EQ(last_chunk("A: 1\r\n", "Connection: a\r\n"), "0\r\n\r\n");
  EXPECT_EQ(last_chunk("", "Connection: a\r\n"), "0\r\n\r\n");
}

}  // namespace
}  // namespace candor::http
