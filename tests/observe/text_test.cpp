#include "candor/observe/text.hpp"

#include <gtest/gtest.h>

namespace candor::observe {
namespace {

TEST(Text, PrintableTextCannotMoveTheCursor) {
  EXPECT_EQ(printable("GET /\x1b[2J\x9b\xc2\x9b-\xc3\xa9"),
            "GET /\xef\xbf\xbd[2J\xef\xbf\xbd\xef\xbf\xbd-\xc3\xa9");
  EXPECT_EQ(columns("caf\xc3\xa9 \xc3\x97"), 6U);
}

TEST(Text, TimeIsRfc3339WithMilliseconds) {
  WallTime const noon{std::chrono::seconds{1714564800}};
  EXPECT_EQ(time_text(noon + 7ms + 999us), "2024-05-01T12:00:00.007Z");
  EXPECT_EQ(time_text(WallTime{std::chrono::seconds{1709251199}} + 999ms), "2024-02-29T23:59:59.999Z");
  EXPECT_EQ(time_text(WallTime{}), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(time_text(WallTime{} - 1ms), "1969-12-31T23:59:59.999Z");
}

TEST(Text, MillisecondsHaveThreeDecimals) {
  std::string out;
  append_milliseconds(out, 12345678ns);
  out += ' ';
  append_milliseconds(out, 5us);
  out += ' ';
  append_milliseconds(out, -5us);
  EXPECT_EQ(out, "12.345 0.005 0.000");
}

}  // namespace
}  // namespace candor::observe
