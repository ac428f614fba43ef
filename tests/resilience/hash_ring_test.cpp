#include "candor/resilience/hash_ring.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <string>
#include <vector>

#include "candor/resilience/stable_hash.hpp"

namespace candor {
namespace {

auto const anybody = [](std::size_t) { return true; };

std::vector<HashRing::Seat> seats(std::size_t count, double weight = 1) {
  std::vector<HashRing::Seat> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back({stable_hash(std::to_string(i)), weight});
  return out;
}

TEST(StableHash, IsTheSameForEver) {
  EXPECT_EQ(stable_hash(""), 0xf52a15e9a9b5e89bU);
  EXPECT_EQ(stable_hash("a"), 0x02c0bdbf481420f8U);
  EXPECT_EQ(stable_hash("payments-1:8080"), 0x441bd0e26fc20f5aU);
}

TEST(StableHash, EachBitOfAKeyMovesAboutHalfOfTheHash) {
  for (std::size_t place = 0; place < 8; ++place) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string key = "user-123";
      auto const before = stable_hash(key);
      key[place] = static_cast<char>(key[place] ^ (1 << bit));
      EXPECT_NEAR(std::popcount(before ^ stable_hash(key)), 32, 16);
    }
  }
}

TEST(StableHash, AsAUnitItIsBelowOne) {
  EXPECT_EQ(unit_of(0), 0);
  EXPECT_LT(unit_of(~std::uint64_t{0}), 1);
}

TEST(HashRing, AnEmptyOneHasNobody) {
  EXPECT_EQ(HashRing{}.find(7, anybody), std::nullopt);
  EXPECT_EQ(HashRing{seats(3)}.find(7, [](std::size_t) { return false; }), std::nullopt);
}

TEST(HashRing, EverythingBelongsToTheOnlyOne) {
  HashRing const ring{seats(1)};
  for (std::uint64_t const hash : {std::uint64_t{0}, mixed(1), ~std::uint64_t{0}}) {
    EXPECT_EQ(ring.find(hash, anybody), std::optional<std::size_t>{0});
  }
}

TEST(HashRing, GoesOnAtTheBeginningAfterTheEnd) {
  HashRing const ring{seats(3)};
  std::vector<std::size_t> asked;
  (void)ring.find(std::uint64_t{1} << 63U, [&](std::size_t slot) {
    asked.push_back(slot);
    return false;
  });
  EXPECT_EQ(asked.size(), ring.points());
}

TEST(HashRing, HasABoundHoweverHeavyItsMembersAre) {
  EXPECT_EQ(HashRing{seats(10)}.points(), 1280U);
  EXPECT_LE(HashRing{seats(100, 1000)}.points(), 65536U);
  EXPECT_LE(HashRing{seats(5000, 1000)}.points(), 65536U + 5000U);
  EXPECT_GE(HashRing{seats(70'000, 1)}.points(), 70'000U) << "everybody has a point";
}

}  // namespace
}  // namespace candor
