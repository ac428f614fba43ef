#include "candor/http/parse.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "../../src/http/flat_parser.hpp"
#include "../../src/http/head_scan.hpp"
#include "../../src/http/split_lines.hpp"
#include "candor/core/rng.hpp"
#include "heads.hpp"

namespace candor::http {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view usual =
    "GET /orders?id=1 HTTP/1.1\r\nHost: payments\r\nAccept: */*\r\nX-Empty:\r\nX-Padded: \t a b \t\r\n\r\n";

TEST(ParseRequestHead, GivesViewsIntoTheBuffer) {
  std::string const bytes = std::string(usual) + "the next bytes";
  HeadScan scan;
  RequestHead head;
  Parsed const parsed = parse_request_head(bytes, scan, {}, head);
  EXPECT_EQ(verdict(parsed), "complete " + std::to_string(usual.size()));
  EXPECT_EQ(head.method, Method::get);
  EXPECT_EQ(head.method_text, "GET");
  EXPECT_EQ(head.target, "/orders?id=1");
  EXPECT_EQ(head.host, "payments");
  EXPECT_EQ(head.version, Version::http_1_1);
  ASSERT_EQ(head.fields.size(), 4U);
  std::string lines;
  for (Field const& field : head.fields) {
    EXPECT_GE(field.value.data(), bytes.data());
    EXPECT_LE(field.value.data() + field.value.size(), bytes.data() + usual.size());
    EXPECT_EQ(field.name.data(), field.line.data());
    lines += field.line;
  }
  EXPECT_EQ(lines, usual.substr(27, usual.size() - 29));
  EXPECT_EQ(head.fields.find("x-empty")->value, "");
  EXPECT_EQ(head.fields.find("X-PADDED")->value, "a b");
}

TEST(ParseRequestHead, StartsAfreshWithAHeadThatWasUsedBefore) {
  ParsedRequest request("POST /a HTTP/1.0\r\nHost: a\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n");
  ASSERT_TRUE(complete(request.result));
  HeadScan scan;
  ASSERT_TRUE(complete(parse_request_head("GET /b HTTP/1.0\r\n\r\n", scan, {}, request.head)));
  EXPECT_EQ(request.head.target, "/b");
  EXPECT_EQ(request.head.host, "");
  EXPECT_EQ(request.head.fields.size(), 0U);
  EXPECT_EQ(request.head.framing, Framing{});
  EXPECT_FALSE(request.head.keep_alive);
}

TEST(ParseRequestHead, SkipsEmptyLinesBeforeIt) {
  ParsedRequest const request("\r\n\r\n" + std::string(usual));
  EXPECT_EQ(verdict(request.result), "complete " + std::to_string(usual.size() + 4));
  EXPECT_EQ(request.head.method_text, "GET");
  EXPECT_EQ(verdict(ParsedRequest("\r\n\r\n").result), "incomplete");
  EXPECT_EQ(verdict(ParsedRequest("\rGET").result), "400 an invalid method");
}

TEST(ParseRequestHead, RefusesAHopelessStartAtItsFirstByte) {
  EXPECT_EQ(verdict(ParsedRequest("\x16").result), "400 a TLS handshake where HTTP was expected");
  EXPECT_EQ(verdict(ParsedRequest("\x80").result), "400 an invalid method");
  EXPECT_EQ(verdict(ParsedRequest(" ").result), "400 an invalid method");
  EXPECT_EQ(verdict(ParsedRequest("PRI * HTTP/2.0\r\n").result), "505 a major version other than HTTP/1");
}

TEST(ParseRequestHead, RefusesABadLineBeforeTheHeadIsComplete) {
  EXPECT_EQ(verdict(ParsedRequest("GET / HTTP/1.1\r\nX: a\n").result), "400 a line that ends in a bare LF");
  EXPECT_EQ(verdict(ParsedRequest("GET / HTTP/1.1\r\nX : a\r\n").result),
            "400 white space before a field's colon");
}

TEST(ParseRequestHead, AnswersATargetOverItsLimitWith414EvenIfItNeverEnds) {
  HeadLimits const limits{.target = 100_B};
  auto const with_target = [&](std::size_t size, std::string_view rest) {
    return verdict(ParsedRequest("GET /" + std::string(size - 1, 'a') + std::string(rest), limits).result);
  };
  EXPECT_EQ(with_target(101, " HTTP/1.1\r\n"), "414 a request target over the limit");
  EXPECT_EQ(with_target(100, " HTTP/1.1\r\nHost: a\r\n\r\n"), "complete 126");
  EXPECT_EQ(with_target(100, ""), "incomplete");
  EXPECT_EQ(with_target(1000, ""), "414 a request target over the limit");
  EXPECT_EQ(with_target(50, " " + std::string(1000, 'x')), "400 no HTTP version");
  EXPECT_EQ(verdict(ParsedRequest(std::string(1000, 'A'), limits).result),
            "501 a method longer than any known");
}

TEST(ParseRequestHead, TakesTheLongestMethodAndTargetByteByByte) {
  HeadLimits const limits{.target = 100_B};
  std::string const bytes =
      std::string(64, 'M') + " /" + std::string(99, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n";
  RequestHead head;
  HeadScan scan;
  for (std::size_t there = 1; there < bytes.size(); ++there) {
    ASSERT_EQ(verdict(parse_request_head(std::string_view(bytes).substr(0, there), scan, limits, head)),
              "incomplete");
  }
  EXPECT_EQ(verdict(parse_request_head(bytes, scan, limits, head)),
            "complete " + std::to_string(bytes.size()));
}

TEST(ParseRequestHead, AnswersAHeadOverItsLimitWith431) {
  HeadLimits const limits{.head = Bytes{usual.size()}};
  EXPECT_TRUE(complete(ParsedRequest(std::string(usual), limits).result));
  HeadLimits const less{.head = Bytes{usual.size() - 1}};
  EXPECT_EQ(verdict(ParsedRequest(std::string(usual), less).result), "431 a head over the limit");
  std::string const endless = "GET / HTTP/1.1\r\nX: " + std::string(1000, 'a');
  EXPECT_EQ(verdict(ParsedRequest(endless, limits).result), "431 a head over the limit");
  std::string empty_lines;
  for (int i = 0; i < 100; ++i) empty_lines += "\r\n";
  EXPECT_EQ(verdict(ParsedRequest(empty_lines, limits).result), "431 a head over the limit");
}

TEST(ParseRequestHead, AnswersTooManyFieldsWith431AsSoonAsTheyAreThere) {
  HeadLimits const limits{.fields = 3};
  EXPECT_TRUE(complete(ParsedRequest(get_with("A: b\r\nC: d\r\n"), limits).result));
  EXPECT_EQ(verdict(ParsedRequest(get_with("A: b\r\nC: d\r\nE: f\r\n"), limits).result),
            "431 too many fields");
  EXPECT_EQ(verdict(ParsedRequest("GET / HTTP/1.1\r\nA: b\r\nC: d\r\nE: f\r\nG: h\r\n", limits).result),
            "431 too many fields");
}

TEST(ParseRequestHead, LooksAtNoByteTwiceWhileTheHeadIsComing) {
  HeadScan scan;
  RequestHead head;
  for (std::size_t size = 1; size < usual.size(); ++size) {
    ASSERT_EQ(verdict(parse_request_head(usual.substr(0, size), scan, {}, head)), "incomplete") << size;
    EXPECT_EQ(scan.seen, size);
  }
  EXPECT_TRUE(complete(parse_request_head(usual, scan, {}, head)));
}

std::string parse_in_pieces(std::string const& bytes, Rng& rng, RequestHead& head) {
  HeadScan scan;
  for (std::size_t there = 0; there < bytes.size();) {
    there += 1 + rng.below(bytes.size() - there);
    Parsed const parsed = parse_request_head(std::string_view(bytes).substr(0, there), scan, {}, head);
    if (!std::holds_alternative<Incomplete>(parsed)) return verdict(parsed);
  }
  return "incomplete";
}

/// A head that is mostly right: a usual one, with a few bytes changed, lost or repeated.
std::string damaged(std::string bytes, Rng& rng) {
  constexpr std::string_view odd = "\r\n \t:,;\0\x01\x7f\x80/*?#Aa0-"sv;
  std::uint64_t const changes = rng.below(4);
  for (std::uint64_t i = 0; i < changes; ++i) {
    std::size_t const at = rng.below(bytes.size());
    switch (rng.below(3)) {
      case 0: bytes[at] = odd[rng.below(odd.size())]; break;
      case 1: bytes.erase(at, 1 + rng.below(3)); break;
      default: bytes.insert(at, bytes.substr(rng.below(bytes.size()), 1 + rng.below(30))); break;
    }
  }
  return bytes;
}

std::string const rich =
    "POST http://payments:80/a?b=c HTTP/1.1\r\nHost: payments\r\nConnection: keep-alive, x\r\n"
    "Content-Length: 12\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\nAccept: */*\r\nX-Y:\tz \r\n\r\n";

TEST(ParseRequestHead, SaysTheSameHoweverTheBytesArrive) {
  Rng rng{20240607};
  for (int round = 0; round < 20000; ++round) {
    std::string const bytes = damaged(rng.chance(0.5) ? rich : std::string(usual), rng);
    ParsedRequest const whole(bytes);
    RequestHead head;
    std::string const pieces = parse_in_pieces(bytes, rng, head);
    // A hopeless beginning may be told by its first bytes, before the line's own fault shows.
    bool const both_refused = pieces[0] == '4' && verdict(whole.result)[0] == '4';
    if (!both_refused) {
      ASSERT_EQ(pieces, verdict(whole.result)) << bytes;
    }
  }
}

template <class Head>
std::string description(Head const& head) {
  std::string out = std::to_string(int(head.version)) + "\n";
  if constexpr (std::is_same_v<Head, RequestHead>) {
    out += std::string(head.method_text) + "\n" + std::string(head.target) + "\n";
  } else {
    out += std::to_string(head.status) + "\n" + std::string(head.reason) + "\n";
  }
  for (Field const& field : head.fields) {
    out += std::string(field.name) + "=" + std::string(field.value) + "=" + std::string(field.line);
  }
  return out;
}

/// Reads the head both ways; whether Beast took it.
template <class Head>
bool reads_alike(std::string const& bytes, StartLine kind) {
  HeadScan scan;
  Parsed const scanned = scan_head(bytes, scan, {}, kind);
  if (!complete(scanned)) return false;
  std::string_view const head =
      skip_empty_lines(std::string_view(bytes).substr(0, std::get<Complete>(scanned).length));
  Head ours, beasts;
  split_lines(head, ours);
  EXPECT_TRUE(are_the_lines(ours.fields, head, scan.lines - 1));
  if (!read_with_beast(head, beasts)) return false;
  EXPECT_TRUE(are_the_lines(beasts.fields, head, scan.lines - 1)) << bytes;
  EXPECT_EQ(description(beasts), description(ours)) << bytes;
  return true;
}

// The guard's own reading stands in where Beast refuses, so the two must never differ where both read.
TEST(FlatParser, ReadsWhatTheGuardReadsWheneverItReadsAtAll) {
  Rng rng{11};
  int read = 0;
  for (int round = 0; round < 20000; ++round) {
    if (reads_alike<RequestHead>(damaged(rng.chance(0.5) ? rich : std::string(usual), rng),
                                 StartLine::request))
      ++read;
  }
  std::string const response =
      "HTTP/1.1 200 All right\r\nServer:  x \r\nContent-Length: 3\r\nConnection: close\r\nX:\r\n\r\n";
  for (int round = 0; round < 20000; ++round) {
    if (reads_alike<ResponseHead>(damaged(response, rng), StartLine::status)) ++read;
  }
  EXPECT_GT(read, 5000);
}

TEST(FlatParser, LeavesTheVerdictToTheGuardWhereBeastRefuses) {
  // Beast knows better than to read this list, but the field ends here and nobody asks for it.
  ParsedRequest const request(get_with("Proxy-Connection: \"odd\r\nX: y\r\n"));
  ASSERT_TRUE(complete(request.result)) << verdict(request.result);
  ASSERT_EQ(request.head.fields.size(), 3U);
  EXPECT_EQ(request.head.fields.find("x")->value, "y");
}

TEST(FlatParser, TakesBodiesOfAnyAnnouncedLength) {
  ParsedResponse const response(ok_with("Content-Length: 9000000000000000000\r\n"));
  ASSERT_TRUE(complete(response.result));
  EXPECT_EQ(response.head.framing.length, 9000000000000000000U);
}

TEST(AreTheLines, NoticesAFieldThatIsMissingInventedOrMoved) {
  std::string_view const head = "GET / HTTP/1.1\r\nA: b\r\nC: d\r\n\r\n";
  RequestHead whole;
  split_lines(head, whole);
  EXPECT_TRUE(are_the_lines(whole.fields, head, 2));
  Fields one;
  one.add(*whole.fields.begin());
  EXPECT_FALSE(are_the_lines(one, head, 2));
  EXPECT_FALSE(are_the_lines(one, head, 1));
  one.add(*whole.fields.begin());
  EXPECT_FALSE(are_the_lines(one, head, 2));
}

}  // namespace
}  // namespace candor::http
