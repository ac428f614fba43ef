// A hash that is the same in every process, on every machine and in every version: what it decides (which
// endpoint a key belongs to) must not change with a restart. Not for secrets, and no defence against callers
// who choose their keys.
#pragma once

#include <cstdint>
#include <string_view>

namespace candor {

/// Spreads every bit over all (the finaliser of splitmix64: variant 13 of D. Stafford, "Better Bit Mixing",
/// 2011).
[[nodiscard]] constexpr std::uint64_t mixed(std::uint64_t bits) {
  bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9U;
  bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebU;
  return bits ^ (bits >> 31);
}

/// FNV-1a with 64 bits (G. Fowler, L. C. Noll and K.-P. Vo, 1991), mixed: alone it hardly carries the last
/// bytes of a text into its upper bits, in which neighbours on a ring differ.
[[nodiscard]] constexpr std::uint64_t stable_hash(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (char const c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  }
  return mixed(hash);
}

/// [0, 1), of a hash.
[[nodiscard]] constexpr double unit_of(std::uint64_t hash) {
  return static_cast<double>(hash >> 11U) * 0x1.0p-53;
}

}  // namespace candor
