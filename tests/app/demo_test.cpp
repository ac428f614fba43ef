#include "candor/app/demo.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "candor/app/demo_summary.hpp"
#include "candor/app/demo_view.hpp"
#include "candor/app/page.hpp"
#include "candor/app/timetable.hpp"
#include "candor/observe/text.hpp"

namespace candor::app {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string text_of(std::vector<Line> const& lines) {
  std::string out;
  for (auto const& line : lines) out += app::text_of(line) + '\n';
  return out;
}

TEST(Timetable, IsWellFirstLastAndAfterEachTrouble) {
  EXPECT_EQ(Timetable::turns.front(), Behaviour::well);
  EXPECT_EQ(Timetable::turns.back(), Behaviour::well);
  for (std::size_t i = 1; i < Timetable::turns.size(); ++i) {
    EXPECT_NE(Timetable::turns[i] == Behaviour::well, Timetable::turns[i - 1] == Behaviour::well);
  }
}

TEST(Timetable, GivesEachTurnItsTimeAndBeginsAnew) {
  Timetable const timetable{3s};
  EXPECT_EQ(timetable.pass(), 21s);
  auto const first = timetable.at(1s);
  EXPECT_EQ(first.number, 0U);
  EXPECT_EQ(first.left, 2s);
  auto const second = timetable.at(3s);
  EXPECT_EQ(second.number, 1U);
  EXPECT_EQ(second.behaviour, Behaviour::failing);
  EXPECT_EQ(second.left, 3s);
  auto const eighth = timetable.at(21s);
  EXPECT_EQ(eighth.number, 7U);
  EXPECT_EQ(eighth.behaviour, Behaviour::well);
}

TEST(Reading, GivesRatesBetweenTwoMoments) {
  Reading before;
  before.requests = {10, 0, 5, 0, 0};
  Reading after = before;
  after.at = Instant{2s};
  after.requests = {30, 0, 15, 0, 0};
  after.well = 16;
  after.retries = 3;
  after.health.ledger.started = 7;
  auto const got = rates(before, after);
  EXPECT_DOUBLE_EQ(got.requests, 15);
  EXPECT_DOUBLE_EQ(got.well, 8);
  EXPECT_DOUBLE_EQ(got.refused, 5);
  EXPECT_DOUBLE_EQ(got.attempts, 3.5);
  EXPECT_DOUBLE_EQ(got.retries, 1.5);
  EXPECT_DOUBLE_EQ(rates(after, after).requests, 0);
}

TEST(Reading, FindsQuantilesInTheBucketsOfWhatCameBetween) {
  Reading before;
  Reading after;
  auto const bucket = observe::duration_bucket(7ms);  // above 5ms, to 10ms
  before.durations.buckets[0] = 1000;
  after.durations.buckets[0] = 1000;
  EXPECT_EQ(quantile(before, after, 0.5), std::nullopt);
  after.durations.buckets[bucket] = 100;
  EXPECT_EQ(quantile(before, after, 0.5), 7500us);
  EXPECT_EQ(quantile(before, after, 1), 10ms);
  after.durations.buckets.back() = 900;
  EXPECT_EQ(quantile(before, after, 0.99), 10s);
}

TEST(Reading, CountsOpeningsByARuleAndNotByAFailedProbe) {
  auto const shared =
      std::make_shared<Upstream>(UpstreamSettings{.name = "demo", .endpoints = {{"127.0.0.1:1"}}}, 0, 1);
  auto& upstream = *shared;
  auto const counts = std::make_shared<observe::TransitionCounts>(std::vector{shared});
  observe::TransitionCounts::watch(counts, upstream);
  Instant now{1s};
  auto const attempt = [&](Outcome outcome, std::uint64_t request) {
    auto permit = upstream.health.admit({.request = {request}, .method = "GET", .path = "/"}, now);
    if (permit) std::move(*permit).settle(outcome, now);
  };
  for (std::uint64_t request = 1; request < 20; ++request) {
    attempt(Outcome::failed(FailureKind::status), request);
  }
  now += 1s;
  attempt(Outcome::failed(FailureKind::status), 20);
  Reading reading;
  add(reading, *counts, upstream.own_route());
  EXPECT_EQ(upstream.health.state(), CircuitState::open);
  EXPECT_EQ(reading.openings, 1U);
  EXPECT_EQ(reading.closings, 0U);
}

TEST(Page, IsNeverWiderThanTheTerminal) {
  Line const line{{"upstream ", Tint::faint}, {"▁▂▃▄▅▆▇█", Tint::bad}};
  EXPECT_EQ(render(line, 12, false), "upstream ▁▂▃");
  EXPECT_EQ(render(line, 4, false), "upst");
  EXPECT_EQ(render(line, 80, false), app::text_of(line));
  EXPECT_THAT(render(line, 12, true), HasSubstr("\x1b[1;31m▁▂▃\x1b[0m"));
}

TEST(Page, BreaksLinesAtSpaces) {
  EXPECT_THAT(wrapped("one two three", 7), ElementsAre("one two", "three"));
  EXPECT_THAT(wrapped("extraordinary", 5), ElementsAre("extraordinary"));
  EXPECT_THAT(wrapped("", 5), IsEmpty());
}

View some_view() {
  View view{.proxy = "127.0.0.1:1001", .admin = "127.0.0.1:1002", .endpoints = {"127.0.0.1:1003"}};
  view.elapsed = 4s;
  view.turn = {.number = 1, .behaviour = Behaviour::failing, .left = 2s};
  view.reading.health.state = CircuitState::open;
  view.reading.health.retry_after = 60ms;
  view.reading.health.ledger.started = 12;
  view.reading.health.ledger.success = 12;
  view.reading.tokens = 17.5;
  view.rates = {.requests = 240, .well = 24, .refused = 200, .attempts = 3.46, .retries = 0};
  view.p99 = 420ms;
  view.steady = 1200ms;
  view.opening = Opening{.rule = "evidence_run", .why = "A run of 6 failed attempts.", .ago = 1s};
  view.moments = {{Behaviour::well, CircuitState::closed, 100, 100},
                  {Behaviour::failing, CircuitState::open, 100, 0}};
  view.moment = 500ms;
  view.said = {"the last words"};
  return view;
}

TEST(DemoView, SaysHowThingsStand) {
  auto const text = text_of(page(some_view()));
  EXPECT_THAT(text, HasSubstr("http://127.0.0.1:1002/"));
  EXPECT_THAT(text, HasSubstr("upstream   failing, for another 2s: "));
  EXPECT_THAT(text, HasSubstr("circuit    open, not closed for 1.2s; the next probe may go in 60ms"));
  EXPECT_THAT(text, HasSubstr("by rule evidence_run. A run of 6"));
  EXPECT_THAT(text, HasSubstr("requests   240 "));
  EXPECT_THAT(text, HasSubstr("attempts   3.5 "));
  EXPECT_THAT(text, HasSubstr("would pay for 17 more"));
  EXPECT_THAT(text, HasSubstr("10% of the requests answered well; they took p50 -, p99 420ms"));
  EXPECT_THAT(text, HasSubstr("the last words"));
  EXPECT_THAT(text, testing::Not(HasSubstr("DOES NOT BALANCE")));
}

TEST(DemoView, DrawsTheLastSeconds) {
  auto const text = text_of(page(some_view()));
  EXPECT_THAT(text, HasSubstr("upstream   .F\n"));
  EXPECT_THAT(text, HasSubstr("circuit    .O\n"));
  EXPECT_THAT(text, HasSubstr("requests   ██\n"));
  EXPECT_THAT(text, HasSubstr("attempts   █ \n"));
}

TEST(DemoView, ShowsALedgerThatDoesNotBalance) {
  auto view = some_view();
  ++view.reading.health.ledger.started;
  EXPECT_THAT(text_of(page(view)), HasSubstr("DOES NOT BALANCE"));
}

TEST(DemoView, KeepsItsPlacesWhileItsTextsChange) {
  auto view = some_view();
  auto const lines = page(view).size();
  view.opening.reset();
  EXPECT_EQ(page(view).size(), lines);
}

TEST(DemoView, FitsEightyColumnsButForTheLog) {
  auto view = some_view();
  view.said.clear();
  view.elapsed = 3min + 20s;
  view.reading.requests = {40'000, 20, 20'000, 0, 0};
  view.reading.well = 39'500;
  view.reading.health.ledger.started = view.reading.health.ledger.success = 50'000;
  for (auto const state :
       {CircuitState::closed, CircuitState::open, CircuitState::half_open, CircuitState::ramping}) {
    view.steady = 3min + 20s;
    view.reading.health.admitted_share = 0.27;
    view.reading.health.state = state;
    view.moments.assign(64, {});
    for (auto const& line : page(view))
      EXPECT_LE(observe::columns(app::text_of(line)), 80U) << app::text_of(line);
  }
}

TEST(DemoView, FitsOneLineWithoutATerminal) {
  auto const line = one_line(some_view());
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_THAT(line, AllOf(HasSubstr("upstream failing"), HasSubstr("circuit open, away 1.2s"),
                          HasSubstr("requests 240/s"), HasSubstr("budget 17"), HasSubstr("p99 420ms")));
}

/// Of a pass in which everything held.
Summary good_summary() {
  Summary summary{.whole_pass = true};
  auto& reading = summary.reading;
  reading.openings = 3;
  reading.closings = 3;
  reading.requests[static_cast<std::size_t>(RequestResult::answered)] = 90;
  reading.requests[static_cast<std::size_t>(RequestResult::refused)] = 10;
  auto& ledger = reading.health.ledger;
  ledger.started = 95;
  ledger.success = 85;
  ledger.failures[static_cast<std::size_t>(FailureKind::status)] = 8;
  ledger.failures[static_cast<std::size_t>(FailureKind::connect)] = 2;
  summary.seen_by_upstream = 93;
  summary.callers = {.asked = 100, .well = 85, .failed = 5, .by_candor = 10};
  return summary;
}

TEST(DemoVerdict, HoldsWhenTheBooksAgree) {
  auto const summary = good_summary();
  EXPECT_THAT(checks(summary), Each(testing::Field(&Check::held, true)));
  EXPECT_THAT(summary_text(summary), testing::Not(HasSubstr("NOT HELD")));
}

/// What the summary says did not hold, after this was done to a good one.
template <class Spoil>
std::string not_held(Spoil spoil) {
  auto summary = good_summary();
  spoil(summary);
  std::string out;
  for (auto const& check : checks(summary)) {
    if (!check.held) out += check.what + '\n';
  }
  EXPECT_EQ(all_held(checks(summary)), out.empty());
  EXPECT_THAT(summary_text(summary), HasSubstr("NOT HELD"));
  return out;
}

TEST(DemoVerdict, NeedsACircuitThatOpenedAndClosed) {
  EXPECT_THAT(not_held([](Summary& s) { s.reading.openings = 0; }),
              HasSubstr("the circuit opened (0 times)"));
  EXPECT_THAT(not_held([](Summary& s) { s.reading.closings = 0; }), HasSubstr("closed again (0 times)"));
  EXPECT_THAT(not_held([](Summary& s) { s.reading.health.state = CircuitState::open; }),
              HasSubstr("in the end it is open"));
}

TEST(DemoVerdict, DoesNotAskForAClosedCircuitOfADemoThatWasEndedInAnOutage) {
  auto summary = good_summary();
  summary.recovered = false;
  summary.reading.health.state = CircuitState::open;
  EXPECT_TRUE(all_held(checks(summary)));
}

TEST(DemoVerdict, DoesNotAskForAnOpeningBeforeThePassIsOver) {
  auto summary = good_summary();
  summary.whole_pass = false;
  summary.reading.openings = 0;
  EXPECT_TRUE(all_held(checks(summary)));
}

TEST(DemoVerdict, NeedsTheUpstreamsCountToAgree) {
  EXPECT_THAT(not_held([](Summary& s) { s.seen_by_upstream = 94; }), HasSubstr("the upstream counted 94"));
  EXPECT_THAT(not_held([](Summary& s) { s.seen_by_upstream = 92; }), HasSubstr("the upstream counted 92"));
}

TEST(DemoVerdict, AllowsForAttemptsOfWhichNobodyKnowsWhetherTheyArrived) {
  auto summary = good_summary();
  auto& ledger = summary.reading.health.ledger;
  ledger.started += 2;
  ledger.excluded += 2;
  summary.seen_by_upstream = 94;
  EXPECT_TRUE(all_held(checks(summary)));
  summary.seen_by_upstream = 96;
  EXPECT_FALSE(all_held(checks(summary)));
}

TEST(DemoVerdict, NeedsALedgerThatBalancesWithNothingInFlight) {
  EXPECT_THAT(not_held([](Summary& s) {
                ++s.reading.health.ledger.in_flight;
                --s.reading.health.ledger.success;
              }),
              HasSubstr("1 in flight"));
  EXPECT_THAT(not_held([](Summary& s) { ++s.reading.health.ledger.success; }),
              HasSubstr("the ledger balances"));
}

TEST(DemoVerdict, NeedsEachRequestToGetItsOwnAnswer) {
  EXPECT_THAT(not_held([](Summary& s) {
                --s.callers.by_candor;
                ++s.callers.lost;
              }),
              HasSubstr("1 lost"));
  EXPECT_THAT(not_held([](Summary& s) {
                --s.callers.well;
                ++s.callers.mixed_up;
              }),
              HasSubstr("1 mixed up"));
  EXPECT_THAT(not_held([](Summary& s) { s.callers = {}; }), HasSubstr("each of 0 requests"));
}

TEST(DemoVerdict, NeedsCandorToHaveCountedTheSameRequests) {
  EXPECT_THAT(not_held([](Summary& s) { ++s.reading.requests[0]; }), HasSubstr("Candor 101 and 91"));
}

TEST(Demo, HoldsInOnePassWhatItPromises) {
  std::ostringstream out;
  EXPECT_TRUE(run_demo({.once = true, .each_turn = 500ms}, out)) << out.str();
  EXPECT_THAT(out.str(), AllOf(HasSubstr("circuit open, away"), HasSubstr("All of it held.")));
}

TEST(DemoSummary, HasARowForEachTurn) {
  auto summary = good_summary();
  Reading after = summary.reading;
  after.at = Instant{3s};
  summary.turns = {{Behaviour::failing, Reading{}, after}};
  EXPECT_THAT(summary_text(summary), testing::ContainsRegex("failing +3s +100 +0 +10 +95 +3\n"));
}

}  // namespace
}  // namespace candor::app
