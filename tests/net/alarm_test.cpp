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
  workers.one.out_of_descriptors(Instant{1s});
  workers.other.out_of_descriptors(Instant{1s});
  EXPECT_THAT(workers.taken(), ElementsAre(none_left));
  for (auto at = 2s; at < 60s; at += 1s) workers.one.out_of_descriptors(Instant{at});
  EXPECT_THAT(workers.taken(), IsEmpty()) << "it is still the same shortage";
  workers.one.enough_descriptors();
  EXPECT_THAT(workers.taken(), IsEmpty()) << "the other worker has none yet";
  workers.other.enough_descriptors();
  EXPECT_THAT(workers.taken(), ElementsAre(some_again));
}

TEST(DescriptorAlarm, LetsAWorkerThatHadEnoughSayNothing) {
  TwoWorkers workers;
  workers.one.out_of_descriptors(Instant{1s});
  EXPECT_THAT(workers.taken(), ElementsAre(none_left));
  workers.other.enough_descriptors();
  EXPECT_THAT(workers.taken(), IsEmpty());
}

TEST(DescriptorAlarm, SaysNothingOfAShortageThatComesBackAtOnceUnlessItStays) {
  TwoWorkers workers;
  workers.one.out_of_descriptors(Instant{1s});
  workers.one.enough_descriptors();
  EXPECT_THAT(workers.taken(), ElementsAre(none_left, some_again));
  workers.other.out_of_descriptors(Instant{2s});
  workers.other.enough_descriptors();
  workers.other.out_of_descriptors(Instant{3s});
  EXPECT_THAT(workers.taken(), IsEmpty());
  workers.other.out_of_descriptors(Instant{1s} + DescriptorShortage::pause);
  workers.other.enough_descriptors();
  EXPECT_THAT(workers.taken(), ElementsAre(none_left, some_again));
}

}  // namespace
}  // namespace candor::test
