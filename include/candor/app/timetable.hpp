// How the demo's upstream behaves, and when. Values; the time is handed in.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "candor/core/time.hpp"

namespace candor::app {

enum class Behaviour : std::uint8_t {
  well,     ///< answers within milliseconds, but for one attempt in fifty
  failing,  ///< one endpoint answers 503, the other resets its connections
  slow,     ///< answers well, but late
  silent,   ///< takes requests and never answers
};

/// For a column: "well", "failing", ...
[[nodiscard]] std::string_view name(Behaviour behaviour);
/// What the upstream does, in a sentence without its subject.
[[nodiscard]] std::string_view in_words(Behaviour behaviour);

/// A time in which the upstream keeps to one behaviour.
struct Turn {
  std::size_t number = 0;  ///< from 0, over all passes
  Behaviour behaviour = Behaviour::well;
  Duration left{};  ///< until the next one
};

class Timetable {
 public:
  /// Well in between, so that each recovery is seen, and at the end, so that the last one is.
  static constexpr std::array turns{Behaviour::well, Behaviour::failing, Behaviour::well, Behaviour::slow,
                                    Behaviour::well, Behaviour::silent,  Behaviour::well};

  explicit Timetable(Duration each_turn) : each_(each_turn) {}

  /// `elapsed`: since the demo began, not negative. After the last turn comes the first.
  [[nodiscard]] Turn at(Duration elapsed) const;
  /// How long one pass takes.
  [[nodiscard]] Duration pass() const { return each_ * static_cast<std::int64_t>(turns.size()); }

 private:
  Duration each_;
};

}  // namespace candor::app
