#include "candor/resilience/share_tree.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "candor/core/rng.hpp"

namespace candor {
namespace {

TEST(ShareTree, HasNothingAtFirst) {
  for (std::size_t const slots : {0U, 1U, 7U}) EXPECT_EQ(ShareTree{slots}.total(), 0U);
}

TEST(ShareTree, FindsTheSlotThatAPointLiesIn) {
  ShareTree tree{5};
  std::uint64_t const shares[] = {3, 0, 1, 0, 2};
  for (std::size_t slot = 0; slot < 5; ++slot) tree.set(slot, shares[slot]);
  std::vector<std::size_t> found;
  for (std::uint64_t point = 0; point < tree.total(); ++point) found.push_back(tree.find(point));
  EXPECT_EQ(found, (std::vector<std::size_t>{0, 0, 0, 2, 4, 4}));
}

TEST(ShareTree, AgreesWithAListWhateverIsSet) {
  Rng rng{1};
  for (std::size_t slots = 1; slots < 40; ++slots) {
    ShareTree tree{slots};
    std::vector<std::uint64_t> list(slots);
    for (int i = 0; i < 200; ++i) {
      auto const slot = rng.below(slots);
      tree.set(slot, list[slot] = rng.chance(0.3) ? 0 : rng.below(1'000'000'000));
      std::uint64_t sum = 0;
      for (std::size_t s = 0; s < slots; ++s) {
        ASSERT_EQ(tree[s], list[s]);
        ASSERT_EQ(tree.before(s), sum);
        if (list[s] > 0) {
          ASSERT_EQ(tree.find(sum), s);
          sum += list[s];
          ASSERT_EQ(tree.find(sum - 1), s);
        }
      }
      ASSERT_EQ(tree.total(), sum);
    }
  }
}

}  // namespace
}  // namespace candor
