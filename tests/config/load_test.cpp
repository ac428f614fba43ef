// What a file that is right makes of the settings.
#include "candor/config/load.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>
#include <variant>

#include "support.hpp"

namespace candor::config::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Load, TheSmallestFileGivesTheDefaults) {
  auto const loaded = config("upstreams: {payments: {listen: 127.0.0.1:9001, endpoints: [payments-1:8080]}}");
  ASSERT_EQ(loaded.upstreams.size(), 1U);
  auto const& payments = loaded.upstreams.at(0);
  EXPECT_EQ(payments.name, "payments");
  EXPECT_EQ(payments.listen, "127.0.0.1:9001");
  EXPECT_EQ(payments.endpoints.front().address, "payments-1:8080");
  EXPECT_EQ(payments.timeouts.request, 15s);
  EXPECT_EQ(payments.retry.attempts, 3U);
  EXPECT_EQ(payments.breaker.trip, TripSettings{});
  EXPECT_EQ(loaded.admin.listen, "127.0.0.1:15000");
  EXPECT_EQ(loaded.net.drain_timeout, 30s);
}

TEST(Load, UpstreamsKeepTheOrderOfTheFile) {
  auto const loaded = config(
      "upstreams:\n"
      "  zeta: {listen: 127.0.0.1:1, endpoints: [z:1]}\n"
      "  alpha: {listen: 127.0.0.1:2, endpoints: [a:1]}\n"
      "  mu: {listen: 127.0.0.1:3, endpoints: [m:1]}\n");
  std::vector<std::string> names;
  for (auto const& one : loaded.upstreams) names.push_back(one.name);
  EXPECT_THAT(names, ElementsAre("zeta", "alpha", "mu"));
}

TEST(Load, AnEndpointIsAnAddressOrAMap) {
  auto const loaded = config(
      "upstreams: {p: {listen: 127.0.0.1:1, endpoints: [a:1, {address: b:2}, '[::1]:3', 10.0.0.1:4]}}");
  std::vector<std::string> addresses;
  for (auto const& endpoint : loaded.upstreams.at(0).endpoints) addresses.push_back(endpoint.address);
  EXPECT_THAT(addresses, ElementsAre("a:1", "b:2", "[::1]:3", "10.0.0.1:4"));
}

TEST(Load, AnEndpointHasItsWeightAndItsPriority) {
  auto const loaded = config(
      "upstreams: {p: {listen: 127.0.0.1:1, endpoints: [a:1, {address: b:2, weight: 1000, priority: 15}]}}");
  auto const& endpoints = loaded.upstreams.at(0).endpoints;
  EXPECT_EQ(endpoints.at(0).weight, 1U);
  EXPECT_EQ(endpoints.at(0).priority, 0U);
  EXPECT_EQ(endpoints.at(1).weight, 1000U);
  EXPECT_EQ(endpoints.at(1).priority, 15U);
}

TEST(Load, BalanceMayBeAPolicyAloneOrASection) {
  auto const balance = [](std::string const& text) {
    return config("upstreams: {p: {listen: 127.0.0.1:1, endpoints: [a:1]" + text + "}}")
        .upstreams.at(0)
        .balance;
  };
  using Policy = BalanceSettings::Policy;
  EXPECT_EQ(balance("").policy, Policy::round_robin);
  EXPECT_EQ(balance(", balance: peak_ewma").policy, Policy::peak_ewma);
  auto const hashing = balance(", balance: {policy: ring_hash, hash_header: X-Session, ramp: 10s}");
  EXPECT_EQ(hashing.policy, Policy::ring_hash);
  EXPECT_EQ(hashing.hash_header, "X-Session");
  EXPECT_EQ(hashing.ramp, 10s);
}

TEST(Load, TheStretchMayBeAnotherOrNone) {
  auto const budget = [](std::string const& text) {
    return config("upstreams: {p: {listen: 127.0.0.1:1, endpoints: [a:1], retry: {budget: {" + text + "}}}}")
        .upstreams.at(0)
        .retry.budget;
  };
  EXPECT_EQ(budget("").stretch, 0.5);
  EXPECT_EQ(budget("stretch: 0.2").stretch, 0.2);
  EXPECT_EQ(budget("stretch: null").stretch, std::nullopt);
  EXPECT_EQ(budget("ratio: 1").ratio, 1) << "above the default stretch, of which nobody spoke";
}

TEST(Load, RetryConditionsMixKindsAndStatuses) {
  auto const on = upstream("    retry: {on: [503, connect, overload, 500]}").retry.on;
  EXPECT_THAT(on.kinds, ElementsAre(FailureKind::connect, FailureKind::overload));
  EXPECT_THAT(on.statuses, ElementsAre(503, 500));
}

TEST(Load, AnEmptyListReplacesTheDefaultOne) {
  auto const on = upstream("    retry: {on: []}").retry.on;
  EXPECT_THAT(on.kinds, IsEmpty());
  EXPECT_THAT(on.statuses, IsEmpty());
}

TEST(Load, FailureStatusesStandUnderTheBreakerAndSetTheClassifier) {
  auto const payments = upstream("    breaker: {failure_statuses: [500, '502-599', 408]}");
  EXPECT_THAT(payments.classify.failure_statuses,
              ElementsAre(StatusRange{500, 500}, StatusRange{502, 599}, StatusRange{408, 408}));
  EXPECT_TRUE(payments.breaker.enabled);
}

TEST(Load, WhatIsNoFailureIsNotRetriedByDefault) {
  EXPECT_THAT(upstream("    breaker: {failure_statuses: ['503-599']}").retry.on.statuses,
              ElementsAre(503, 504));
  EXPECT_THAT(upstream("    breaker: {failure_statuses: ['515-599']}").retry.on.statuses, IsEmpty());
  EXPECT_THAT(upstream("").retry.on.statuses, ElementsAre(502, 503, 504));
}

TEST(Load, AWideBudgetDoesNotStretchByDefault) {
  EXPECT_EQ(upstream("    retry: {budget: {ratio: 0.8}}").retry.budget.stretch, std::nullopt);
  EXPECT_EQ(upstream("    retry: {budget: {ratio: 0.3}}").retry.budget.stretch, 0.5);
}

TEST(Load, TheBreakerCanBeSwitchedOff) {
  EXPECT_FALSE(upstream("    breaker: {enabled: false}").breaker.enabled);
}

TEST(Load, SettingsOfTheNetStandAtTheTop) {
  auto const net =
      config(with_upstream(
                 "workers: 2\nlimits: {head: 32KiB, body: 1MiB}\npool: {idle: 0s}\ndrain_timeout: 1m\n"))
          .net;
  EXPECT_EQ(net.workers, 2U);
  EXPECT_EQ(net.limits.head, 32_KiB);
  EXPECT_EQ(net.limits.target, 8_KiB);
  EXPECT_EQ(net.limits.body, 1_MiB);
  EXPECT_EQ(net.pool.idle, 0s);
  EXPECT_EQ(net.drain_timeout, 1min);
}

TEST(Load, WordsBecomeEnums) {
  auto const loaded =
      config(with_upstream("    retry: {replay: always, backoff: {jitter: none}}\nlog: {level: debug}\n"
                           "access_log: {mode: off}\n"));
  EXPECT_EQ(loaded.upstreams.at(0).retry.replay, Replay::always);
  EXPECT_EQ(loaded.upstreams.at(0).retry.backoff.jitter, BackoffSettings::Jitter::none);
  EXPECT_EQ(loaded.log.level, LogSettings::Level::debug);
  EXPECT_EQ(loaded.access_log.mode, AccessLogSettings::Mode::off);
}

TEST(Load, NullIsAbsence) {
  auto const loaded =
      config(with_upstream("    timeouts: {total: null}\nadmin: {listen: ~}\nworkers: null\n"));
  EXPECT_EQ(loaded.admin.listen, std::nullopt);
  EXPECT_EQ(loaded.net.workers, std::nullopt);
  EXPECT_EQ(loaded.upstreams.at(0).timeouts.total, std::nullopt);
}

TEST(Load, ManyMayAskForAnyFreePort) {
  auto const text =
      "admin: {listen: '127.0.0.1:0'}\n"
      "listeners: [{listen: '127.0.0.1:0'}, {listen: '127.0.0.1:0'}]\n"
      "upstreams: {p: {listen: 127.0.0.1:0, endpoints: [a:1]}, q: {listen: 127.0.0.1:0, endpoints: [a:1]}}\n";
  EXPECT_THAT(problems(text), IsEmpty());
}

TEST(Load, TheSamePortOfTwoAddressesIsNoContradiction) {
  auto const text =
      "upstreams:\n"
      "  p: {listen: 127.0.0.1:9001, endpoints: [a:1]}\n"
      "  q: {listen: '[::1]:9001', endpoints: [a:1]}\n"
      "  r: {listen: 127.0.0.2:9001, endpoints: ['10.0.0.1:9001']}\n";
  EXPECT_THAT(problems(text), IsEmpty());
}

TEST(Load, OrdersMayBeTakenOnAnyLoopbackAddress) {
  for (auto const* listen : {"127.0.0.1:15000", "127.8.8.8:0", "localhost:15000", "'[::1]:15000'"}) {
    EXPECT_THAT(problems(with_upstream("admin: {changes: true, listen: " + std::string(listen) + "}\n")),
                IsEmpty())
        << listen;
  }
  EXPECT_THAT(problems(with_upstream("admin: {changes: false, listen: 0.0.0.0:15000}\n")), IsEmpty());
  EXPECT_THAT(problems(with_upstream("admin: {changes: true, listen: null}\n")), IsEmpty());
}

TEST(Load, BoundsOfTtlsThatSayNothingNewMayStandBesideARefresh) {
  EXPECT_THAT(problems(with_upstream("dns: {refresh: 5s, least_ttl: 1s, most_ttl: 1m}\n")), IsEmpty());
}

TEST(Load, AnUpstreamMayListItsOwnNameAsAHost) {
  EXPECT_EQ(upstream("    hosts: [payments, Payments.internal]").hosts.size(), 2U);
}

// The rules that open a circuit.

TEST(Load, NamingAClassicRuleDropsTheEvidence) {
  for (std::string_view const rule : {"consecutive_failures: 5", "failure_rate: {}", "slow_rate: {}"}) {
    auto const trip =
        upstream("    breaker: {slow_after: 1s, trip: {" + std::string(rule) + "}}").breaker.trip;
    EXPECT_EQ(trip.evidence, std::nullopt) << rule;
  }
}

TEST(Load, EvidenceThatIsNamedStaysBesideAClassicRule) {
  auto const trip =
      upstream("    breaker: {trip: {consecutive_failures: 5, evidence: {minimum_attempts: 50}}}")
          .breaker.trip;
  ASSERT_TRUE(trip.evidence);
  EXPECT_EQ(trip.evidence->minimum_attempts, 50U);
  EXPECT_EQ(trip.consecutive_failures, 5U);
}

TEST(Load, EvidenceStaysBesideARuleThatIsNotClassicOrNotSet) {
  EXPECT_TRUE(upstream("    breaker: {trip: {strain_rate: {ratio: 0.3}}}").breaker.trip.evidence);
  EXPECT_TRUE(upstream("    breaker: {trip: {consecutive_failures: null}}").breaker.trip.evidence);
}

// YAML and JSON.

TEST(Load, JsonIsReadAsItIsIndentedByTabs) {
  auto const loaded = config(
      "{\n\t\"upstreams\" "
      ":\t{\n\t\t\"p\":{\"listen\":\"127.0.0.1:9001\",\t\"endpoints\":[\"a:1\"\t,\"b:1\"],\n"
      "\t\t\"retry\":{\"attempts\":2,\"budget\":{\"ratio\":1e-1}},\"timeouts\":\n\t\t{\"total\":null}}\n\t}"
      "\n}\n");
  ASSERT_EQ(loaded.upstreams.size(), 1U);
  EXPECT_EQ(loaded.upstreams.at(0).endpoints.size(), 2U);
  EXPECT_EQ(loaded.upstreams.at(0).retry.attempts, 2U);
  EXPECT_EQ(loaded.upstreams.at(0).retry.budget.ratio, 0.1);
}

TEST(Load, JsonOnOneLineNeedsNoSpaces) {
  EXPECT_EQ(
      config(R"({"workers":4,"upstreams":{"p":{"listen":"127.0.0.1:1","endpoints":["a:1"]}}})").net.workers,
      4U);
}

TEST(Load, ABomAndWindowsLineEndsAreNoProblem) {
  EXPECT_EQ(config("\xEF\xBB\xBFworkers: 4\r\nupstreams:\r\n  p: {listen: 127.0.0.1:1, endpoints: [a:1]}\r\n")
                .net.workers,
            4U);
}

TEST(Load, OneDocumentMayHaveItsMarks) {
  EXPECT_THAT(problems("%YAML 1.2\n---\n" + with_upstream("") + "...\n"), IsEmpty());
}

TEST(Load, AnAliasStandsForItsAnchor) {
  auto const loaded = config(
      "upstreams:\n"
      "  p: {listen: 127.0.0.1:1, endpoints: [a:1], timeouts: &quick {attempt: 1s, request: 2s}}\n"
      "  q: {listen: 127.0.0.1:2, endpoints: [b:1], timeouts: *quick}\n");
  EXPECT_EQ(loaded.upstreams.at(1).timeouts.request, 2s);
}

TEST(Load, AMergeFillsInWhatTheMapDoesNotSay) {
  auto const loaded = config(
      "upstreams:\n"
      "  p: {listen: 127.0.0.1:1, endpoints: [a:1], timeouts: &quick {attempt: 1s, request: 2s}}\n"
      "  q: {listen: 127.0.0.1:2, endpoints: [b:1], timeouts: &slow {request: 1m, idle: 3s}}\n"
      "  r: {listen: 127.0.0.1:3, endpoints: [c:1], timeouts: {<<: [*quick, *slow], attempt: 1500ms}}\n");
  auto const& timeouts = loaded.upstreams.at(2).timeouts;
  EXPECT_EQ(timeouts.attempt, 1500ms);
  EXPECT_EQ(timeouts.request, 2s);
  EXPECT_EQ(timeouts.idle, 3s);
}

// Variables.

TEST(Load, VariablesAreFilledInAfterParsing) {
  auto const loaded =
      config(with_upstream("    hosts: ['${HOST}.internal']\n"
                           "    timeouts: {attempt: '${TEN}ms', connect: '${NOT_SET:-2}ms'}\n"
                           "workers: \"${TEN}\"\n"));
  EXPECT_EQ(loaded.upstreams.at(0).hosts.front(), "payments-1.internal");
  EXPECT_EQ(loaded.upstreams.at(0).timeouts.attempt, 10ms);
  EXPECT_EQ(loaded.upstreams.at(0).timeouts.connect, 2ms);
  EXPECT_EQ(loaded.net.workers, 10U) << "in JSON a variable stands in quotes, whatever it holds";
}

TEST(Load, AVariableCannotAddKeys) {
  Environment const hostile = [](std::string_view) { return "/tmp/log\nadmin: {listen: 0.0.0.0:1}"; };
  auto const loaded = load_text(with_upstream("access_log:\n  path: ${X}\n"), "f.yaml", hostile);
  EXPECT_THAT(texts(loaded),
              ElementsAre(R"(f.yaml:6:9: access_log.path: must be a file, or stdout, not )"
                          R"("/tmp/log\nadmin: {listen: 0.0.0.0:1}": it holds a control character)"));
}

TEST(Load, AnEmptyVariableIsNull) {
  EXPECT_EQ(config(with_upstream("admin: {listen: '${EMPTY}'}\n")).admin.listen, std::nullopt);
  EXPECT_EQ(config(with_upstream("admin:\n  listen: ${NOT_SET:-}\n")).admin.listen, std::nullopt);
}

TEST(Load, TwoDollarsKeepAVariableFromBeingFilledIn) {
  EXPECT_EQ(config(with_upstream("access_log: {path: '/tmp/$${HOST}-$5'}\n")).access_log.path,
            "/tmp/${HOST}-$5");
}

TEST(Load, TheEnvironmentOfTheProcessIsReadWhenAsked) {
  ASSERT_EQ(setenv("CANDOR_CONFIG_TEST", "set", 1), 0);
  auto const lookup = process_environment();
  EXPECT_EQ(lookup("CANDOR_CONFIG_TEST"), "set");
  ASSERT_EQ(unsetenv("CANDOR_CONFIG_TEST"), 0);
  EXPECT_EQ(lookup("CANDOR_CONFIG_TEST"), std::nullopt);
}

TEST(Load, AConfigurationMayComeThroughAPipe) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  auto const text = with_upstream("workers: 3\n");
  ASSERT_EQ(::write(ends[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  ::close(ends[1]);
  auto const loaded = load_file("/dev/fd/" + std::to_string(ends[0]), environment);
  ::close(ends[0]);
  ASSERT_TRUE(std::holds_alternative<Config>(loaded));
  EXPECT_EQ(std::get<Config>(loaded).net.workers, 3U);
}

TEST(Load, WithoutAnEnvironmentNoVariableIsSet) {
  auto const loaded = load_text(with_upstream("workers: ${TEN}\n"), "f.yaml", {});
  EXPECT_THAT(texts(loaded),
              ElementsAre("f.yaml:5:10: workers: the variable TEN is not set, and has no default"));
}

}  // namespace
}  // namespace candor::config::test
