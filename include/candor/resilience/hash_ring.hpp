// Consistent hashing: which of some slots a hash belongs to, and to which next if that one is away. A value.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace candor {

/// D. Karger et al., "Consistent Hashing and Random Trees", STOC 1997: each slot stands at many points of a
/// ring of hashes, and has the hashes that come up to one of its points. So a slot that joins or leaves takes
/// or leaves its own share, and moves nothing between the others; the points of one that is away fall to
/// their successors, which are other slots' all over the ring.
///
/// A slot's points depend on its key and its weight alone, not on its place in the list. It has
/// `points_per_weight` for each unit of its weight, so that its share is within about a tenth of what is due.
/// Where that makes more than `most_points` in all, everybody has half of theirs, or a quarter: then, and
/// only then, one that joins or leaves may move more than its own share.
class HashRing {
 public:
  struct Seat {
    std::uint64_t key = 0;
    double weight = 1;
  };

  HashRing() = default;
  explicit HashRing(std::span<Seat const> seats);

  /// The first slot from the hash on, clockwise, that `takes`; each may be asked more than once.
  template <class Takes>
  [[nodiscard]] std::optional<std::size_t> find(std::uint64_t hash, Takes const& takes) const {
    auto const first =
        std::lower_bound(points_.begin(), points_.end(), hash,
                         [](Point const& point, std::uint64_t wanted) { return point.at < wanted; });
    for (auto point = first; point != points_.end(); ++point) {
      if (takes(point->slot)) return point->slot;
    }
    for (auto point = points_.begin(); point != first; ++point) {
      if (takes(point->slot)) return point->slot;
    }
    return std::nullopt;
  }

  [[nodiscard]] std::size_t points() const { return points_.size(); }

  static constexpr double points_per_weight = 128;
  static constexpr double most_points = 65536;

 private:
  struct Point {
    std::uint64_t at;
    std::uint32_t slot;
  };

  std::vector<Point> points_;  // by `at`
};

}  // namespace candor
