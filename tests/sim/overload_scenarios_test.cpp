// Scenarios of an upstream that is asked for more than it can do: by one sidecar, and by a thousand.
#include <numeric>

#include "scenario.hpp"

namespace candor::sim {
namespace {

Latency const quick = Latency::between(2ms, 8ms);

// --- more than it can do ---

std::uint64_t const worlds = test::of_all(200, 4);

constexpr double capacity = 100;
constexpr Duration falls = 120s;  // when the load does
constexpr Duration end = 180s;

/// 130 requests a second, and 90 from `falls` on; `attempts` for each.
Report overloaded(std::uint64_t seed, Capacity const& able, unsigned attempts) {
  auto more = poisson(130);
  more.until = falls;
  auto less = poisson(90);
  less.from = falls;
  EndpointScript const script{.phases = {{.acts = {{answers(200, quick)}}}}, .capacity = able};
  auto options = world_of(seed, script, {more, less});
  options.upstreams[0].settings.retry.attempts = attempts;
  World world{options};
  world.run_until(Instant{} + end);
  return close_the_books(world);
}

/// Good answers over requests, of those that ended and began in the last half minute.
double goodput_at_the_end(Report const& report) {
  double ok = 0;
  double started = 0;
  for (auto i = static_cast<std::size_t>((end - 30s) / report.slice); i < report.slices.size(); ++i) {
    ok += static_cast<double>(report.slices[i].ok);
    started += static_cast<double>(report.slices[i].requests);
  }
  return ok / started;
}

/// `most_attempts`: of the stream that is too much, by its requests.
template <class MostAttempts>
void survives(Capacity const& able, MostAttempts const& most_attempts) {
  Figure against{"goodput over that without retries"};
  Figure attempts{"attempts per request"};
  Figure after{"goodput after the load has fallen"};
  for (std::uint64_t seed = 1; seed <= worlds; ++seed) {
    auto const report = overloaded(seed, able, 3);
    auto const alone = overloaded(seed, able, 1);
    auto const ratio = report.streams[0].goodput() / alone.streams[0].goodput();
    EXPECT_GE(ratio, 0.93) << "seed " << seed;
    auto const sent = static_cast<double>(attempts_between(report, 0s, falls));
    EXPECT_LE(sent, most_attempts(static_cast<double>(report.streams[0].started))) << "seed " << seed;
    EXPECT_GE(goodput_at_the_end(report), 0.97 * goodput_at_the_end(alone)) << "seed " << seed;
    against.add(ratio);
    attempts.add(sent / static_cast<double>(report.streams[0].started));
    after.add(goodput_at_the_end(report));
  }
}

TEST(Scenario16Overload, WhoseExcessIsRefusedIsNotMadeWorse) {
  survives({.per_second = capacity, .queue = 50ms}, [](double requests) { return 1.5 * requests; });
}

TEST(Scenario16Overload, WhoseExcessWaitsUntilItTimesOutIsNotMadeWorse) {
  survives({.per_second = capacity, .queue = 20s},
           [](double requests) { return 1.2 * requests + 3 * seconds(falls); });
}

// --- a thousand sidecars ---

void returns_to_a_crowd(Act const& death) {
  constexpr unsigned sidecars = 1'000;
  constexpr double able = 1'000;
  constexpr double offered = 900;
  constexpr Duration onset = 5s;
  constexpr Duration back = onset + 20s;
  constexpr Duration slice = 100ms;
  constexpr std::size_t in_a_second = 1s / slice;
  Figure load{"load over capacity, fullest second"};
  Figure waves{"fullest tenth of a second over mean"};
  for (std::uint64_t seed = 1; seed <= worlds; ++seed) {
    EndpointScript const script{.phases = {{.acts = {{answers(200, quick)}}},
                                           {.from = onset, .acts = {{death}}, .breaks = true},
                                           {.from = back, .acts = {{answers(200, quick)}}}},
                                .capacity = Capacity{.per_second = able, .queue = 100ms}};
    auto options = world_of(seed, script, {poisson(offered)});
    options.sidecars = sidecars;
    options.slice = slice;
    World world{options};
    world.run_until(Instant{} + back + 15s);
    auto const report = close_the_books(world);
    std::vector<double> sent;
    for (auto i = static_cast<std::size_t>(back / slice); i < static_cast<std::size_t>((back + 15s) / slice);
         ++i) {
      sent.push_back(static_cast<double>(report.slices[i].attempts));
    }
    double fullest_second = 0;
    for (std::size_t i = 0; i + in_a_second <= sent.size(); ++i) {
      auto const from = sent.begin() + static_cast<std::ptrdiff_t>(i);
      fullest_second = std::max(fullest_second, std::accumulate(from, from + in_a_second, 0.0));
    }
    auto const mean = std::accumulate(sent.begin(), sent.end(), 0.0) / static_cast<double>(sent.size());
    auto const fullest = *std::max_element(sent.begin(), sent.end());
    EXPECT_LE(fullest_second, 1.2 * able) << "seed " << seed;
    EXPECT_LE(fullest, 2 * mean) << "seed " << seed;
    EXPECT_GE(mean, 0.8 * offered * seconds(slice)) << "it is used again, seed " << seed;
    load.add(fullest_second / able);
    waves.add(fullest / mean);
  }
}

TEST(Scenario17Crowd, ReturnsInNoWaveToAnUpstreamThatAnswered503) { returns_to_a_crowd(answers(503, quick)); }

TEST(Scenario17Crowd, ReturnsInNoWaveToAnUpstreamThatRefused) { returns_to_a_crowd(refuses()); }

}  // namespace
}  // namespace candor::sim
