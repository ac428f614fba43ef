// Identities, as types that do not mix.
#pragma once

#include <compare>
#include <cstdint>

namespace candor {

/// One request of a caller; unique within a process.
struct RequestId {
  std::uint64_t value = 0;
  auto operator<=>(RequestId const&) const = default;
};

/// An endpoint of an upstream: its place among them, and which of those that have had that place, one after
/// the other.
struct EndpointId {
  std::uint32_t value = 0;
  std::uint32_t incarnation = 0;
  auto operator<=>(EndpointId const&) const = default;
};

}  // namespace candor
