// Which attempts a decision rests on.
#include "candor/observe/deciding.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace candor::observe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Instant start{100s};
Outcome const bad = Outcome::failed(FailureKind::status);

std::vector<std::uint64_t> requests(std::vector<AttemptNote> const& notes) {
  std::vector<std::uint64_t> out;
  for (auto const& note : notes) out.push_back(note.request.value);
  return out;
}

/// Attempts that end one after the other, a millisecond each.
struct Led {
  Led& to(Outcome outcome, std::uint32_t endpoint = 0, unsigned number = 1) {
    auto const started = now;
    now += 1ms;
    record.attempts.push_back({.request = {record.attempts.size() + 1},
                               .number = number,
                               .endpoint = EndpointId{endpoint},
                               .started = started,
                               .settled = now,
                               .outcome = outcome});
    return *this;
  }
  [[nodiscard]] Deciding by(Rule rule) {
    record.transition.why.rule = rule;
    record.transition.at = now;
    return deciding(record, rules);
  }

  BreakerSettings rules;
  Instant now = start;
  TransitionRecord record{.transition = {.from = CircuitState::closed,
                                         .to = CircuitState::open,
                                         .why = {.rule = Rule::evidence_run, .value = 1, .threshold = 1},
                                         .at = start,
                                         .generation = 1}};
};

TEST(Deciding, ARunIsWhatNoFirstSuccessHasEnded) {
  Led led;
  led.to(bad).to(Outcome::success()).to(bad).to(bad).to(Outcome::success(), 0, 2).to(bad);
  auto const found = led.by(Rule::evidence_run);
  EXPECT_THAT(requests(found.bad), ElementsAre(3, 4, 6));
  EXPECT_THAT(requests(found.good), ElementsAre(5)) << "it took one off the run";
}

TEST(Deciding, WhatTheStateBeforeAdmittedHadNoVote) {
  Led led;
  led.to(bad).to(bad);
  led.record.since = led.now;
  led.to(bad);
  EXPECT_THAT(requests(led.by(Rule::evidence_run).bad), ElementsAre(3));
  EXPECT_THAT(requests(led.by(Rule::failure_rate).bad), ElementsAre(3));
}

TEST(Deciding, OfAnEndpointCountWhatItShowedItself) {
  Led led;
  led.to(bad, 0).to(bad, 1).to(Outcome::success(), 1).to(bad, 0);
  led.record.transition.endpoint = EndpointId{0};
  auto const found = led.by(Rule::evidence_ratio);
  EXPECT_THAT(requests(found.bad), ElementsAre(1, 4));
  EXPECT_THAT(found.good, IsEmpty());
}

TEST(Deciding, ARatioCountsWhatSettledInTheWindow) {
  Led led;
  led.to(bad);
  led.now += led.rules.window;
  led.to(Outcome::success()).to(bad).to(Outcome::abandoned());
  auto const found = led.by(Rule::failure_rate);
  EXPECT_THAT(requests(found.bad), ElementsAre(3));
  EXPECT_THAT(requests(found.good), ElementsAre(2));
  EXPECT_FALSE(found.cut);
}

TEST(Deciding, AProbeDecidesAlone) {
  Led led;
  led.to(bad).to(bad);
  EXPECT_THAT(requests(led.by(Rule::probe_failure).bad), ElementsAre(2));
  led.to(Outcome::success());
  auto const found = led.by(Rule::probe_success);
  EXPECT_THAT(found.bad, IsEmpty());
  EXPECT_THAT(requests(found.good), ElementsAre(3));
}

TEST(Deciding, AnAttemptThatWasMarkedAndSettledIsToldOnce) {
  Led led;
  led.to(bad);
  auto& mark = led.record.attempts.back();
  mark.slow = mark.in_flight = true;
  auto settled = mark;
  settled.in_flight = false;
  settled.outcome = Outcome::success();
  settled.settled = led.now += 1s;
  led.record.attempts.push_back(settled);
  auto const found = led.by(Rule::slow_rate);
  ASSERT_EQ(found.bad.size(), 1U);
  EXPECT_FALSE(found.bad.front().in_flight);
}

}  // namespace
}  // namespace candor::observe
