// What a scrape tells of endpoints that come and go, and of where they come from.
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <map>
#include <sstream>

#include "candor/observe/metrics.hpp"
#include "support.hpp"

namespace candor::observe {
namespace {

using testing::attempt;
using testing::make_upstream;
using testing::World;

class EndpointMetrics : public ::testing::Test {
 protected:
  EndpointMetrics() {
    upstreams = {world.upstream};
    for (int i = 0; i < 2; ++i) workers.push_back(std::make_shared<WorkerMetrics>(upstreams));
    transitions = std::make_shared<TransitionCounts>(upstreams);
    TransitionCounts::watch(transitions, *world.upstream);
  }

  std::vector<prometheus::MetricFamily> collect() {
    MetricsSources sources{.upstreams = upstreams,
                           .workers = {workers.begin(), workers.end()},
                           .transitions = transitions,
                           .names = names,
                           .now = [this] { return world.scheduler.now(); },
                           .access_log_dropped = [] { return std::uint64_t{3}; },
                           .build = {"1.2.3", "abc"}};
    return MetricsCollectable{sources}.Collect();
  }

  /// The samples of one scrape as the text format has them: name and labels, then the value.
  std::map<std::string, std::string> scrape() {
    std::istringstream text{prometheus::TextSerializer{}.Serialize(collect())};
    std::map<std::string, std::string> samples;
    for (std::string line; std::getline(text, line);) {
      if (line.empty() || line[0] == '#') continue;
      auto const space = line.rfind(' ');
      samples[line.substr(0, space)] = line.substr(space + 1);
    }
    return samples;
  }

  Permit admit(RequestId request, std::uint32_t endpoint, unsigned number = 1) {
    return std::move(world.upstream->health
                         .admit({.request = request, .number = number, .endpoint = EndpointId{endpoint}},
                                world.scheduler.now())
                         .value());
  }

  World world;
  std::vector<std::shared_ptr<Upstream>> upstreams;
  std::vector<std::shared_ptr<WorkerMetrics>> workers;
  std::shared_ptr<TransitionCounts> transitions;
  std::shared_ptr<NameBook> names = std::make_shared<NameBook>();
};

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
