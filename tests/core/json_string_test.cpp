#include "candor/core/json_string.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "candor/core/rng.hpp"

namespace candor {
namespace {

std::string json(std::string_view bytes) {
  std::string out;
  append_json_string(out, bytes);
  return out;
}

TEST(JsonString, EscapesQuotesBackslashesAndControls) {
  EXPECT_EQ(json("/a\"b\\c\n\r\t\x01\x1f\x7f"), R"("/a\"b\\c\n\r\t\u0001\u001f\u007f")");
  EXPECT_EQ(json(std::string_view("\0", 1)), R"("\u0000")");
  EXPECT_EQ(json(""), R"("")");
}

TEST(JsonString, KeepsUtf8AndEscapesItsControls) {
  EXPECT_EQ(json("/caf\xc3\xa9/\xe2\x82\xac/\xf0\x9f\x8d\xb5"),
            "\"/caf\xc3\xa9/\xe2\x82\xac/\xf0\x9f\x8d\xb5\"");
  EXPECT_EQ(json("\xc2\x9b"), R"("\u009b")");
}

TEST(JsonString, ReplacesWhatIsNoUtf8ByteByByte) {
  EXPECT_EQ(json("a\xff\x62"), R"("a\ufffdb")");
  EXPECT_EQ(json("\xc3"), R"("\ufffd")");            // cut short
  EXPECT_EQ(json("\xc0\xaf"), R"("\ufffd\ufffd")");  // overlong
  EXPECT_EQ(json("\xe0\x80\xaf"), R"("\ufffd\ufffd\ufffd")");
  EXPECT_EQ(json("\xed\xa0\x80"), R"("\ufffd\ufffd\ufffd")");  // a surrogate
  EXPECT_EQ(json("\xf4\x90\x80\x80"), R"("\ufffd\ufffd\ufffd\ufffd")");
}

TEST(JsonString, WhateverTheBytesItIsJson) {
  Rng rng{3};
  for (int i = 0; i < 5000; ++i) {
    std::string bytes(rng.below(12), ' ');
    for (auto& c : bytes) c = static_cast<char>(rng.below(256));
    auto const text = json(bytes);
    ASSERT_TRUE(nlohmann::json::accept(text)) << text;
  }
}

TEST(JsonString, PureAsciiComesBackAsItWas) {
  std::string bytes;
  for (char c = 0; c < 0x7f; ++c) bytes += c;
  EXPECT_EQ(nlohmann::json::parse(json(bytes)).get<std::string>(), bytes);
}

}  // namespace
}  // namespace candor
