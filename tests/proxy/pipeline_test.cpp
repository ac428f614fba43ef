// The order of the layers, seen from what they do to a request.
#include <gtest/gtest.h>

#include "candor/proxy/layers.hpp"
#include "support/rig.hpp"

namespace candor::test {
namespace {

TEST(Pipeline, EveryAttemptAsksForItsOwnPermit) {
  Rig rig;
  rig.transport.usually = answers(503);
  std::vector<unsigned> permits;
  std::vector<std::uint64_t> in_flight;
  rig.transport.on_send = [&](Permit& permit) {
    permits.push_back(permit.number());
    in_flight.push_back(rig.health().ledger.in_flight);
  };
  rig.send();
  rig.run_for(1s);
  EXPECT_EQ(permits, (std::vector<unsigned>{1, 2, 3}));
  EXPECT_EQ(in_flight, (std::vector<std::uint64_t>{1, 1, 1}));
  EXPECT_EQ(rig.health().ledger.started, 3U);
}

TEST(Pipeline, TheEndpointIsPickedBeforeThePermitIsAskedFor) {
  Rig rig;
  std::optional<EndpointId> of_permit;
  rig.transport.on_send = [&](Permit& permit) { of_permit = permit.endpoint(); };
  rig.send();
  EXPECT_EQ(of_permit, rig.transport.sent.at(0).endpoint);
}

TEST(Pipeline, ATimeoutCountsAndThePermitSettlesBeforeTheRetryIsDecided) {
  auto settings = plain_settings();
  settings.timeouts.attempt = 50ms;
  settings.breaker.trip = {.evidence = std::nullopt, .consecutive_failures = 1};
  Rig rig{settings};
  rig.transport.usually = hangs();
  auto& call = rig.send();
  rig.run_for(50ms);
  ASSERT_TRUE(call.ended());
  EXPECT_EQ(rig.health().ledger.failed(), 1U);
  EXPECT_EQ(call.exchange->denied, RetryDenied::circuit) << "the decision already sees the open circuit";
}

TEST(Pipeline, TheDeadlineIsOverAttemptsAndWaits) {
  auto settings = plain_settings();
  settings.timeouts.request = 120ms;
  settings.timeouts.attempt = 100ms;
  Rig rig{settings};
  rig.transport.usually = hangs();
  auto& call = rig.send();
  rig.run_for(1s);
  // 100ms of the first attempt, denied a second one? No: 25ms of wait fit into what is left, barely not.
  EXPECT_EQ(call.exchange->deadline, Instant{} + 120ms);
  EXPECT_EQ(call.exchange->denied, RetryDenied::deadline);
  EXPECT_EQ(call.ended_at, Instant{} + 100ms);
}

TEST(Pipeline, ALayerThatIsNotEnabledIsNotBuilt) {
  auto settings = plain_settings();
  Rig without{settings};
  without.send();
  EXPECT_EQ(without.transport.sent.at(0).next_due, Instant{} + settings.timeouts.attempt);

  settings.breaker.slow_after = 500ms;
  Rig with{settings};
  with.send();
  EXPECT_EQ(with.transport.sent.at(0).next_due, Instant{} + 500ms);
}

TEST(Pipeline, ALayerInTheWrongPlaceIsFoundWhenItIsPushed) {
  Rig rig;
  Pipeline pipeline{rig.upstream.own_route()};
  EXPECT_THROW(pipeline.push<TimeoutLayer>(1s), std::bad_variant_access);
  EXPECT_THROW(pipeline.end(rig.transport), std::bad_variant_access);
}

TEST(Pipeline, ManyRequestsAtOnceAllComeToTheirEnd) {
  auto settings = plain_settings();
  settings.retry.budget = {.ratio = 1, .per_second = 10, .over = 10s};
  Rig rig{settings};
  Rng chance{3};
  for (int i = 0; i < 2000; ++i) {
    rig.transport.then({.connect = chance.between(0ms, 3ms),
                        .head = chance.between(0ms, 20ms),
                        .status = static_cast<std::uint16_t>(chance.chance(0.2) ? 503 : 200),
                        .body = {{.bytes = "a"}, {.after = chance.between(0ms, 5ms), .last = true}}});
  }
  std::vector<Call*> calls;
  for (int i = 0; i < 1000; ++i) {
    calls.push_back(&rig.send());
    if (chance.chance(0.1)) calls[chance.below(calls.size())]->hang_up();
    rig.run_for(1ms);
  }
  rig.run_for(1min);
  for (auto* call : calls) EXPECT_TRUE(call->ended());
  rig.expect_all_told();
}

}  // namespace
}  // namespace candor::test
