// How long a response's body is (RFC 9112, 6.3), and which responses are refused.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "heads.hpp"

namespace candor::http {
namespace {

using namespace std::string_literals;

std::string framing_of(std::string_view status, std::string_view lines, Method method = Method::get) {
  return framing_or_refusal(
      ParsedResponse("HTTP/1.1 " + std::string(status) + "\r\n" + std::string(lines) + "\r\n", method));
}

TEST(ResponseFraming, FollowsLengthThenChunkedThenTheClose) {
  EXPECT_EQ(framing_of("200 OK", "Content-Length: 5\r\n"), "length 5");
  EXPECT_EQ(framing_of("200 OK", "Content-Length: 0\r\n"), "length 0");
  EXPECT_EQ(framing_of("200 OK", "Transfer-Encoding: chunked\r\n"), "chunked");
  EXPECT_EQ(framing_of("200 OK", ""), "until close");
  EXPECT_EQ(framing_of("503 Busy", ""), "until close");
}

TEST(ResponseFraming, HasNoBodyForHeadNoContentNotModifiedAndInterimWhateverTheFieldsSay) {
  for (std::string_view const lines :
       {"", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: gzip\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "Transfer-Encoding: chunked, chunked\r\n"}) {
    EXPECT_EQ(framing_of("200 OK", lines, Method::head), "none") << lines;
    for (std::string_view const status : {"100 Continue", "101 Switching Protocols", "103 Early Hints",
                                          "204 No Content", "304 Not Modified"}) {
      EXPECT_EQ(framing_of(status, lines), "none") << status << " " << lines;
    }
  }
}

TEST(ResponseFraming, HasNoBodyWhenAConnectSucceedsButOneWhenItFails) {
  EXPECT_EQ(framing_of("200 OK", "Content-Length: 5\r\n", Method::connect), "none");
  EXPECT_EQ(framing_of("299 Odd", "Transfer-Encoding: chunked\r\n", Method::connect), "none");
  EXPECT_EQ(framing_of("407 No", "Content-Length: 5\r\n", Method::connect), "length 5");
}

TEST(ResponseFraming, IsRefusedWhereItCouldBeReadTwoWays) {
  constexpr std::string_view both = "400 both Content-Length and Transfer-Encoding";
  EXPECT_EQ(framing_of("200 OK", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), both);
  EXPECT_EQ(framing_of("200 OK", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), both);
  EXPECT_EQ(framing_of("200 OK", "Content-Length: 5\r\nContent-Length: 6\r\n"),
            "400 two Content-Length fields that differ");
  EXPECT_EQ(framing_of("200 OK", "Content-Length: 5, 5\r\n"), "400 a Content-Length that is not a number");
  EXPECT_EQ(framing_of("200 OK", "Transfer-Encoding: gzip\r\n"), "501 a transfer coding other than chunked");
  EXPECT_EQ(framing_of("200 OK", "Transfer-Encoding: gzip, chunked\r\n"),
            "501 a transfer coding other than chunked");
  EXPECT_EQ(framing_of("200 OK", "Transfer-Encoding: chunked, gzip\r\n"),
            "400 a transfer coding after chunked");
  EXPECT_EQ(framing_of("200 OK", "Content-Length : 5\r\n"), "400 white space before a field's colon");
  EXPECT_EQ(framing_of("200 OK", "X: a\r\n b\r\n"), "400 white space at the start of a field line");
  EXPECT_EQ(framing_or_refusal(ParsedResponse("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")),
            "400 Transfer-Encoding in HTTP/1.0");
}

TEST(ResponseFraming, RefusesALengthThatWouldBePassedOnEvenWithoutABody) {
  EXPECT_EQ(framing_of("200 OK", "Content-Length: x\r\n", Method::head),
            "400 a Content-Length that is not a number");
  EXPECT_EQ(framing_of("304 Not Modified", "Content-Length: 1\r\nContent-Length: 2\r\n"),
            "400 two Content-Length fields that differ");
}

TEST(ResponseHeadOf, ReadsStatusVersionAndReason) {
  ParsedResponse const response("HTTP/1.0 404 Not \t Found\xe9\r\nServer: x\r\n\r\n");
  ASSERT_TRUE(complete(response.result));
  EXPECT_EQ(response.head.status, 404);
  EXPECT_EQ(response.head.reason, "Not \t Found\xe9");
  EXPECT_EQ(response.head.version, Version::http_1_0);
  EXPECT_EQ(response.head.fields.size(), 1U);
}

TEST(ResponseHeadOf, ReadsAHigherMinorVersionAsTheHighestThatItKnows) {
  ParsedResponse const response("HTTP/1.7 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(framing_or_refusal(response), "chunked");
  EXPECT_EQ(response.head.version, Version::http_1_1);
  EXPECT_TRUE(response.head.keep_alive);
  EXPECT_EQ(framing_or_refusal(ParsedResponse("HTTP/2.0 200 OK\r\n\r\n")),
            "505 a major version other than HTTP/1");
}

TEST(ResponseHeadOf, ReadsAStatusLineThatLacksItsReasonOrTheSpaceBeforeIt) {
  for (std::string_view const line : {"HTTP/1.1 204 ", "HTTP/1.1 204"}) {
    ParsedResponse const response(std::string(line) + "\r\nServer: x\r\nDate: y\r\n\r\n");
    ASSERT_TRUE(complete(response.result)) << line << verdict(response.result);
    EXPECT_EQ(response.head.status, 204);
    EXPECT_EQ(response.head.reason, "");
    EXPECT_EQ(response.head.version, Version::http_1_1);
    ASSERT_EQ(response.head.fields.size(), 2U);
    EXPECT_EQ(response.head.fields.find(FieldId::date)->value, "y");
  }
}

TEST(ResponseHeadOf, IsRefusedForAnythingThatIsNoStatusLine) {
  std::vector<std::pair<std::string, std::string_view>> const cases{
      {"HTTP/1.1 20 OK", "400 an invalid status"},
      {"HTTP/1.1 2000 OK", "400 an invalid status"},
      {"HTTP/1.1 099 OK", "400 an invalid status"},
      {"HTTP/1.1 2x0 OK", "400 an invalid status"},
      {"HTTP/1.1  200 OK", "400 an invalid status"},
      {"HTTP/1.1\t200 OK", "400 an invalid status"},
      {"HTTP/1.1 200\tOK", "400 an invalid status"},
      {"HTTP/1.1", "400 an invalid status"},
      {"HTTP/1.1 200 O\0K"s, "400 a control byte in the status line"},
      {"HTTP/1.1 200 O\rK", "400 a control byte in the status line"},
      {"HTTP/2.0 200 OK", "505 a major version other than HTTP/1"},
      {"HTTP/1.x 200 OK", "400 no HTTP version"},
      {"ICY 200 OK", "400 no HTTP version"},
      {"<html>", "400 no HTTP version"},
      {"", "400 an empty line before the status line"},
  };
  for (auto const& [line, expected] : cases) {
    EXPECT_EQ(verdict(ParsedResponse(line + "\r\nServer: x\r\n\r\n").result), expected) << line;
  }
}

TEST(ResponseHeadOf, RefusesBytesThatCannotBecomeAResponseAtOnce) {
  for (std::string_view const front : {"S", "HTTX", "HTTP/2", "\x15\x03", "\r"}) {
    EXPECT_EQ(verdict(ParsedResponse(std::string(front)).result), "400 no HTTP/1 response") << front;
  }
  for (std::string_view const front : {"H", "HTTP/1", "HTTP/1.", "HTTP/1.1 200 OK"}) {
    EXPECT_EQ(verdict(ParsedResponse(std::string(front)).result), "incomplete") << front;
  }
}

TEST(KeepAlive, FollowsVersionAndConnectionOverAllItsLines) {
  struct Case {
    std::string_view version;
    std::string_view lines;
    bool expected;
  };
  for (auto const& [version, lines, expected] : std::vector<Case>{
           {"1.1", "", true},
           {"1.1", "Connection: close\r\n", false},
           {"1.1", "Connection: CLOSE\r\n", false},
           {"1.1", "Connection: keep-alive, close\r\n", false},
           {"1.1", "Connection: x\r\nA: b\r\nConnection: y , close\r\n", false},
           {"1.1", "Connection: closed\r\n", true},
           {"1.1", "Proxy-Connection: close\r\n", true},
           {"1.0", "", false},
           {"1.0", "Connection: keep-alive\r\n", true},
           {"1.0", "Connection: x\r\nConnection: Keep-Alive\r\n", true},
           {"1.0", "Connection: keep-alive\r\nConnection: close\r\n", false},
       }) {
    ParsedRequest const request("GET / HTTP/" + std::string(version) + "\r\nHost: a\r\n" +
                                std::string(lines) + "\r\n");
    ASSERT_TRUE(complete(request.result)) << lines;
    EXPECT_EQ(request.head.keep_alive, expected) << version << " " << lines;
    ParsedResponse const response("HTTP/" + std::string(version) + " 200 OK\r\nContent-Length: 0\r\n" +
                                  std::string(lines) + "\r\n");
    ASSERT_TRUE(complete(response.result)) << lines;
    EXPECT_EQ(response.head.keep_alive, expected) << version << " " << lines;
  }
}

TEST(KeepAlive, EndsWithABodyThatOnlyTheCloseEnds) {
  EXPECT_FALSE(ParsedResponse("HTTP/1.1 200 OK\r\n\r\n").head.keep_alive);
  EXPECT_TRUE(ParsedResponse("HTTP/1.1 204 No Content\r\n\r\n").head.keep_alive);
}

}  // namespace
}  // namespace candor::http
