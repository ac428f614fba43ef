#include "candor/resilience/share_tree.hpp"

#include <algorithm>
#include <bit>
#include <cassert>

namespace candor {

ShareTree::ShareTree(std::size_t slots)
    : leaves_(std::bit_ceil(std::max<std::size_t>(slots, 1))), nodes_(2 * leaves_) {}

void ShareTree::set(std::size_t slot, std::uint64_t share) {
  auto node = leaves_ + slot;
  auto const change = share - nodes_[node];  // modulo 2^64, as the sums are
  if (change == 0) return;
  for (; node > 0; node /= 2) nodes_[node] += change;
}

std::uint64_t ShareTree::before(std::size_t slot) const {
  std::uint64_t sum = 0;
  for (auto node = leaves_ + slot; node > 1; node /= 2) {
    if (node % 2 == 1) sum += nodes_[node - 1];
  }
  return sum;
}

std::size_t ShareTree::find(std::uint64_t point) const {
  assert(point < total());
  std::size_t node = 1;
  while (node < leaves_) {
    node *= 2;
    // Without a branch: which way it goes nobody can predict.
    auto const left = nodes_[node];
    bool const is_right = point >= left;
    point -= is_right ? left : 0;
    node += is_right ? 1 : 0;
  }
  return node - leaves_;
}

}  // namespace candor
