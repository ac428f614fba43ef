// What the scenarios share: worlds by seed, the books that must balance, and the measured figures.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "candor/sim/world.hpp"
#include "support/effort.hpp"

namespace candor::sim {

inline std::uint64_t const seeds = test::of_all(200, 40);

/// Where each takes many minutes of virtual time, or many sidecars.
inline std::uint64_t const long_run_seeds = test::of_all(200, 5);

/// A world of one upstream with one endpoint.
inline WorldOptions world_of(std::uint64_t seed, EndpointScript endpoint, std::vector<Traffic> traffic = {}) {
  WorldOptions options;
  options.seed = seed;
  options.upstreams = {{.endpoints = {std::move(endpoint)}}};
  options.traffic = std::move(traffic);
  return options;
}

/// Ends the run and holds the ledger against what the endpoints counted themselves.
inline Report close_the_books(World& world) {
  EXPECT_TRUE(world.finish(5min)) << "a request never ended";
  auto report = world.report();
  EXPECT_EQ(report.requests.open(), 0U);
  for (auto const& upstream : report.upstreams) {
    auto const& ledger = upstream.ledger;
    EXPECT_TRUE(upstream.balanced());
    EXPECT_EQ(ledger.in_flight, 0U);
    std::uint64_t good = 0;
    std::uint64_t heads = 0;
    for (auto const& endpoint : upstream.endpoints) {
      good += endpoint.whole[2];
      heads += endpoint.heads;
    }
    // No scenario streams, so each good answer is whole, and each other head is a failure.
    EXPECT_EQ(ledger.success, good);
    EXPECT_EQ(ledger.failures[static_cast<std::size_t>(FailureKind::status)] +
                  ledger.failures[static_cast<std::size_t>(FailureKind::overload)],
              heads - good);
  }
  return report;
}

/// Attempts that reached the upstreams from the beginning of one slice up to that of another.
inline std::uint64_t attempts_between(Report const& report, Duration from, Duration until) {
  std::uint64_t sum = 0;
  auto const end =
      std::min<std::size_t>(static_cast<std::size_t>(until / report.slice), report.slices.size());
  for (auto i = static_cast<std::size_t>(from / report.slice); i < end; ++i) sum += report.slices[i].attempts;
  return sum;
}

/// One figure of a scenario over all its seeds, printed and kept with the test's result.
class Figure {
 public:
  explicit Figure(std::string name) : name_(std::move(name)) {}
  Figure(Figure const&) = delete;
  Figure& operator=(Figure const&) = delete;
  ~Figure() {
    if (values_.empty()) return;
    char text[160];
    std::snprintf(text, sizeof text, "least %.4g, mean %.4g, most %.4g (of %zu)", least(), mean(), most(),
                  values_.size());
    std::printf("  %-32s %s\n", name_.c_str(), text);
    testing::Test::RecordProperty(name_, text);
  }

  void add(double value) { values_.push_back(value); }
  void add(std::uint64_t value) { add(static_cast<double>(value)); }
  [[nodiscard]] double least() const { return *std::min_element(values_.begin(), values_.end()); }
  [[nodiscard]] double most() const { return *std::max_element(values_.begin(), values_.end()); }
  [[nodiscard]] double mean() const {
    double sum = 0;
    for (double const value : values_) sum += value;
    return sum / static_cast<double>(values_.size());
  }

 private:
  std::string name_;
  std::vector<double> values_;
};

/// The first line of the log that contains this; empty if there is none.
inline std::string line_with(World const& world, std::string_view what) {
  auto const& text = world.log().text();
  auto const found = text.find(what);
  if (found == std::string::npos) return {};
  auto const begin = text.rfind('\n', found) + 1;
  return text.substr(begin, text.find('\n', found) - begin);
}

}  // namespace candor::sim
