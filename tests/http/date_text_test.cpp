#include "candor/http/date_text.hpp"

#include <gtest/gtest.h>

namespace candor::http {
namespace {

using namespace std::chrono_literals;

constexpr WallTime example = std::chrono::sys_days(std::chrono::year(1994) / 11 / 6) + 8h + 49min + 37s;

TEST(DateText, SaysTheSecondThatItIsIn) {
  DateText date;
  EXPECT_EQ(date.at(example), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(date.at(example + 999'999'999ns), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(date.at(example + 1s), "Sun, 06 Nov 1994 08:49:38 GMT");
  EXPECT_EQ(date.at(WallTime{}), "Thu, 01 Jan 1970 00:00:00 GMT");
}

TEST(DateText, FollowsAClockThatIsSetBack) {
  DateText date;
  EXPECT_EQ(date.at(example), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(date.at(example - 1h), "Sun, 06 Nov 1994 07:49:37 GMT");
  EXPECT_EQ(date.at(example), "Sun, 06 Nov 1994 08:49:37 GMT");
}

}  // namespace
}  // namespace candor::http
