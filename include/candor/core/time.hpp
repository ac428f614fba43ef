// Time as a value. Nothing here reads a clock: the worker's reactor does, once per turn (the time of day once
// a second), and hands the reading down; the simulation hands down its own.
#pragma once

#include <chrono>
#include <cstdint>

namespace candor {

using Duration = std::chrono::nanoseconds;

/// The scale of Instant: monotonic, with an arbitrary start. It has no now() on purpose.
struct Monotonic {
  using rep = std::int64_t;
  using period = std::nano;
  using duration = Duration;
  using time_point = std::chrono::time_point<Monotonic, Duration>;
  static constexpr bool is_steady = true;
};

using Instant = Monotonic::time_point;

/// Time of day, for dates on the wire and in logs; never for measuring.
using WallTime = std::chrono::sys_time<std::chrono::nanoseconds>;

/// Relates the two scales: the time of day at one instant.
struct WallClock {
  Instant at{};
  WallTime wall{};

  [[nodiscard]] WallTime operator()(Instant when) const { return wall + (when - at); }
};

[[nodiscard]] constexpr double seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

[[nodiscard]] constexpr Duration from_seconds(double s) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(s));
}

using namespace std::chrono_literals;

}  // namespace candor
