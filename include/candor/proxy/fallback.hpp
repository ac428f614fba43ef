// What a request gets in the place of an answer that its upstream did not give.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "candor/core/failure.hpp"

namespace candor {

enum class FallbackKind : std::uint8_t {
  fixed,     ///< the answer of the configuration
  upstream,  ///< another upstream's
  stale,     ///< the last good one
};
inline constexpr std::size_t fallback_kinds = 3;

[[nodiscard]] std::string_view name(FallbackKind kind);

/// Which it was, and what it stands in for.
struct Fallback {
  FallbackKind kind{};
  std::optional<Failure> failure{};  ///< why there was no answer; absent: there was one, a failing one
  std::uint16_t status = 0;          ///< of that answer
};

}  // namespace candor
