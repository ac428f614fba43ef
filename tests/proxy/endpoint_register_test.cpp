// Ids and names of endpoints that come and go.
#include "candor/proxy/endpoint_register.hpp"

#include <gtest/gtest.h>

#include <set>

#include "candor/core/rng.hpp"

namespace candor {
namespace {

constexpr Instant now{1h};

std::vector<EndpointEntry> entries(std::vector<std::string> const& addresses) {
  std::vector<EndpointEntry> wanted;
  for (auto const& address : addresses) wanted.push_back({.settings = {address}, .source = "dns x"});
  return wanted;
}
std::set<std::string> addresses(EndpointRegister const& all) {
  std::set<std::string> out;
  for (auto const& entry : all.all()) out.insert(entry->settings.address);
  return out;
}

TEST(EndpointRegister, ThoseOfTheConfigurationHaveTheirPlacesAsIds) {
  EndpointRegister const endpoints{{{"a:1"}, {"b:1"}}};
  EXPECT_EQ(endpoints.address({0}), "a:1");
  EXPECT_EQ(endpoints.address({1}), "b:1");
  EXPECT_FALSE(endpoints.find({1})->since);
}

TEST(EndpointRegister, OneThatStaysKeepsItsIdInWhateverOrderTheyAreGiven) {
  EndpointRegister endpoints{{}};
  endpoints.replace(entries({"a:1", "b:1", "c:1"}), now);
  auto const change = endpoints.replace(entries({"c:1", "a:1", "b:1"}), now + 1s);
  EXPECT_TRUE(change.none()) << "another order is no change";
  EXPECT_EQ(endpoints.address({2}), "c:1");
  EXPECT_EQ(endpoints.find({2})->since, now);
}

TEST(EndpointRegister, APlaceIsUsedAgainUnderAnotherIncarnationAndTheOldIdStillHasItsName) {
  EndpointRegister endpoints{{{"a:1"}, {"b:1"}}};
  auto const change = endpoints.replace(entries({"b:1", "c:1"}), now);
  ASSERT_EQ(change.came.size(), 1U);
  EXPECT_EQ(change.came[0]->id, (EndpointId{0, 1}));
  ASSERT_EQ(change.left.size(), 1U);
  EXPECT_EQ(change.left[0]->settings.address, "a:1");
  EXPECT_EQ(change.kept_otherwise, 1U) << "it is said to come from elsewhere now";
  EXPECT_EQ(endpoints.address({0, 1}), "c:1");
  EXPECT_EQ(endpoints.address({0, 0}), "a:1");
}

TEST(EndpointRegister, AnAddressThatIsNamedTwiceIsOneEndpointAndTheFirstEntryCounts) {
  EndpointRegister endpoints{{}};
  auto wanted = entries({"a:1", "a:1"});
  wanted[0].settings.weight = 5;
  EXPECT_EQ(endpoints.replace(wanted, now).came.size(), 1U);
  EXPECT_EQ(endpoints.find({0})->settings.weight, 5U);
}

TEST(EndpointRegister, AYearOfChangesNeedsNoMorePlacesThanThereWereEndpointsAtOnce) {
  EndpointRegister endpoints{{}};
  Rng rng{1};
  std::set<EndpointId> ids;
  for (int change = 0; change < 5000; ++change) {
    std::vector<std::string> wanted;
    for (int i = 0; i < 5; ++i) wanted.push_back("10.0.0." + std::to_string(rng.below(200)) + ":80");
    for (auto const& came : endpoints.replace(entries(wanted), now).came) {
      EXPECT_LT(came->id.value, 10U) << "at most five there were, and five that come before those go";
      EXPECT_TRUE(ids.insert(came->id).second) << "an id stands for one endpoint, for ever";
    }
    EXPECT_EQ(addresses(endpoints), std::set<std::string>(wanted.begin(), wanted.end()));
  }
  EXPECT_EQ(endpoints.address({0, 0}), "(left long ago)") << "not all names are kept";
}

}  // namespace
}  // namespace candor
