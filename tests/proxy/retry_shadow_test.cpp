// Retry rules that look on, in the pipeline.
#include <gtest/gtest.h>

#include "support/rig.hpp"

namespace candor::test {
namespace {

UpstreamSettings with_shadow(RetrySettings shadow) {
  auto settings = plain_settings();
  settings.shadow = as_a_shadow(settings);
  settings.shadow->retry = std::move(shadow);
  return settings;
}

RetryShadow const& shadow_of(Rig const& rig) { return *rig.upstream.own_route().retry_shadow; }

TEST(RetryShadowLayer, IsNotThereWhereItSaysNothingElse) {
  Rig const plain;
  EXPECT_EQ(plain.upstream.own_route().retry_shadow, nullptr);
  Rig const same{with_shadow(plain_settings().retry)};
  EXPECT_EQ(same.upstream.own_route().retry_shadow, nullptr);
  EXPECT_EQ(same.upstream.health.shadow_state(), std::nullopt);
}

TEST(RetryShadowLayer, FewerAttemptsAreCountedOnceForEachRequestThatWouldHaveEnded) {
  auto fewer = plain_settings().retry;
  fewer.attempts = 2;
  Rig rig{with_shadow(fewer)};
  rig.transport.usually = answers(503);
  rig.send();
  rig.send();
  rig.run_for(1s);
  EXPECT_EQ(rig.transport.sent.size(), 6U) << "what acts makes its three attempts";
  EXPECT_EQ(shadow_of(rig).spared(RetryDenied::attempts), 2U);
  EXPECT_EQ(shadow_of(rig).added(), 0U);
  rig.expect_all_told();
}

TEST(RetryShadowLayer, MoreAttemptsAreCountedOnceForEachRequestThatWouldHaveGoneOn) {
  auto more = plain_settings().retry;
  more.attempts = 9;
  Rig rig{with_shadow(more)};
  rig.transport.usually = answers(503);
  rig.send();
  rig.run_for(1s);
  EXPECT_EQ(rig.transport.sent.size(), 3U);
  EXPECT_EQ(shadow_of(rig).added(), 1U);
}

TEST(RetryShadowLayer, LooksAtTheKeysThatItNamesItself) {
  auto keyed = plain_settings().retry;
  keyed.idempotency_keys = {"X-Key"};
  Rig rig{with_shadow(keyed)};
  rig.transport.usually = {.no_head = Failure{FailureKind::reset}};
  rig.send({.method = "POST", .fields = {{"X-Key", "1"}}});
  rig.run_for(1s);
  EXPECT_EQ(rig.transport.sent.size(), 1U);
  EXPECT_EQ(shadow_of(rig).added(), 1U);
}

TEST(RetryShadowLayer, WatchesTheRequestsOfItsRoute) {
  auto fewer = plain_settings().retry;
  fewer.attempts = 1;
  auto settings = plain_settings();
  auto& route = settings.routes.emplace_back(as_a_route(settings));
  route.match.path_prefix = "/a";
  route.shadow = as_a_shadow(route);
  route.shadow->retry = fewer;
  Rig rig{settings};
  rig.transport.usually = answers(503);
  rig.send({.path = "/a"});
  rig.send({.path = "/b"});
  rig.run_for(1s);
  EXPECT_EQ(rig.upstream.own_route().retry_shadow, nullptr);
  EXPECT_EQ(rig.upstream.routes()[1].retry_shadow->spared(RetryDenied::attempts), 1U);
}

TEST(RetryShadowLayer, ReadsTheShadowsCircuitWhereThereIsOne) {
  auto settings = plain_settings();
  settings.shadow = as_a_shadow(settings);
  settings.shadow->retry.attempts = 4;
  settings.shadow->breaker.trip = {.evidence = std::nullopt, .consecutive_failures = 1};
  Rig rig{settings};
  rig.transport.usually = answers(503);
  rig.send();
  rig.run_for(1s);
  EXPECT_EQ(rig.upstream.health.state(), CircuitState::closed);
  EXPECT_EQ(shadow_of(rig).spared(RetryDenied::circuit), 1U);
}

}  // namespace
}  // namespace candor::test
