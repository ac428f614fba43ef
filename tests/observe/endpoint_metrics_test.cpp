// What a scrape tells of endpoints that come and go, and of where they come from.
#include <gtest/gtest.h>

#include <map>
#include <sstream>

#include "scraped.hpp"

namespace candor::observe {
namespace {

using testing::attempt;
using testing::make_upstream;
using testing::World;

class EndpointMetrics : public testing::Scraped {};

TEST_F(EndpointMetrics, AnEndpointThatLeavesTakesItsSeriesAndTheSumsStay) {
  auto& upstream = *world.upstream;
  for (std::uint32_t endpoint : {0U, 1U}) {
    admit({endpoint}, endpoint).settle(Outcome::success(), world.scheduler.now(), 200);
    workers[endpoint]->attempt_settled(upstream.own_route(),
                                       attempt(1, world.start, 2ms, Outcome::success(), 200, endpoint));
  }
  auto in_flight = admit({3}, 1);
  EXPECT_FALSE(
      scrape().contains(R"(candor_attempts_started_total{upstream="payments",endpoint="departed"})"));

  upstream.endpoints.replace({{.settings = {"payments-1:8080"}}, {.settings = {"payments-3:8080"}}},
                             world.scheduler.now());
  upstream.use_endpoints(world.scheduler.now());
  // Another one has its place by now, and its first attempt.
  EndpointId const next{1, 1};
  workers[1]->attempt_settled(upstream.own_route(), {.endpoint = next,
                                                     .started = world.start,
                                                     .settled = world.start + 3ms,
                                                     .outcome = Outcome::success()});
  auto samples = scrape();
  auto const of = [&samples](std::string const& name, std::string const& endpoint) {
    return samples[name + R"({upstream="payments",endpoint=")" + endpoint + "\"}"];
  };
  EXPECT_EQ(of("candor_attempts_started_total", "payments-2:8080"), "");
  EXPECT_EQ(of("candor_attempts_started_total", "departed"), "2");
  EXPECT_EQ(of("candor_attempts_in_flight", "departed"), "1");
  EXPECT_EQ(of("candor_attempt_duration_seconds_count", "payments-1:8080"), "1");
  EXPECT_EQ(of("candor_attempt_duration_seconds_count", "payments-3:8080"), "1");
  EXPECT_EQ(of("candor_attempt_duration_seconds_count", "departed"), "1");
  EXPECT_EQ(samples[R"(candor_endpoints{upstream="payments"})"], "2");
  std::move(in_flight).settle(Outcome::success(), world.scheduler.now(), 200);
  workers[1]->attempt_settled(upstream.own_route(), attempt(1, world.start, 2ms, Outcome::success(), 200, 1));
  samples = scrape();
  EXPECT_EQ(of("candor_attempts_in_flight", "departed"), "0");
  EXPECT_EQ(of("candor_attempt_duration_seconds_count", "departed"), "2") << "late, but not lost";
}

TEST_F(EndpointMetrics, ShowWhatDiscoveryAndLookUpsCameTo) {
  UpstreamSettings settings = testing::payments();
  settings.discover = DiscoverSettings{.dns = "payments.internal:8080"};
  upstreams[0] = make_upstream(settings);
  names->count("payments.internal", LookUpResult::answered, world.scheduler.now());
  names->count("payments.internal", LookUpResult::timed_out, world.scheduler.now());
  upstreams[0]->discovery.change([&](DiscoveryReading& reading) {
    reading.answered = world.scheduler.now();
    reading.came = 3;
    ++reading.updates[static_cast<std::size_t>(UpdateResult::failed)];
  });
  world.pass(2s);
  auto samples = scrape();
  EXPECT_EQ(samples[R"(candor_dns_look_ups_total{name="payments.internal",result="answered"})"], "1");
  EXPECT_EQ(samples[R"(candor_dns_look_ups_total{name="payments.internal",result="timed_out"})"], "1");
  EXPECT_EQ(samples[R"(candor_dns_answer_age_seconds{name="payments.internal"})"], "2");
  EXPECT_EQ(samples[R"(candor_discovery_answer_age_seconds{upstream="payments"})"], "2");
  EXPECT_EQ(samples[R"(candor_discovery_updates_total{upstream="payments",result="failed"})"], "1");
  EXPECT_EQ(samples[R"(candor_endpoint_changes_total{upstream="payments",change="came"})"], "3");
}

}  // namespace
}  // namespace candor::observe
