#include "candor/http/chunked.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "candor/core/rng.hpp"

namespace candor::http {
namespace {

using namespace std::string_literals;

/// What comes out of a whole message, or of as much of it as is good.
struct Decoded {
  std::string content;
  std::string trailers;
  std::string error;
  bool end = false;
  std::size_t consumed = 0;

  bool operator==(Decoded const&) const = default;
};

/// Feeds the bytes in pieces of at most `most` bytes, their lengths drawn.
Decoded decode(std::string_view bytes, Rng& rng, std::uint64_t most) {
  ChunkedDecoder decoder;
  Decoded out;
  while (out.consumed < bytes.size() && !out.end && out.error.empty()) {
    std::size_t const size = 1 + rng.below(most);
    std::string const piece(bytes.substr(out.consumed, size));  // its own memory: overreads show
    auto const step = decoder.step(piece);
    out.content += step.content;
    out.consumed += step.consumed;
    out.end = step.end;
    out.error = step.error;
  }
  if (out.end) out.trailers = decoder.trailers();
  return out;
}

Decoded decode(std::string_view bytes) {
  Rng rng{1};
  ChunkedDecoder decoder;
  Decoded out;
  while (out.consumed < bytes.size() && !out.end && out.error.empty()) {
    auto const step = decoder.step(bytes.substr(out.consumed));
    out.content += step.content;
    out.consumed += step.consumed;
    out.end = step.end;
    out.error = step.error;
  }
  if (out.end) out.trailers = decoder.trailers();
  return out;
}

TEST(ChunkedDecoder, TakesTheCodingOff) {
  std::string const message = "5\r\nhello\r\n1\r\n \r\n000A;x=y\r\n0123456789\r\n0\r\n\r\n";
  Decoded const out = decode(message + "GET / HTTP/1.1");
  EXPECT_EQ(out.error, "");
  EXPECT_EQ(out.content, "hello 0123456789");
  EXPECT_TRUE(out.end);
  EXPECT_EQ(out.consumed, message.size());
  EXPECT_EQ(out.trailers, "");
}

TEST(ChunkedDecoder, GivesViewsIntoTheInputAndOneChunkAStep) {
  std::string const input = "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
  ChunkedDecoder decoder;
  auto const first = decoder.step(input);
  EXPECT_EQ(first.content.data(), input.data() + 3);
  EXPECT_EQ(first.content, "abc");
  auto const second = decoder.step(std::string_view(input).substr(first.consumed));
  EXPECT_EQ(second.content, "de");
  EXPECT_TRUE(second.end);
  EXPECT_EQ(first.consumed + second.consumed, input.size());
}

TEST(ChunkedDecoder, IsNotAtItsEndBeforeTheLastByte) {
  std::string const input = "1\r\na\r\n0\r\nX: y\r\n\r\n";
  for (std::size_t size = 0; size < input.size(); ++size) {
    Decoded const out = decode(std::string_view(input).substr(0, size));
    EXPECT_FALSE(out.end) << size;
    EXPECT_EQ(out.error, "") << size;
  }
  EXPECT_TRUE(decode(input).end);
}

TEST(ChunkedDecoder, RefusesSizesThatAreNotPlainHex) {
  for (std::string_view const size : {"", " 5", "+5", "-5", "0x5", "g", "5g", "5 5", "5_", "\t5", "5,",
                                      "\xc2\xa0"
                                      "5",
                                      "5 \r\n", "5\r\r\n"}) {
    Decoded const out = decode(std::string(size) + "\r\nhello\r\n0\r\n\r\n");
    EXPECT_NE(out.error, "") << size;
    EXPECT_EQ(out.content, "") << size;
  }
}

TEST(ChunkedDecoder, TakesSizesOfSixteenDigitsAndNoMore) {
  EXPECT_EQ(decode("0000000000000005\r\nhello\r\n0\r\n\r\n").content, "hello");
  EXPECT_EQ(decode("00000000000000005\r\nhello\r\n0\r\n\r\n").error, "a chunk size out of range");
  EXPECT_EQ(decode("ffffffffffffffff\r\nhello").content, "hello");
  EXPECT_EQ(decode("1ffffffffffffffff\r\nhello").error, "a chunk size out of range");
}

TEST(ChunkedDecoder, EndsLinesWithCrlfOnly) {
  EXPECT_NE(decode("5\nhello\r\n0\r\n\r\n").error, "");
  EXPECT_NE(decode("5\rhello\r\n0\r\n\r\n").error, "");
  EXPECT_NE(decode("5;x\nhello\r\n0\r\n\r\n").error, "");
  EXPECT_NE(decode("5;x\rhello\r\n0\r\n\r\n").error, "");
  EXPECT_NE(decode("5;x=\"\n\"\r\nhello\r\n0\r\n\r\n").error, "");
  EXPECT_NE(decode("5\r\nhello\n0\r\n\r\n").error, "");
  EXPECT_NE(decode("5\r\nhello\r0\r\n\r\n").error, "");
  EXPECT_NE(decode("5\r\nhello0\r\n\r\n").error, "");
  EXPECT_NE(decode("5\r\nhello!\r\n0\r\n\r\n").error, "");
  EXPECT_NE(decode("0\n\r\n").error, "");
  EXPECT_NE(decode("0\r\n\n").error, "");
  EXPECT_NE(decode("0\r\n\rx").error + decode("0\r\n\rx\r\n").error, "");
  EXPECT_NE(decode("0\r\nX: y\n\r\n").error, "");
}

TEST(ChunkedDecoder, DropsExtensionsAndBoundsThem) {
  EXPECT_EQ(decode("5 ; a = \"b;\t c\\\"\" ;d\r\nhello\r\n0;e\r\n\r\n").content, "hello");
  EXPECT_NE(decode("5;a\x01\r\nhello\r\n0\r\n\r\n").error, "");
  EXPECT_NE(decode("5;a\0\r\nhello\r\n0\r\n\r\n"s).error, "");
  auto const with_line_of = [](std::size_t size) {  // with its CRLF
    return decode("5;" + std::string(size - 4, 'x') + "\r\nhello\r\n0\r\n\r\n");
  };
  EXPECT_EQ(with_line_of(ChunkedDecoder::line_limit).content, "hello");
  EXPECT_EQ(with_line_of(ChunkedDecoder::line_limit + 1).error, "a chunk's head over the limit");
  EXPECT_EQ(decode("5;" + std::string(1000, 'x')).error, "a chunk's head over the limit");
}

TEST(ChunkedDecoder, BoundsItsFramingByWhatItCarries) {
  std::string const heavy = "1;" + std::string(ChunkedDecoder::line_limit - 6, 'x') + "\r\na\r\n";
  auto const times = [](int n, std::string_view chunk) {
    std::string chunks;
    for (int i = 0; i < n; ++i) chunks += chunk;
    return chunks;
  };
  constexpr std::string_view refusal = "more chunk framing than its content is worth";
  EXPECT_TRUE(decode(times(60, heavy) + "0\r\n\r\n").end) << "some of it is nothing";
  Decoded const refused = decode(times(1000, heavy) + "0\r\n\r\n");
  EXPECT_EQ(refused.error, refusal);
  EXPECT_LT(refused.consumed, ChunkedDecoder::framing_beyond + 2000);
  // Content outweighs it, before or between.
  std::string const large = "4000\r\n" + std::string(0x4000, 'b') + "\r\n";
  EXPECT_TRUE(decode(times(60, heavy) + large + times(60, heavy) + "0\r\n\r\n").end);
  EXPECT_EQ(decode(large + times(120, heavy) + "0\r\n\r\n").error, refusal) << "but is not saved up";
  std::string const signed_one =
      "64;signature=" + std::string(180, 's') + "\r\n" + std::string(100, 'c') + "\r\n";
  EXPECT_TRUE(decode(times(1000, signed_one) + "0\r\n\r\n").end);
}

TEST(ChunkedDecoder, TakesAnyNumberOfTheSmallestChunks) {
  std::string message;
  for (int i = 0; i < 100'000; ++i) message += "1\r\na\r\n";
  EXPECT_TRUE(decode(message + "0\r\n\r\n").end);
}

TEST(ChunkedDecoder, KeepsTrailersApartAndDropsWhatMustNotTrail) {
  Decoded const out = decode(
      "0\r\nX-Sum: abc \r\nContent-Length: 5\r\nTRANSFER-ENCODING: chunked\r\nHost: b\r\nConnection: "
      "close\r\n"
      "Keep-Alive: 1\r\nTE: x\r\nTrailer: y\r\nUpgrade: z\r\nExpect: 100-continue\r\nProxy-Authorization: "
      "a\r\n"
      "candor-attempt: 1\r\ncandor-retry: refused\r\ngrpc-status:0\r\n\r\n");
  EXPECT_EQ(out.error, "");
  EXPECT_TRUE(out.end);
  EXPECT_EQ(out.trailers, "X-Sum: abc \r\ngrpc-status:0\r\n");
}

TEST(ChunkedDecoder, JudgesTrailerLinesAsStrictlyAsFields) {
  for (std::string_view const line :
       {" X: y", "X : y", "X", ": y", "X: a\rb", "X\x01: y", "X: y\r\n folded"}) {
    EXPECT_NE(decode("0\r\n" + std::string(line) + "\r\n\r\n").error, "") << line;
  }
}

TEST(ChunkedDecoder, BoundsTheTrailerSection) {
  std::string const line = "X: " + std::string(1019, 'a') + "\r\n";  // 1KiB
  std::string fits = "0\r\n";
  for (int i = 0; i < 15; ++i) fits += line;
  EXPECT_TRUE(decode(fits + "\r\n").end);
  EXPECT_EQ(decode(fits + line + "\r\n").error, "trailers over the limit");
  EXPECT_EQ(decode("0\r\nX: " + std::string(20000, 'a')).error, "trailers over the limit");
  // What is dropped counts as well.
  std::string dropped = "0\r\n";
  for (int i = 0; i < 1000; ++i) dropped += "Content-Length: 5\r\n";
  EXPECT_EQ(decode(dropped + "\r\n").error, "trailers over the limit");
}

TEST(ChunkedDecoder, StaysRefusedAndStaysAtItsEnd) {
  ChunkedDecoder refused;
  EXPECT_NE(refused.step("x").error, "");
  EXPECT_NE(refused.step("5\r\nhello").error, "");
  EXPECT_EQ(refused.step("5\r\nhello").consumed, 0U);
  ChunkedDecoder done;
  EXPECT_TRUE(done.step("0\r\n\r\n").end);
  EXPECT_TRUE(done.step("5\r\nhello").end);
  EXPECT_EQ(done.step("5\r\nhello").consumed, 0U);
}

std::string random_text(Rng& rng, std::size_t most) {
  std::string text(rng.below(most + 1), '\0');
  for (char& c : text) c = static_cast<char>(rng.below(256));
  return text;
}

TEST(ChunkedDecoder, GivesBackWhatWasEncodedHoweverItIsCut) {
  Rng rng{42};
  for (int round = 0; round < 2000; ++round) {
    std::string content, message;
    for (std::uint64_t chunks = rng.below(5); chunks > 0; --chunks) {
      std::string const chunk = random_text(rng, 300);
      if (chunk.empty()) continue;
      content += chunk;
      append_chunk_head(message, chunk.size());
      message += chunk + "\r\n";
    }
    std::string const trailers = rng.chance(0.3) ? "A: b\r\nC:d\r\n" : "";
    append_last_chunk(message, trailers);
    Decoded const out = decode(message + "next", rng, 1 + rng.below(50));
    ASSERT_EQ(out, (Decoded{content, trailers, "", true, message.size()})) << message;
  }
}

TEST(ChunkedDecoder, SaysTheSameOfDamagedInputHoweverItIsCut) {
  Rng rng{77};
  constexpr std::string_view odd = "\r\n;: \t0159afgAF\"x\x01";
  for (int round = 0; round < 20000; ++round) {
    std::string message =
        "5\r\nhello\r\n1b;x=\"y\"\r\nabcdefghijklmnopqrstuvwxyz0\r\n0\r\nA: b\r\nHost: c\r\n\r\n";
    for (std::uint64_t changes = rng.below(4); changes > 0; --changes) {
      std::size_t const at = rng.below(message.size());
      if (rng.chance(0.5)) {
        message[at] = odd[rng.below(odd.size())];
      } else if (rng.chance(0.5)) {
        message.erase(at, 1);
      } else {
        message.insert(at, 1, odd[rng.below(odd.size())]);
      }
    }
    Decoded const whole = decode(message);
    ASSERT_EQ(decode(message, rng, 1), whole) << message;
    ASSERT_EQ(decode(message, rng, 1 + rng.below(20)), whole) << message;
  }
}

TEST(AppendChunkHead, WritesTheSizeInHex) {
  std::string out = "x";
  append_chunk_head(out, 1);
  append_chunk_head(out, 0xabcdef);
  EXPECT_EQ(out, "x1\r\nabcdef\r\n");
}

TEST(AppendLastChunk, ClosesTheBodyWithItsTrailers) {
  std::string out;
  append_last_chunk(out);
  append_last_chunk(out, "A: b\r\n");
  EXPECT_EQ(out, "0\r\n\r\n0\r\nA: b\r\n\r\n");
}

}  // namespace
}  // namespace candor::http
