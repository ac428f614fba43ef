// When a file is looked at: real notices, on a clock that the test sets.
#include "../../src/net/file_watch.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "support/folder.hpp"

namespace candor::test {
namespace {

/// A clock that stands where the test sets it.
struct HandClock {
  static inline Instant now{};
  static Clocks clocks() {
    return {[] { return now; }, [] { return WallTime{}; }};
  }
};

struct Step {
  Duration at;
  std::function<void()> does;
};

class FileWatching : public ::testing::Test {
 protected:
  FileWatching() { HandClock::now = start; }

  /// Each at its time, before the timers that are due then; the kernel's notices of it come ahead of the
  /// next.
  void play(std::vector<Step> const& steps) {
    Reactor reactor{HandClock::clocks()};
    FileWatch const watch{reactor, folder.path("endpoints"), [this] { ++looks; }};
    std::function<void(std::size_t)> const go_on = [&](std::size_t i) {
      if (i == steps.size()) return reactor.stop();
      HandClock::now = start + steps[i].at;
      reactor.post([&, i] {
        steps[i].does();
        reactor.post([&, i] { go_on(i + 1); });
      });
    };
    go_on(0);
    reactor.run();
  }
  void write(std::ofstream& to) { to << "a:1\n" << std::flush; }

  static constexpr Instant start{100s};
  Folder folder;
  std::ofstream file{folder.path("endpoints")};
  std::ofstream neighbour{folder.path("neighbour")};
  int looks = 0;
};

TEST_F(FileWatching, WaitsForAPauseOfTheWriterThoughItsRegularLookIsDue) {
  play({{9950ms, [&] { write(file); }},
        {10s, [] {}},
        {10010ms,
         [&] {
           EXPECT_EQ(looks, 0);
           write(file);
         }},
        {10110ms, [&] { EXPECT_EQ(looks, 0); }},
        {10120ms, [&] { EXPECT_EQ(looks, 1); }}});
}

TEST_F(FileWatching, LooksAllTheSameWhereTheWriterNeverPauses) {
  std::vector<Step> steps;
  for (Duration at = 9950ms; at <= 20s; at += 50ms) {
    steps.push_back({at, [&] {
                       EXPECT_EQ(looks, 0);
                       write(file);
                     }});
  }
  steps.push_back({20010ms, [&] { EXPECT_EQ(looks, 1); }});
  play(steps);
}

TEST_F(FileWatching, TakesNoNoticeOfWhatIsWrittenBesideIt) {
  play({{9950ms, [&] { write(neighbour); }}, {10s, [] {}}, {10010ms, [&] { EXPECT_EQ(looks, 1); }}});
  play({{1s, [&] { write(neighbour); }}, {2s, [] {}}, {3s, [&] { EXPECT_EQ(looks, 1); }}});
}

}  // namespace
}  // namespace candor::test
