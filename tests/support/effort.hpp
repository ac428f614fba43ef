// How often tests do over what they could do for ever: so often as a wait of minutes allows, in a build with
// sanitizers and without optimisation; CANDOR_EFFORT=all gives all that is claimed of them.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace candor::test {

/// Of seeds, rounds, steps: `all`, or `usually`.
inline std::uint64_t of_all(std::uint64_t all, std::uint64_t usually) {
  char const* const effort = std::getenv("CANDOR_EFFORT");
  return effort != nullptr && std::string_view{effort} == "all" ? all : usually;
}

}  // namespace candor::test
