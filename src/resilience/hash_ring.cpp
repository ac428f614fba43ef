#include "candor/resilience/hash_ring.hpp"

#include <tuple>

#include "candor/resilience/stable_hash.hpp"

namespace candor {

HashRing::HashRing(std::span<Seat const> seats) {
  double weight = 0;
  for (auto const& seat : seats) weight += seat.weight;
  double each = points_per_weight;
  while (weight * each > most_points) each /= 2;
  for (std::size_t slot = 0; slot < seats.size(); ++slot) {
    auto const [key, own_weight] = seats[slot];
    auto const count = static_cast<std::uint64_t>(std::max(1.0, own_weight * each));
    auto place = mixed(key);
    for (std::uint64_t n = 0; n < count; ++n) {
      place += 0x9e3779b97f4a7c15U;
      points_.push_back({mixed(place), static_cast<std::uint32_t>(slot)});
    }
  }
  // Two of one hash: by key, so that the order of the list decides nothing.
  std::sort(points_.begin(), points_.end(), [&](Point const& a, Point const& b) {
    return std::tuple(a.at, seats[a.slot].key) < std::tuple(b.at, seats[b.slot].key);
  });
}

}  // namespace candor
