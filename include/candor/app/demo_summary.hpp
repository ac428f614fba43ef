// What the demo has shown, at its end, and whether what must hold held. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "candor/app/reading.hpp"
#include "candor/app/tally.hpp"
#include "candor/app/timetable.hpp"

namespace candor::app {

/// What one turn of the timetable brought.
struct TurnReport {
  Behaviour behaviour = Behaviour::well;
  Reading before{};
  Reading after{};
};

struct Summary {
  bool whole_pass = false;             ///< the timetable was gone through at least once
  bool recovered = true;               ///< it had the time to: nobody ended the demo by hand
  std::vector<TurnReport> turns{};     ///< the last ones, oldest first
  Reading reading{};                   ///< when the callers had their answers
  Tally callers{};                     ///< likewise
  std::uint64_t seen_by_upstream = 0;  ///< attempts, by the upstream's own count
};

/// Something that must hold.
struct Check {
  bool held = false;
  std::string what;  ///< with its numbers
};

[[nodiscard]] std::vector<Check> checks(Summary const& summary);

[[nodiscard]] bool all_held(std::vector<Check> const& checks);

/// A table of the turns, then each check.
[[nodiscard]] std::string summary_text(Summary const& summary);

}  // namespace candor::app
