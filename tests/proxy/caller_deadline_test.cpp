// A caller's own deadline: how it is read and written, and what the deadline layer makes of it.
#include "candor/proxy/caller_deadline.hpp"

#include <gtest/gtest.h>

#include "support/rig.hpp"

namespace candor::test {
namespace {

using enum DeadlineFormat;

TEST(ParseTimeout, TakesWhatEachFormatSays) {
  EXPECT_EQ(parse_timeout(milliseconds, "1500"), 1500ms);
  EXPECT_EQ(parse_timeout(milliseconds, "0"), 0ms);
  EXPECT_EQ(parse_timeout(milliseconds, "000000000250"), 250ms);
  EXPECT_EQ(parse_timeout(seconds, "2"), 2s);
  EXPECT_EQ(parse_timeout(seconds, "1.5"), 1500ms);
  EXPECT_EQ(parse_timeout(seconds, "0.000000001"), 1ns);
  EXPECT_EQ(parse_timeout(grpc, "100m"), 100ms);
  EXPECT_EQ(parse_timeout(grpc, "5S"), 5s);
  EXPECT_EQ(parse_timeout(grpc, "1H"), 1h);
  EXPECT_EQ(parse_timeout(grpc, "2M"), 2min);
  EXPECT_EQ(parse_timeout(grpc, "250u"), 250us);
  EXPECT_EQ(parse_timeout(grpc, "99999999n"), 99'999'999ns);
}

TEST(ParseTimeout, TakesNothingElse) {
  for (auto const* value : {"", " ", "-1", "+1", "1.5", "1e3", "12 ", "0x10", "1500m", "1234567890123"}) {
    EXPECT_EQ(parse_timeout(milliseconds, value), std::nullopt) << value;
  }
  for (auto const* value :
       {"", ".", "1.", ".5", "1.5.5", "-1.5", "1,5", "1234567890", "1.0123456789", "2S"}) {
    EXPECT_EQ(parse_timeout(seconds, value), std::nullopt) << value;
  }
  for (auto const* value : {"", "m", "5", "5s", "5h", "5 S", "-5S", "1.5S", "123456789m", "5SS"}) {
    EXPECT_EQ(parse_timeout(grpc, value), std::nullopt) << value;
  }
}

TEST(ParseTimeout, NothingIsTooLongForTheClock) {
  EXPECT_EQ(parse_timeout(milliseconds, "999999999999"), 24h * 365);
  EXPECT_EQ(parse_timeout(seconds, "999999999.999999999"), 24h * 365);
  EXPECT_EQ(parse_timeout(grpc, "99999999H"), 24h * 365);
}

TEST(FormatTimeout, RoundsUpSoThatNothingTurnsIntoNoTimeAtAll) {
  EXPECT_EQ(format_timeout(milliseconds, 1500ms, "2000"), "1500");
  EXPECT_EQ(format_timeout(milliseconds, 1ns, "2000"), "1");
  EXPECT_EQ(format_timeout(milliseconds, -5ms, "2000"), "0");
  EXPECT_EQ(format_timeout(seconds, 1200ms, "5"), "2");
  EXPECT_EQ(format_timeout(seconds, 1200ms, "5.0"), "1.200");
  EXPECT_EQ(format_timeout(seconds, 1'000'001ns, "5.0"), "0.002");
  EXPECT_EQ(format_timeout(grpc, 100ms, "100m"), "100000u");
  EXPECT_EQ(format_timeout(grpc, 1ns, "100m"), "1u");
  EXPECT_EQ(format_timeout(grpc, 100s, "1H"), "100000m");
  EXPECT_EQ(format_timeout(grpc, 24h * 365, "99999999H"), "31536000S");
}

TEST(FormatTimeout, WhatIsWrittenIsReadAndIsNeverMoreThanCame) {
  Rng chance{5};
  for (int i = 0; i < 10'000; ++i) {
    auto const came = chance.between(1ms, 48h);
    for (auto const format : {milliseconds, seconds, grpc}) {
      auto const text = format_timeout(format, came, "1.5");
      auto const read = parse_timeout(format, text);
      ASSERT_TRUE(read) << text;
      EXPECT_GE(*read, came) << text;
      auto const later = *read - chance.between(1ns, came);
      auto const passed_on = parse_timeout(format, format_timeout(format, later, "1.5"));
      EXPECT_LE(*passed_on, *read) << text;
    }
  }
}

/// Asked for as most do.
UpstreamSettings with_header(DeadlineFormat format = milliseconds) {
  auto settings = plain_settings();
  settings.timeouts.deadline_header = {"X-Request-Timeout", format};
  return settings;
}

RequestOptions waits(std::string how_long) {
  return {.fields = {{"x-request-timeout", std::move(how_long)}}};
}

TEST(CallerDeadline, ShortensTheRequest) {
  Rig rig{with_header()};
  rig.transport.usually = hangs();
  auto& call = rig.send(waits("300"));
  rig.run_for(1s);
  EXPECT_EQ(call.cancelled(), CancelReason::deadline);
  EXPECT_EQ(call.ended_at, Instant{} + 300ms);
  rig.expect_all_told();
}

TEST(CallerDeadline, NeverMakesItLonger) {
  auto settings = with_header();
  settings.timeouts.request = 300ms;
  Rig rig{settings};
  rig.transport.usually = hangs();
  auto& call = rig.send(waits("5000"));
  rig.run_for(1s);
  EXPECT_EQ(call.ended_at, Instant{} + 300ms);
  EXPECT_EQ(timeout_left(*call.exchange), "4000") << "of the caller's own: our bounds are not its upstream's";
}

TEST(CallerDeadline, DecidesWhetherARetryStillFits) {
  Rig rig{with_header()};
  rig.transport.usually = answers(503);
  auto& call = rig.send(waits("60"));
  rig.run_for(1s);
  EXPECT_EQ(rig.transport.sent.size(), 2U) << "25ms of wait fit, 50ms more do not";
  EXPECT_EQ(call.exchange->denied, RetryDenied::deadline);
  EXPECT_EQ(call.status, 503);
}

TEST(CallerDeadline, EachAttemptIsToldWhatIsLeft) {
  Rig rig{with_header(grpc)};
  std::vector<std::string> told;
  Call* call = nullptr;
  rig.transport.on_send = [&](Permit&) {
    if (call != nullptr) told.push_back(*timeout_left(*call->exchange));
  };
  rig.transport.then({.head = 100ms, .no_head = Failure{FailureKind::reset}});
  rig.transport.then({.head = 100ms, .no_head = Failure{FailureKind::reset}});
  call = &rig.send(waits("2S"));
  EXPECT_EQ(timeout_left(*call->exchange), "2000000u");
  rig.run_for(1s);
  EXPECT_EQ(told, (std::vector<std::string>{"1875000u", "1725000u"}));
}

TEST(CallerDeadline, OneThatIsOverIsAnsweredWithoutAnAttempt) {
  Rig rig{with_header()};
  auto& call = rig.send(waits("0"));
  rig.run_for(0s);
  EXPECT_EQ(call.cancelled(), CancelReason::deadline);
  EXPECT_TRUE(rig.transport.sent.empty());
  rig.expect_all_told();
}

TEST(CallerDeadline, OneThatCannotBeReadIsIgnoredAndCounted) {
  Rig rig{with_header()};
  for (auto const* value : {"soon", "-5", "1.5", "5S"})
    EXPECT_EQ(rig.send(waits(value)).status, 200) << value;
  auto& twice = rig.send({.fields = {{"x-request-timeout", "5"}, {"X-Request-Timeout", "9"}}});
  EXPECT_EQ(twice.status, 200);
  EXPECT_EQ(twice.exchange->deadline, Instant{} + 15s);
  EXPECT_EQ(timeout_left(*twice.exchange), std::nullopt) << "it passes as it came";
  EXPECT_EQ(rig.observer.deadlines_ignored, 5U);
}

TEST(CallerDeadline, NobodyIsAskedUnlessItIsConfigured) {
  Rig rig;
  auto& call = rig.send(waits("1"));
  EXPECT_EQ(call.exchange->deadline, Instant{} + 15s);
  EXPECT_EQ(timeout_left(*call.exchange), std::nullopt);
  Rig without{with_header()};
  EXPECT_EQ(without.send().exchange->deadline, Instant{} + 15s);
  EXPECT_EQ(without.observer.deadlines_ignored, 0U);
}

}  // namespace
}  // namespace candor::test
