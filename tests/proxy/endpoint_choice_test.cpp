#include <gtest/gtest.h>

#include <map>

#include "support/rig.hpp"

namespace candor::test {
namespace {

UpstreamSettings with_endpoints(std::size_t count) {
  auto settings = plain_settings();
  settings.endpoints.assign(count, {"10.0.0.1:80"});
  return settings;
}

TEST(EndpointChoice, TakesTheEndpointsInTurn) {
  Rig rig{with_endpoints(3)};
  for (int i = 0; i < 9; ++i) rig.send();
  std::map<EndpointId, int> attempts;
  for (auto const& sent : rig.transport.sent) ++attempts[sent.endpoint];
  EXPECT_EQ(attempts, (std::map<EndpointId, int>{{{0}, 3}, {{1}, 3}, {{2}, 3}}));
  for (std::size_t i = 1; i < rig.transport.sent.size(); ++i) {
    EXPECT_EQ(rig.transport.sent[i].endpoint.value, (rig.transport.sent[i - 1].endpoint.value + 1) % 3);
  }
}

TEST(EndpointChoice, ARetryGoesToAnotherEndpointThanTheAttemptBefore) {
  auto settings = with_endpoints(2);
  settings.breaker.enabled = false;
  settings.retry.budget.per_second = 100;
  Rig rig{settings};
  rig.transport.usually = answers(503);
  for (int round = 0; round < 10; ++round) {
    auto& call = rig.send();
    rig.run_for(20ms);
    if (round % 2 == 1) rig.send();  // so that the next turn would be the same endpoint's
    rig.run_for(1s);
    ASSERT_EQ(call.attempts().size(), 3U);
    EXPECT_NE(call.attempts()[0].endpoint, call.attempts()[1].endpoint);
    EXPECT_NE(call.attempts()[1].endpoint, call.attempts()[2].endpoint);
  }
}

TEST(EndpointChoice, AnAttemptIsExpendableIfAnotherOneMayFollowIt) {
  auto const is_expendable = [](RequestOptions request, Replay replay = Replay::with_key,
                                unsigned attempts = 3) {
    auto settings = with_endpoints(2);
    settings.retry.replay = replay;
    settings.retry.attempts = attempts;
    Rig rig{settings};
    rig.send(std::move(request));
    rig.run_for(1s);
    return rig.transport.sent.at(0).expendable;
  };
  EXPECT_TRUE(is_expendable({}));
  EXPECT_FALSE(is_expendable({}, Replay::never));
  EXPECT_FALSE(is_expendable({}, Replay::with_key, 1));
  EXPECT_FALSE(is_expendable({.method = "POST"}));
  EXPECT_TRUE(is_expendable({.method = "POST"}, Replay::always));
  EXPECT_TRUE(is_expendable({.method = "POST", .fields = {{"Idempotency-Key", "1"}}}));
}

TEST(EndpointChoice, TheOnlyEndpointIsRetried) {
  Rig rig{with_endpoints(1)};
  rig.transport.then(answers(503));
  auto& call = rig.send();
  rig.run_for(1s);
  EXPECT_EQ(call.status, 200);
  EXPECT_EQ(rig.transport.sent[1].endpoint, EndpointId{0});
}

TEST(EndpointChoice, SidecarsDoNotAllBeginAtTheSameEndpoint) {
  std::map<EndpointId, int> first;
  for (std::uint64_t seed = 0; seed < 64; ++seed) {
    Upstream upstream{with_endpoints(4), 0, seed};
    ++first[upstream.health.admit({.request = {1}}, Instant{1h})->endpoint()];
  }
  EXPECT_EQ(first.size(), 4U);
}

TEST(EndpointChoice, TheAccountIsKeptOfTheEndpointThatWasPicked) {
  Rig rig{with_endpoints(2)};
  rig.transport.then(answers(503));
  rig.send();
  rig.run_for(1s);
  auto const failed = rig.transport.sent[0].endpoint.value;
  auto const endpoints = rig.health().endpoints;
  EXPECT_EQ(endpoints[failed].ledger.failed(), 1U);
  EXPECT_EQ(endpoints[1 - failed].ledger.success, 1U);
}

}  // namespace
}  // namespace candor::test
