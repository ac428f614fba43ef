// Routes of upstreams: what they say, and what they have from their upstream.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support.hpp"

namespace candor::config::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Routes, HaveFromTheirUpstreamWhatTheyDoNotSay) {
  auto const payments = upstream(
      "    timeouts: {attempt: 2s, request: 4s}\n"
      "    retry: {attempts: 5, backoff: {base: 10ms, cap: 1s}, on: [connect, 502]}\n"
      "    breaker: {slow_after: 700ms}\n"
      "    fallback: {status: 503, body: late}\n"
      "    routes:\n"
      "      - match: {path_prefix: /charge}\n"
      "        retry: {attempts: 2, backoff: {cap: 500ms}}\n"
      "        timeouts: {request: 3s}\n"
      "        fallback: {body: later}\n");
  auto const& route = payments.routes.at(0);
  EXPECT_EQ(route.retry.attempts, 2U);
  EXPECT_EQ(route.retry.backoff.base, 10ms);
  EXPECT_EQ(route.retry.backoff.cap, 500ms);
  EXPECT_THAT(route.retry.on.statuses, ElementsAre(502));
  EXPECT_EQ(route.timeouts.attempt, 2s);
  EXPECT_EQ(route.timeouts.request, 3s);
  EXPECT_EQ(route.breaker.slow_after, 700ms);
  EXPECT_EQ(route.fallback->status, 503);
  EXPECT_EQ(route.fallback->body, "later");
  EXPECT_EQ(route.circuit, RouteCircuit::shared);
  EXPECT_EQ(payments.retry.attempts, 5U);
}

TEST(Routes, StandWhereTheyLikeInTheFile) {
  auto const payments = config(
      "upstreams:\n"
      "  payments:\n"
      "    routes: [{match: {methods: [POST]}, timeouts: {connect: 20ms}}]\n"
      "    listen: 127.0.0.1:9001\n"
      "    endpoints: [payments-1:8080]\n"
      "    retry: {attempts: 7}\n"
      "    timeouts: {attempt: 50ms, connect: 10ms}\n");
  auto const& route = payments.upstreams.at(0).routes.at(0);
  EXPECT_EQ(route.retry.attempts, 7U);
  EXPECT_EQ(route.timeouts.attempt, 50ms);
  EXPECT_EQ(route.timeouts.connect, 20ms);
}

TEST(Routes, MayTakeAwayWhatTheirUpstreamHas) {
  auto const route = upstream(
                         "    retry: {hedge: {after: 100ms}}\n"
                         "    fallback: {status: 204}\n"
                         "    routes:\n"
                         "      - {match: {methods: [GET]}, retry: {hedge: null}, fallback: null}\n")
                         .routes.at(0);
  EXPECT_EQ(route.retry.hedge, std::nullopt);
  EXPECT_FALSE(route.fallback);
}

TEST(Routes, AListReplacesTheUpstreams) {
  auto const route = upstream(
                         "    retry: {on: [connect, reset]}\n"
                         "    routes:\n"
                         "      - {match: {methods: [GET]}, retry: {on: [timeout]}}\n")
                         .routes.at(0);
  EXPECT_THAT(route.retry.on.kinds, ElementsAre(FailureKind::timeout));
}

TEST(Routes, WhatIsNoFailureForARouteIsNotRetriedThereByDefault) {
  auto const payments = upstream(
      "    routes:\n"
      "      - {match: {methods: [GET]}, breaker: {failure_statuses: [500, 504]}}\n");
  EXPECT_THAT(payments.routes.at(0).retry.on.statuses, ElementsAre(504));
  EXPECT_THAT(payments.retry.on.statuses, ElementsAre(502, 503, 504));
}

TEST(Routes, AClassicRuleOfTheUpstreamLeavesItsEvidenceToARouteThatNamesAnother) {
  auto const payments = upstream(
      "    breaker: {trip: {evidence: {failure_rate: 0.4}, consecutive_failures: 9}}\n"
      "    routes:\n"
      "      - {match: {methods: [GET]}, circuit: own, breaker: {trip: {strain_rate: {ratio: 0.7}}}}\n"
      "      - {match: {methods: [PUT]}, circuit: own, breaker: {trip: {consecutive_failures: 3}}}\n");
  auto const& strained = payments.routes.at(0).breaker.trip;
  EXPECT_EQ(strained.evidence, EvidenceSettings{0.4});
  EXPECT_EQ(strained.consecutive_failures, 9U);
  auto const& classic = payments.routes.at(1).breaker.trip;
  EXPECT_EQ(classic.evidence, std::nullopt);
  EXPECT_EQ(classic.consecutive_failures, 3U);
}

TEST(Routes, ANarrowBudgetOfTheUpstreamIsTheirs) {
  auto const payments = upstream(
      "    retry: {budget: {ratio: 0.9}}\n"
      "    routes: [{match: {methods: [GET]}, retry: {attempts: 2}}]\n");
  EXPECT_EQ(payments.retry.budget.stretch, std::nullopt);
  EXPECT_EQ(payments.routes.at(0).retry.budget, payments.retry.budget);
}

TEST(Routes, OneThatComesLaterMayTakeMoreThanAnEarlierOne) {
  EXPECT_THAT(problems(with_upstream("    routes:\n"
                                     "      - match: {methods: [GET], path_prefix: /a}\n"
                                     "      - match: {path_prefix: /a}\n"
                                     "      - match: {path_prefix: /ab}\n"
                                     "      - match: {path_regex: /c/.*}\n"
                                     "      - match: {path_prefix: /c}\n"
                                     "      - match: {headers: {x-a: one}}\n"
                                     "      - match: {headers: {x-a: two}}\n"
                                     "      - match: {headers: {x-a: {value: null}}}\n"
                                     "      - match: {methods: [GET]}\n")),
              IsEmpty());
}

TEST(Shadow, HasFromTheActingRulesWhatItDoesNotSay) {
  auto const payments = upstream(
      "    shadow: {retry: {attempts: 2}, breaker: {trip: {consecutive_failures: 3}}}\n"
      "    retry: {attempts: 5, on: [connect, 502], budget: {ratio: 0.1}}\n"
      "    breaker: {window: 7s}\n");
  ASSERT_TRUE(payments.shadow);
  EXPECT_EQ(payments.shadow->retry.attempts, 2U);
  EXPECT_EQ(payments.shadow->retry.on, payments.retry.on);
  EXPECT_EQ(payments.shadow->retry.budget, payments.retry.budget);
  EXPECT_EQ(payments.shadow->breaker.window, 7s);
  EXPECT_EQ(payments.shadow->breaker.trip.consecutive_failures, 3U);
  EXPECT_EQ(payments.shadow->breaker.trip.evidence, std::nullopt);
  EXPECT_TRUE(payments.breaker.trip.evidence);
}

TEST(Shadow, MayHaveABudgetOfItsOwn) {
  auto const payments = upstream("    shadow: {retry: {budget: {ratio: 0.6}}}\n");
  EXPECT_EQ(payments.shadow->retry.budget.ratio, 0.6);
  EXPECT_EQ(payments.shadow->retry.budget.stretch, std::nullopt) << "which would be narrower";
}

TEST(Shadow, OfTheUpstreamIsNoneOfItsRoutes) {
  auto const payments = upstream(
      "    shadow: {retry: {attempts: 2}}\n"
      "    routes:\n"
      "      - {match: {methods: [GET]}}\n"
      "      - {match: {methods: [PUT]}, retry: {attempts: 6}, shadow: {retry: {replay: never}}}\n");
  EXPECT_FALSE(payments.routes.at(0).shadow);
  EXPECT_EQ(payments.routes.at(1).shadow->retry.attempts, 6U) << "what acts there";
}

TEST(Routes, EffectiveSaysAllThatHoldsForThem) {
  auto const before = config(
      with_upstream("    timeouts: {attempt: 2s}\n"
                    "    breaker: {trip: {consecutive_failures: 4}}\n"
                    "    routes:\n"
                    "      - {match: {path_regex: '/a/[0-9]+'}, name: a, retry: {attempts: 2}}\n"
                    "      - {match: {methods: [PUT]}, circuit: own, breaker: {trip: {evidence: {}}}}\n"));
  auto const text = effective(before);
  EXPECT_THAT(text, ::testing::HasSubstr("\n      - match:\n          hosts: []\n          methods: []\n"
                                         "          path_prefix: null\n"
                                         "          path_regex: \"/a/[0-9]+\"\n"));
  auto const after = config(text);
  EXPECT_EQ(effective(after), text);
  EXPECT_EQ(after.upstreams.at(0).routes.at(1).breaker.trip,
            before.upstreams.at(0).routes.at(1).breaker.trip);
}

}  // namespace
}  // namespace candor::config::test
