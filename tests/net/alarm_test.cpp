// What is said of file descriptors that run out, on virtual time.
#include "../../src/net/alarm.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace candor::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

struct TwoWorkers {
  std::vector<std::string> said{};
  DescriptorShortage::Say say = [this](std::string_view line) { said.emplace_back(line); };
  DescriptorShortage shortage{say};
  DescriptorAlarm one{shortage};
  DescriptorAlarm other{shortage};

  [[nodiscard]] auto taken() { return std::exchange(said, {}); }
};

auto const none_left = StartsWith("no file descriptors left");
constexpr auto some_again = "there are file descriptors again";

TEST(DescriptorAlarm, SaysOnceForAllWorkersThatThereIsNoneAndThatThereAreSomeAgain) {
  TwoWorkers workers;
  workers.one.callers_wait(Instant{1s});
  workers.other.callers_wait(Instant{1s});
  EXPECT_THAT(workers.taken(), ElementsAre(none_left));
  for (auto at = 2s; at < 60s; at += 1s) workers.one.callers_wait(Instant{at});
  EXPECT_THAT(workers.taken(), IsEmpty()) << "it is still the same shortage";
  workers.one.all_callers_accepted();
  EXPECT_THAT(workers.taken(), IsEmpty()) << "the other worker has none yet";
  workers.other.all_callers_accepted();
  EXPECT_THAT(workers.taken(), ElementsAre(some_again));
}

TEST(DescriptorAlarm, LetsAWorkerThatHadEnoughSayNothing) {
  TwoWorkers workers;
  workers.one.callers_wait(Instant{1s});
  EXPECT_THAT(workers.taken(), ElementsAre(none_left));
  workers.other.all_callers_accepted();
  EXPECT_THAT(workers.taken(), IsEmpty());
}

TEST(DescriptorAlarm, SaysNothingOfAShortageThatComesBackAtOnceUnlessItStays) {
  TwoWorkers workers;
  workers.one.callers_wait(Instant{1s});
  workers.one.all_callers_accepted();
  EXPECT_THAT(workers.taken(), ElementsAre(none_left, some_again));
  workers.other.callers_wait(Instant{2s});
  workers.other.all_callers_accepted();
  workers.other.callers_wait(Instant{3s});
  EXPECT_THAT(workers.taken(), IsEmpty());
  workers.other.callers_wait(Instant{1s} + DescriptorShortage::pause);
  workers.other.all_callers_accepted();
  EXPECT_THAT(workers.taken(), ElementsAre(none_left, some_again));
}

TEST(DescriptorAlarm, EndsWithAConnectionUnlessCallersStillWait) {
  TwoWorkers workers;
  workers.one.none_left(Instant{1s});
  workers.one.connected();
  EXPECT_THAT(workers.taken(), ElementsAre(none_left, some_again));
  workers.one.callers_wait(Instant{20s});
  workers.one.none_left(Instant{20s});
  workers.one.connected();
  EXPECT_THAT(workers.taken(), ElementsAre(none_left));
  workers.one.all_callers_accepted();
  EXPECT_THAT(workers.taken(), ElementsAre(some_again));
}

}  // namespace
}  // namespace candor::test
