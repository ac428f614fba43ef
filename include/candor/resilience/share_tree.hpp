// Shares of a whole, of which one is drawn by a point: each step takes as long as the tree is high. A value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace candor {

/// Slots with a share each; zero: it is never found. Whole numbers, so that no rounding ever adds up. Every
/// inner node is the sum of its two children (C. K. Wong and M. C. Easton, "An Efficient Method for Weighted
/// Sampling without Replacement", SIAM Journal on Computing 9(1), 1980).
class ShareTree {
 public:
  explicit ShareTree(std::size_t slots = 0);

  /// Allocates nothing.
  void set(std::size_t slot, std::uint64_t share);

  [[nodiscard]] std::uint64_t operator[](std::size_t slot) const { return nodes_[leaves_ + slot]; }
  [[nodiscard]] std::uint64_t total() const { return nodes_[1]; }
  /// Of all slots before it.
  [[nodiscard]] std::uint64_t before(std::size_t slot) const;
  /// The slot that the point lies in, when the shares are laid end to end; point < total().
  [[nodiscard]] std::size_t find(std::uint64_t point) const;

 private:
  std::size_t leaves_;                // a power of two
  std::vector<std::uint64_t> nodes_;  // the root is 1, the children of n are 2n and 2n + 1
};

}  // namespace candor
