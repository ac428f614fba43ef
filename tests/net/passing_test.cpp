// What passes from one side to the other and what ends here, at the bytes that the other side gets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "asked.hpp"

namespace candor::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view plain_get = "GET / HTTP/1.1\r\nHost: test\r\n\r\n";

TEST(Trailers, OfARequestPassButForThoseThatConnectionNames) {
  Asked asked{
      "POST / HTTP/1.1\r\nHost: test\r\nConnection: x-secret\r\nTransfer-Encoding: chunked\r\n\r\n"
      "2\r\nhi\r\n0\r\nX-Sum: 7\r\nX-SECRET: s\r\nHost: evil\r\n\r\n"};
  constexpr std::string_view body = "2\r\nhi\r\n0\r\nX-Sum: 7\r\n\r\n";
  EXPECT_EQ(asked.endpoint.read_bytes(body.size()), body);
  asked.endpoint.send(fine);
  EXPECT_EQ(asked.caller.read_answer().status, 200U);
}

TEST(Trailers, OfAnAnswerPassButForThoseThatConnectionNames) {
  Asked asked{plain_get};
  asked.endpoint.send(
      "HTTP/1.1 200 OK\r\nConnection: X-Secret\r\nTransfer-Encoding: chunked\r\n\r\n"
      "2\r\nhi\r\n0\r\nX-Sum: 7\r\nx-secret: s\r\nContent-Length: 5\r\n\r\n");
  EXPECT_THAT(asked.caller.read_head(), Not(HasSubstr("X-Secret")));
  constexpr std::string_view body = "2\r\nhi\r\n0\r\nX-Sum: 7\r\n\r\n";
  EXPECT_EQ(asked.caller.read_bytes(body.size()), body);
}

TEST(Trailers, OfAnAnswerPassWhateverRoomItsHeadLeavesThem) {
  Asked asked{plain_get};
  for (std::size_t const size : {50'000U, 55'000U, 60'000U, 65'000U}) {
    for (std::size_t const lines : {1U, 60U, 75U}) {
      std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: ";
      head += std::string(size - head.size() - 4, 'h') + "\r\n\r\n";
      std::string trailers;
      for (std::size_t i = 0; i < lines; ++i) trailers += "X-Line: " + std::string(200, 't') + "\r\n";
      asked.endpoint.send(head + "3\r\nabc\r\n");
      asked.caller.read_head();
      ASSERT_EQ(asked.caller.read_bytes(8), "3\r\nabc\r\n") << "the rest comes later";
      auto const last = "0\r\n" + trailers + "\r\n";
      for (std::string_view rest = last; !rest.empty();) {
        auto const cut = rest.substr(0, 1 + lines * 97);
        asked.endpoint.send(cut);
        rest.remove_prefix(cut.size());
      }
      ASSERT_TRUE(asked.caller.read_bytes(last.size()) == last) << size << " " << lines;
      asked.caller.send(plain_get);
      ASSERT_TRUE(asked.endpoint.read_head().starts_with("GET / ")) << "over the same connection";
    }
  }
}

TEST(IdempotencyKey, ThatConnectionNamesNeitherArrivesNorAllowsASecondAttempt) {
  Asked asked{
      "POST / HTTP/1.1\r\nHost: test\r\nIdempotency-Key: 7\r\nConnection: idempotency-key\r\n"
      "Content-Length: 0\r\n\r\n"};
  EXPECT_THAT(asked.received, Not(HasSubstr("Idempotency-Key")));
  asked.endpoint.send(busy);
  auto const answered = asked.caller.read_answer();
  EXPECT_EQ(answered.status, 503U);
  EXPECT_THAT(answered.head, HasSubstr("retries denied: not_replayable"));
}

TEST(EmptyLines, BehindABodyLeaveTheConnectionIdle) {
  ProxyOptions options;
  options.limits.head_timeout = 1ms;
  Asked asked{"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\nhi\r\n", {.options = options}};
  EXPECT_EQ(asked.endpoint.read_bytes(2), "hi");
  asked.endpoint.send(fine);
  EXPECT_EQ(asked.caller.read_answer().status, 200U);
  // Heads that come too slowly are given up meanwhile, and this is none.
  for (int i = 0; i < 3; ++i) {
    auto slow = asked.proxy.caller();
    slow.send("GET / HT");
    EXPECT_EQ(slow.read_answer().status, 408U);
  }
  asked.caller.send("\r\n\r\n" + std::string(plain_get));
  EXPECT_TRUE(asked.endpoint.read_head().starts_with("GET / "));
  asked.endpoint.send(fine);
  EXPECT_EQ(asked.caller.read_answer().status, 200U);
}

TEST(EmptyLines, KeepNoConnectionBeyondItsIdleTime) {
  ProxyOptions options;
  options.limits.idle = 30ms;
  SocketUpstream upstream{[](Received const&) { return answer(200, "ok"); }};
  Proxy proxy{upstream_of({upstream.address()}), options};
  auto caller = proxy.caller();
  EXPECT_EQ(caller.get("/").status, 200U);
  caller.send("\r\n");
  EXPECT_TRUE(caller.ended());
  EXPECT_EQ(proxy.observer.rejections, 0U);
}

TEST(EmptyLines, WithoutAnEndAreRefused) {
  HandUpstream upstream;
  Proxy proxy{upstream_of({upstream.address()})};
  auto caller = proxy.caller();
  std::string lines;
  while (lines.size() <= 65'536) lines += "\r\n";
  caller.send(lines);
  EXPECT_EQ(caller.read_answer().status, 431U);
}

TEST(Versions, HigherThanOursAreSpokenToAsOurs) {
  Asked asked{"GET / HTTP/1.2\r\nHost: test\r\n\r\n"};
  EXPECT_TRUE(asked.received.starts_with("GET / HTTP/1.1\r\n"));
  asked.endpoint.send("HTTP/1.2 200 OK\r\nContent-Length: 2\r\n\r\nhi");
  auto const answered = asked.caller.read_answer();
  EXPECT_TRUE(answered.has("HTTP/1.1 200 OK\r\n")) << answered.head;
  EXPECT_EQ(answered.body, "hi");
  asked.caller.send(plain_get);
  EXPECT_TRUE(asked.endpoint.read_head().starts_with("GET / ")) << "both connections are kept";
}

TEST(Versions, OfAnotherMajorNumberAreRefused) {
  Asked asked{plain_get};
  auto caller = asked.proxy.caller();
  caller.send("GET / HTTP/2.0\r\nHost: test\r\n\r\n");
  EXPECT_EQ(caller.read_answer().status, 505U);
  asked.endpoint.send("HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n");
  auto const answered = asked.caller.read_answer();
  EXPECT_EQ(answered.status, 502U);
  EXPECT_TRUE(answered.has("error=http_protocol_error")) << answered.head;
}

TEST(Expectations, ThatWeDontKnowPassBesideTheOneThatWeDo) {
  Asked asked{"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\nExpect: 100-continue, foo\r\n\r\n"};
  EXPECT_THAT(asked.received, HasSubstr("\r\nExpect: foo\r\n"));
  EXPECT_THAT(asked.received, HasSubstr("\r\nExpect: 100-continue\r\n"));
  asked.endpoint.send("HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(asked.caller.read_answer().status, 417U);
}

TEST(MaxForwards, AtZeroIsAnsweredHereWithWhatIsTaken) {
  HandUpstream upstream;
  Proxy proxy{upstream_of({upstream.address()})};
  auto const ask = [&proxy](std::string const& method, std::string const& fields) {
    auto caller = proxy.caller();
    caller.send(method + " / HTTP/1.1\r\nHost: test\r\n" + fields + "\r\n");
    return caller.read_answer();
  };
  auto const traced = ask("TRACE", "Max-Forwards: 0\r\n");
  EXPECT_EQ(traced.status, 405U);
  EXPECT_TRUE(traced.has("\r\nAllow: OPTIONS\r\n")) << traced.head;
  auto const options = ask("OPTIONS", "Max-Forwards: 0\r\n");
  EXPECT_EQ(options.status, 200U);
  EXPECT_TRUE(options.has("\r\nAllow: OPTIONS\r\n")) << options.head;
  EXPECT_EQ(ask("OPTIONS", "Max-Forwards: 1\r\nMax-Forwards: 2\r\n").status, 400U);
  EXPECT_EQ(ask("TRACE", "Max-Forwards: many\r\n").status, 400U);
}

TEST(ResetContent, HasNoneForTheCallerHoweverItComes) {
  for (std::string const came : {"Content-Length: 5\r\n\r\nhello", "Content-Length: 0\r\n\r\n",
                                 "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"}) {
    Asked asked{plain_get};
    asked.endpoint.send("HTTP/1.1 205 Reset Content\r\n" + came);
    auto const head = asked.caller.read_head();
    EXPECT_TRUE(head.starts_with("HTTP/1.1 205 ")) << head;
    EXPECT_THAT(head, HasSubstr("\r\nContent-Length: 0\r\n"));
    EXPECT_THAT(head, Not(HasSubstr("chunked")));
    // The next answer is the next request's, over the same two connections.
    asked.caller.send("GET /next HTTP/1.1\r\nHost: test\r\n\r\n");
    EXPECT_TRUE(asked.endpoint.read_head().starts_with("GET /next "));
    asked.endpoint.send(fine);
    EXPECT_TRUE(asked.caller.read_head().starts_with("HTTP/1.1 200 "));
  }
}

TEST(Dates, AreAddedToAnswersThatHaveNoneAndToOurOwn) {
  Asked asked{plain_get};
  asked.endpoint.send(fine);
  auto const added = asked.caller.read_head();
  EXPECT_THAT(added, HasSubstr("\r\nDate: ")) << added;
  EXPECT_THAT(added, HasSubstr(" GMT\r\n")) << added;
  asked.caller.send(plain_get);
  asked.endpoint.read_head();
  asked.endpoint.send("HTTP/1.1 200 OK\r\ndate: long ago\r\nContent-Length: 0\r\n\r\n");
  auto const its_own = asked.caller.read_head();
  EXPECT_THAT(its_own, HasSubstr("\r\ndate: long ago\r\n"));
  EXPECT_THAT(its_own, Not(HasSubstr("Date: ")));
  auto caller = asked.proxy.caller();
  caller.send("no such thing\r\n\r\n");
  EXPECT_THAT(caller.read_head(), HasSubstr("\r\nDate: "));
}

/// The answer that a caller gets for one with this head.
Answered passed(std::string const& head, LimitSettings const& limits) {
  ProxyOptions options;
  options.limits = limits;
  Asked asked{"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n", {.options = options}};
  asked.endpoint.send(head + "\r\n");
  return asked.caller.read_answer();
}

TEST(Limits, OfHeadsHoldForAnswersToo) {
  LimitSettings const limits{.head = 1_KiB, .fields = 4};
  std::string const start = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n";
  EXPECT_EQ(passed(start + "A: b\r\nC: d\r\nE: f\r\n", limits).status, 200U);
  for (auto const& beyond :
       {start + "A: b\r\nC: d\r\nE: f\r\nG: h\r\n", start + "A: " + std::string(1'100, 'x') + "\r\n"}) {
    auto const answered = passed(beyond, limits);
    EXPECT_EQ(answered.status, 502U);
    EXPECT_TRUE(answered.has("error=http_response_header_section_size")) << answered.head;
  }
}

}  // namespace
}  // namespace candor::test
