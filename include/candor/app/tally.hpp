// The demo's callers' own count of what became of their requests. A value.
#pragma once

#include <cstdint>

namespace candor::app {

struct Tally {
  std::uint64_t asked = 0;
  std::uint64_t well = 0;       ///< the upstream's answer, 200, to just this request
  std::uint64_t failed = 0;     ///< the upstream's answer, a failure, to just this request
  std::uint64_t by_candor = 0;  ///< Candor's own answer, that says so
  std::uint64_t mixed_up = 0;   ///< an answer that belongs to no, or another, request
  std::uint64_t lost = 0;       ///< no answer
  std::uint64_t waiting = 0;    ///< asked, not answered yet

  [[nodiscard]] std::uint64_t answered() const { return well + failed + by_candor; }
};

}  // namespace candor::app
