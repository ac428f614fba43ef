// What the demo shows at one moment, as a value, and how it looks. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "candor/app/page.hpp"
#include "candor/app/reading.hpp"
#include "candor/app/timetable.hpp"

namespace candor::app {

/// One column of the strips that show the last seconds.
struct Moment {
  Behaviour behaviour = Behaviour::well;
  CircuitState state = CircuitState::closed;
  double requests = 0;  ///< a second
  double attempts = 0;  ///< a second
};

/// The last opening that a rule decided.
struct Opening {
  std::string rule;
  std::string why;  ///< in words, with the numbers
  Duration ago{};
};

struct View {
  std::string proxy{};                   ///< HOST:PORT
  std::string admin{};                   ///< HOST:PORT
  std::vector<std::string> endpoints{};  ///< HOST:PORT
  std::array<std::uint64_t, 2> seen{};   ///< each endpoint's own count of the attempts that reached it
  Duration elapsed{};
  Turn turn{};
  Reading reading{};
  Rates rates{};  ///< of the last seconds
  std::optional<Duration> p50{};
  std::optional<Duration> p99{};
  Duration steady{};  ///< how long the circuit has been closed, or not closed
  std::optional<Opening> opening{};
  std::vector<Moment> moments{};    ///< oldest first
  Duration moment{};                ///< how long each of them is
  std::vector<std::string> said{};  ///< the operational log's last lines
};

/// The whole page, for 80 columns or more and about 35 rows; what matters most stands first.
[[nodiscard]] std::vector<Line> page(View const& view);

/// The same in one line, for where there is no terminal.
[[nodiscard]] std::string one_line(View const& view);

}  // namespace candor::app
