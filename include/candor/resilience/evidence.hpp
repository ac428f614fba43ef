// The attempts on which a transition was decided, kept for people who ask why.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "candor/core/ids.hpp"
#include "candor/core/outcome.hpp"
#include "candor/core/time.hpp"
#include "candor/resilience/circuit.hpp"

namespace candor {

/// A short text of fixed size, so that the account allocates nothing: a request's method and path.
class alignas(8) Label {
 public:
  static constexpr std::size_t capacity = 47;

  Label() = default;
  /// "METHOD path", cut if too long.
  Label(std::string_view method, std::string_view path);
  [[nodiscard]] std::string_view view() const { return {text_.data(), size_}; }

 private:
  void append(std::string_view text);

  std::array<char, capacity> text_{};
  std::uint8_t size_ = 0;
};

/// One attempt as the evidence keeps it.
struct AttemptNote {
  RequestId request{};
  unsigned number = 1;
  EndpointId endpoint{};
  Instant started{};
  std::optional<Instant> answered{};  ///< when the response's head came
  Instant settled{};                  ///< or marked, if still in flight
  Outcome outcome = Outcome::abandoned();
  std::uint16_t status = 0;  ///< of the response; 0: none came
  bool probe = false;
  bool slow = false;       ///< marked slow
  bool in_flight = false;  ///< noted for its mark: no outcome yet
  Label route{};
};

/// A transition and what led to it.
struct TransitionRecord {
  Transition transition;
  /// When the state began that it ended: what was admitted before had no vote. Absent: that was the first
  /// state, or its beginning is not kept any more.
  std::optional<Instant> since{};
  /// The last that settled up to then, oldest first; none where time alone decided.
  std::vector<AttemptNote> attempts{};
};

}  // namespace candor
