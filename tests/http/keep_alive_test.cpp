#include "candor/http/keep_alive.hpp"

#include <gtest/gtest.h>

#include <initializer_list>

namespace candor::http {
namespace {

std::optional<Duration> timeout_in(std::initializer_list<std::string_view> lines) {
  Fields fields;
  for (auto const value : lines) {
    fields.add({.name = "Keep-Alive", .value = value, .line = {}, .id = FieldId::keep_alive});
  }
  return keep_alive_timeout(fields);
}

TEST(KeepAlive, SaysATimeoutInSeconds) {
  EXPECT_EQ(timeout_in({"timeout=5"}), 5s);
  EXPECT_EQ(timeout_in({"timeout=0"}), 0s);
  EXPECT_EQ(timeout_in({"timeout=5, max=100"}), 5s);
  EXPECT_EQ(timeout_in({"max=100,timeout=5"}), 5s);
}

TEST(KeepAlive, IsReadInAnySpelling) {
  for (std::string_view const value :
       {"Timeout=5", "TIMEOUT=5", "timeout = 5", "timeout=\t5", "timeout=\"5\"", "max=1 ,\ttimeout = \"5\" ",
        "note=\"a, timeout=1\", timeout=5"}) {
    EXPECT_EQ(timeout_in({value}), 5s) << value;
  }
}

TEST(KeepAlive, OfSeveralTimeoutsTheLeastHolds) {
  EXPECT_EQ(timeout_in({"timeout=9, timeout=5"}), 5s);
  EXPECT_EQ(timeout_in({"max=3", "timeout=9", "timeout=5"}), 5s);
}

TEST(KeepAlive, SaysNothingByWhatItIsNot) {
  for (std::string_view const value :
       {"", "timeout", "timeout=", "timeout=\"\"", "timeout=soon", "timeout=-1", "timeout=5s", "xtimeout=5",
        "timeout-x=5", "max=5", "timeout=\"5"}) {
    EXPECT_EQ(timeout_in({value}), std::nullopt) << value;
  }
  EXPECT_EQ(timeout_in({}), std::nullopt);
}

TEST(KeepAlive, IsADayAtMost) {
  EXPECT_EQ(timeout_in({"timeout=86401"}), 24h);
  EXPECT_EQ(timeout_in({"timeout=99999999999999999999"}), 24h);
}

}  // namespace
}  // namespace candor::http
