// Every way to say a body's length twice, wrongly or not at all, in requests.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "heads.hpp"

namespace candor::http {
namespace {

using namespace std::string_literals;

std::string framing_of(std::string_view lines) {
  return framing_or_refusal(ParsedRequest("POST / HTTP/1.1\r\nHost: a\r\n" + std::string(lines) + "\r\n"));
}

std::string refusal_of_start(std::string_view line) {
  return framing_or_refusal(ParsedRequest(std::string(line) + "\r\nHost: a\r\n\r\n"));
}

struct Case {
  std::string lines;
  std::string_view expected;
};

TEST(FramingGuard, ReadsTheLengthThatARequestAnnounces) {
  EXPECT_EQ(framing_of(""), "none");
  EXPECT_EQ(framing_of("Content-Length: 0\r\n"), "length 0");
  EXPECT_EQ(framing_of("content-length:42\r\n"), "length 42");
  EXPECT_EQ(framing_of("CONTENT-LENGTH: \t 42 \t\r\n"), "length 42");
  EXPECT_EQ(framing_of("Content-Length: 9223372036854775807\r\n"), "length 9223372036854775807");
  EXPECT_EQ(framing_of("Content-Length: 007\r\n"), "length 7");
}

TEST(FramingGuard, TakesOneChunkedCodingInAnyCase) {
  EXPECT_EQ(framing_of("Transfer-Encoding: chunked\r\n"), "chunked");
  EXPECT_EQ(framing_of("transfer-encoding:\tChUnKeD \r\n"), "chunked");
}

TEST(FramingGuard, RefusesContentLengthTogetherWithTransferEncodingInEitherOrder) {
  constexpr std::string_view both = "400 both Content-Length and Transfer-Encoding";
  EXPECT_EQ(framing_of("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), both);
  EXPECT_EQ(framing_of("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), both);
  EXPECT_EQ(framing_of("Content-Length: 5\r\nX: y\r\nTransfer-Encoding: gzip\r\n"), both);
  EXPECT_EQ(framing_of("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n"), both);
  EXPECT_EQ(framing_of("Content-Length: 0\r\nTransfer-Encoding:\r\n"), both);
}

TEST(FramingGuard, RefusesTwoContentLengthsThatDiffer) {
  constexpr std::string_view differ = "400 two Content-Length fields that differ";
  EXPECT_EQ(framing_of("Content-Length: 5\r\nContent-Length: 6\r\n"), differ);
  EXPECT_EQ(framing_of("Content-Length: 5\r\nX: y\r\ncontent-length: 0\r\n"), differ);
}

TEST(FramingGuard, TakesContentLengthsThatAgreeForOne) {
  EXPECT_EQ(framing_of("Content-Length: 5\r\nContent-Length: 5\r\n"), "length 5");
  EXPECT_EQ(framing_of("Content-Length: 5\r\nContent-Length: 05\r\n"), "length 5");
}

TEST(FramingGuard, RefusesAContentLengthThatIsNotOneNumber) {
  for (std::string_view const value :
       {"", " ", "-1", "+5", "5 5", "5,5", "5, 5", "5;", "0x10", "1e3", "5.0", "five", "\"5\"", "5\xc2\xa0",
        "9223372036854775808", "18446744073709551616", "99999999999999999999999999"}) {
    EXPECT_EQ(framing_of("Content-Length:" + std::string(value) + "\r\n"),
              "400 a Content-Length that is not a number")
        << value;
  }
}

TEST(FramingGuard, RefusesCodingsThatAreNotExactlyOneFinalChunked) {
  constexpr std::string_view unknown = "501 a transfer coding other than chunked";
  constexpr std::string_view after = "400 a transfer coding after chunked";
  constexpr std::string_view no_list = "400 a Transfer-Encoding that is not a list of codings";
  std::vector<Case> const cases{
      {"Transfer-Encoding: gzip\r\n", unknown},
      {"Transfer-Encoding: identity\r\n", unknown},
      {"Transfer-Encoding: gzip, chunked\r\n", unknown},
      {"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", unknown},
      {"Transfer-Encoding: xchunked\r\n", unknown},
      {"Transfer-Encoding: chunked, gzip\r\n", after},
      {"Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n", after},
      {"Transfer-Encoding: chunked, chunked\r\n", after},
      {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", after},
      {"Transfer-Encoding: chunked\r\nX: y\r\ntransfer-encoding: identity\r\n", after},
      {"Transfer-Encoding: chunked,\r\n", after},
      {"Transfer-Encoding: ,chunked\r\n", no_list},
      {"Transfer-Encoding:\r\n", no_list},
      {"Transfer-Encoding: chunked\r\nTransfer-Encoding:\r\n", after},
      {"Transfer-Encoding: chun ked\r\n", no_list},
      {"Transfer-Encoding: \"chunked\"\r\n", no_list},
      {"Transfer-Encoding: \xe2\x80\x8b"
       "chunked\r\n",
       no_list},
      {"Transfer-Encoding: chunked;q=1\r\n", "400 chunked with parameters"},
      {"Transfer-Encoding: gzip;level=9\r\n", unknown},
  };
  for (auto const& [lines, expected] : cases) EXPECT_EQ(framing_of(lines), expected) << lines;
}

TEST(FramingGuard, RefusesTransferEncodingInHttp10) {
  for (std::string_view const coding : {"chunked", "gzip", ""}) {
    ParsedRequest const request("POST / HTTP/1.0\r\nTransfer-Encoding: " + std::string(coding) + "\r\n\r\n");
    EXPECT_EQ(verdict(request.result), "400 Transfer-Encoding in HTTP/1.0") << coding;
  }
}

TEST(FramingGuard, RefusesEveryMisshapenFieldLine) {
  constexpr std::string_view start = "400 white space at the start of a field line";
  constexpr std::string_view before_colon = "400 white space before a field's colon";
  constexpr std::string_view no_token = "400 a field name that is not a token";
  constexpr std::string_view control = "400 a control byte in a field";
  std::vector<Case> const cases{
      {"Content-Length : 5\r\n", before_colon},
      {"Transfer-Encoding\t: chunked\r\n", before_colon},
      {"X Y: z\r\n", before_colon},
      {"X: a\r\n b\r\n", start},
      {"X: a\r\n\tTransfer-Encoding: chunked\r\n", start},
      {"X: a\r\n \r\n", start},
      {"NoColon\r\n", "400 a field line without a colon"},
      {": empty\r\n", "400 a field without a name"},
      {"X(y): z\r\n", no_token},
      {"X\"y: z\r\n", no_token},
      {"X\xc3\xa4: z\r\n", no_token},
      {"X\0y: z\r\n"s, no_token},
      {"X\x01: z\r\n", no_token},
      {"X\x7f: z\r\n", no_token},
      {"X: a\0b\r\n"s, control},
      {"X: a\x01\r\n", control},
      {"X: \x1f\r\n", control},
      {"X: \x7f\r\n", control},
      {"X: a\rb\r\n", control},
      {"X: a\r\r\n", control},
      {"Transfer-Encoding: \x0b"
       "chunked\r\n",
       control},
      {"X: a long value with its bad byte far behind\x02\r\n", control},
      {"X: a\ttab and then a bad byte in the same word\x03\r\n", control},
      {"X\r: a\r\n", no_token},
  };
  for (auto const& [lines, expected] : cases) EXPECT_EQ(framing_of(lines), expected) << lines;
}

TEST(FramingGuard, RefusesABareLfWhereverItStands) {
  constexpr std::string_view bare = "400 a line that ends in a bare LF";
  EXPECT_EQ(framing_or_refusal(ParsedRequest("GET / HTTP/1.1\nHost: a\r\n\r\n")), bare);
  EXPECT_EQ(framing_or_refusal(ParsedRequest("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")), bare);
  EXPECT_EQ(framing_of("X: y\n"), bare);
  EXPECT_EQ(framing_of("X: y\nContent-Length: 5\r\n"), bare);
  EXPECT_EQ(framing_of("X: y\r\n\n"), bare);
  EXPECT_EQ(framing_of("X: y\n\r\n"), bare);
}

TEST(FramingGuard, RefusesWhiteSpaceBeforeTheFirstField) {
  EXPECT_EQ(framing_or_refusal(ParsedRequest("GET / HTTP/1.1\r\n Host: a\r\n\r\n")),
            "400 white space at the start of a field line");
}

TEST(FramingGuard, LetsWholesomeValuesPass) {
  EXPECT_EQ(
      framing_of("X:\r\nY: \t\r\nZ: a\tb\r\nU: \xc3\xa4\xff\r\nV: a:b,\"c\"\r\n!#$%&'*+-.^_`|~9: x\r\n"),
      "none");
}

TEST(FramingGuard, RefusesInvalidMethods) {
  constexpr std::string_view invalid = "400 an invalid method";
  for (std::string const& line :
       std::vector<std::string>{" / HTTP/1.1", "GET", "GET\t/ HTTP/1.1", "G(T / HTTP/1.1", "G\0T / HTTP/1.1"s,
                                "GE:T / HTTP/1.1", "\xc3\xa4 / HTTP/1.1", "{ / HTTP/1.1", "@ / HTTP/1.1"}) {
    EXPECT_EQ(refusal_of_start(line), invalid) << line;
  }
  EXPECT_EQ(refusal_of_start(std::string(65, 'A') + " / HTTP/1.1"), "501 a method longer than any known");
  EXPECT_EQ(refusal_of_start(std::string(64, 'A') + " / HTTP/1.1"), "none");
  EXPECT_EQ(refusal_of_start("M-SEARCH / HTTP/1.1"), "none");
  EXPECT_EQ(refusal_of_start("get / HTTP/1.1"), "none");
}

TEST(FramingGuard, RefusesTargetsThatAreNotVisibleAscii) {
  constexpr std::string_view invalid = "400 an invalid request target";
  for (std::string const& line :
       std::vector<std::string>{"GET  / HTTP/1.1", "GET  HTTP/1.1", "GET /a\tb HTTP/1.1", "GET /\0 HTTP/1.1"s,
                                "GET /\x7f HTTP/1.1", "GET /\xc3\xa4 HTTP/1.1", "GET /a\rb HTTP/1.1",
                                "GET /a#b HTTP/1.1", "GET #/ HTTP/1.1"}) {
    EXPECT_EQ(refusal_of_start(line), invalid) << line;
  }
  EXPECT_EQ(refusal_of_start("GET /{a}|b[c]?d=<\"e\">^`\\ HTTP/1.1"), "none");
}

TEST(FramingGuard, TakesEachFormOfTargetOnlyFromTheMethodsThatUseIt) {
  constexpr std::string_view wrong = "400 a request target of the wrong form";
  for (std::string_view const line : {"GET a HTTP/1.1",
                                      "GET * HTTP/1.1",
                                      "OPTIONS ** HTTP/1.1",
                                      "GET a:443 HTTP/1.1",
                                      "GET ftp://a/ HTTP/1.1",
                                      "GET http:/a HTTP/1.1",
                                      "GET http:///a HTTP/1.1",
                                      "GET http:// HTTP/1.1",
                                      "GET http://u@a/ HTTP/1.1",
                                      "GET http://a:b/ HTTP/1.1",
                                      "GET http://[::1/ HTTP/1.1",
                                      "GET ?a HTTP/1.1",
                                      "CONNECT / HTTP/1.1",
                                      "CONNECT a HTTP/1.1",
                                      "CONNECT a: HTTP/1.1",
                                      "CONNECT http://a:443 HTTP/1.1",
                                      "CONNECT a:443/ HTTP/1.1",
                                      "CONNECT * HTTP/1.1",
                                      "CONNECT :443 HTTP/1.1",
                                      "CONNECT u@a:443 HTTP/1.1",
                                      "CONNECT [::1] HTTP/1.1"}) {
    EXPECT_EQ(refusal_of_start(line), wrong) << line;
  }
  for (std::string_view const line :
       {"GET / HTTP/1.1", "GET // HTTP/1.1", "GET /http://a HTTP/1.1", "OPTIONS * HTTP/1.1",
        "OPTIONS / HTTP/1.1", "GET http://a HTTP/1.1", "GET HTTPS://a:443/b?c HTTP/1.1",
        "GET http://a?b HTTP/1.1", "GET http://[::1]:80/ HTTP/1.1", "CONNECT a:443 HTTP/1.1",
        "CONNECT [::1]:443 HTTP/1.1"}) {
    EXPECT_EQ(refusal_of_start(line), "none") << line;
  }
}

TEST(FramingGuard, ReadsAHigherMinorVersionAsTheHighestThatItKnows) {
  for (std::string_view const version : {"HTTP/1.2", "HTTP/1.9"}) {
    ParsedRequest const request("POST / " + std::string(version) +
                                "\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    EXPECT_EQ(framing_or_refusal(request), "chunked") << version;
    EXPECT_EQ(request.head.version, Version::http_1_1) << version;
    EXPECT_TRUE(request.head.keep_alive) << version;
    EXPECT_EQ(request.head.fields.size(), 2U) << version;
  }
  EXPECT_EQ(verdict(ParsedRequest("GET / HTTP/1.2\r\n\r\n").result), "400 no Host field");
}

TEST(FramingGuard, AnswersOtherVersionsWith505AndOtherEndsWith400) {
  constexpr std::string_view other = "505 a major version other than HTTP/1";
  for (std::string_view const line :
       {"GET / HTTP/2.0", "GET / HTTP/3.1", "GET / HTTP/0.9", "PRI * HTTP/2.0"}) {
    EXPECT_EQ(refusal_of_start(line), other) << line;
  }
  for (std::string_view const line : {"GET /", "GET / ", "GET / HTTP/1", "GET / HTTP/1.", "GET / HTTP/1.1 ",
                                      "GET / HTTP/1.10", "GET / http/1.1", "GET / HTTP/11", "GET / HTTP/1,1",
                                      "GET / HTTP/x.1", "GET /  HTTP/1.1", "GET / a HTTP/1.1"}) {
    EXPECT_EQ(refusal_of_start(line), "400 no HTTP version") << line;
  }
}

TEST(FramingGuard, WantsExactlyOneHostFromHttp11) {
  EXPECT_EQ(verdict(ParsedRequest("GET / HTTP/1.1\r\n\r\n").result), "400 no Host field");
  EXPECT_EQ(verdict(ParsedRequest("GET http://a/ HTTP/1.1\r\n\r\n").result), "400 no Host field");
  EXPECT_EQ(framing_of("Host: a\r\n"), "400 several Host fields");
  EXPECT_EQ(framing_of("hOST: b\r\n"), "400 several Host fields");
  EXPECT_EQ(framing_or_refusal(ParsedRequest("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n")),
            "400 several Host fields");
  EXPECT_EQ(framing_or_refusal(ParsedRequest("GET / HTTP/1.0\r\n\r\n")), "none");
}

TEST(FramingGuard, RefusesAHostThatIsNoAuthority) {
  auto const with_host = [](std::string_view host) {
    return framing_or_refusal(ParsedRequest("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n"));
  };
  for (std::string_view const host : {"a b", "a/b", "u@a", "a:b", "a:80:80", "a:123456", "::1", "[::1", "[]",
                                      "a\tb", "http://a", "\xc3\xa4", "a\\b", "[::1]x", ":80"}) {
    EXPECT_EQ(with_host(host), "400 an invalid Host") << host;
  }
  for (std::string_view const host :
       {"a", "", "a:", "a:80", "127.0.0.1:1", "[::1]", "[::1]:80", "A-b_c.d~", "%41"}) {
    EXPECT_EQ(with_host(host), "none") << host;
  }
}

TEST(FramingGuard, RefusesAConnectWithABody) {
  auto const with = [](std::string_view lines) {
    return framing_or_refusal(
        ParsedRequest("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n" + std::string(lines) + "\r\n"));
  };
  EXPECT_EQ(with("Content-Length: 5\r\n"), "400 a CONNECT with a body");
  EXPECT_EQ(with("Transfer-Encoding: chunked\r\n"), "400 a CONNECT with a body");
  EXPECT_EQ(with("Content-Length: 0\r\n"), "none");
}

TEST(FramingGuard, RefusesAConnectionFieldThatIsNoListOfTokens) {
  EXPECT_EQ(framing_of("Connection: close; x\r\n"), "400 a Connection option that is not a token");
  EXPECT_EQ(framing_of("Connection: \"close\"\r\n"), "400 a Connection option that is not a token");
  EXPECT_EQ(framing_of("Connection: keep-alive close\r\n"), "400 a Connection option that is not a token");
  EXPECT_EQ(framing_of("Connection:\r\nConnection: ,close,,\r\n"), "none");
}

TEST(FramingGuard, BoundsTheOptionsThatConnectionMayName) {
  std::string lines;
  for (int i = 0; i < 32; ++i) lines += "Connection: x" + std::to_string(i) + "\r\n";
  EXPECT_EQ(framing_of(lines), "none");
  EXPECT_EQ(framing_of(lines + "Connection: y\r\n"), "400 too many Connection options");
}

TEST(FramingGuard, TakesOneNumberForMaxForwardsWhereItMustBeRead) {
  auto const with = [](std::string_view method, std::string_view lines) {
    return framing_or_refusal(
        ParsedRequest(std::string(method) + " / HTTP/1.1\r\nHost: a\r\n" + std::string(lines) + "\r\n"));
  };
  for (std::string_view const lines :
       {"Max-Forwards: x\r\n", "Max-Forwards:\r\n", "max-forwards: 1, 2\r\n", "Max-Forwards: -1\r\n",
        "Max-Forwards: 1.5\r\n", "Max-Forwards: 0x1\r\n", "Max-Forwards: 1\r\nX: y\r\nMAX-FORWARDS: 1\r\n"}) {
    for (auto const* method : {"OPTIONS", "TRACE"}) {
      EXPECT_EQ(with(method, lines), "400 a Max-Forwards that is not one number") << method << lines;
    }
    EXPECT_EQ(with("GET", lines), "none") << lines;
  }
  EXPECT_EQ(with("TRACE", "Max-Forwards: 0\r\n"), "none");
  EXPECT_EQ(with("OPTIONS", "Max-Forwards: 99999999999999999999999\r\n"), "none");
}

// What any two fields do to each other must not depend on their order, or on what stands between them.
TEST(FramingGuard, JudgesEveryPairOfFramingFieldsAlikeInBothOrders) {
  std::vector<std::string> const fields{"Content-Length: 5\r\n",          "Content-Length: 6\r\n",
                                        "Content-Length: x\r\n",          "Content-Length:\r\n",
                                        "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: gzip\r\n",
                                        "Transfer-Encoding:\r\n"};
  for (auto const& a : fields) {
    for (auto const& b : fields) {
      std::string const together = framing_of(a + "X: y\r\n" + b);
      bool const accepted = together == "length 5" || together == "length 6";
      EXPECT_EQ(accepted, a == b && framing_of(a).starts_with("length")) << a << b << together;
      EXPECT_EQ(accepted, !framing_of(b + a).starts_with("400") && !framing_of(b + a).starts_with("501"))
          << a << b;
    }
  }
}

}  // namespace
}  // namespace candor::http
