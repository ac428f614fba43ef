// An upstream, its workers' counts, and what a scrape makes of them.
#pragma once

#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "candor/observe/metrics.hpp"
#include "support.hpp"

namespace candor::observe::testing {

class Scraped : public ::testing::Test {
 protected:
  Scraped() { watch(payments()); }

  /// One upstream, of these settings.
  void watch(UpstreamSettings const& settings) {
    world.upstream = make_upstream(settings);
    upstreams = {world.upstream};
    workers.clear();
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

}  // namespace candor::observe::testing
