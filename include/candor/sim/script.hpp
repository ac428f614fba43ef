// What an upstream does, as a script over time. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "candor/core/time.hpp"
#include "candor/proxy/settings.hpp"
#include "candor/sim/latency.hpp"

namespace candor::sim {

/// The body of an answer.
struct BodyScript {
  enum class End : std::uint8_t {
    whole,
    reset,      ///< the connection breaks after the last piece
    truncated,  ///< it ends before its announced length
    hang,       ///< nothing more comes
  };

  std::uint32_t pieces = 1;
  std::uint32_t piece_bytes = 128;
  Duration
      between{};  ///< before each piece, and before an end that is not whole; zero: all comes with the head
  End end = End::whole;
};

/// What an endpoint does with one attempt.
struct Act {
  enum class Kind : std::uint8_t {
    answer,  ///< a head after `latency`, then the body
    refuse,  ///< no connection: refused after `latency`
    ignore,  ///< no connection: nothing comes back, and the connect timeout passes
    hang,    ///< takes the request and never answers
    reset,   ///< takes the request; breaks the connection after `latency`, before a head
  };

  Kind kind = Kind::answer;
  std::uint16_t status = 200;
  Latency latency = 5ms;
  std::optional<std::chrono::seconds> retry_after{};  ///< sent as Retry-After
  BodyScript body{};
  bool stale = false;  ///< a pooled connection is found closed; a fresh one gets the act
};

[[nodiscard]] inline Act answers(std::uint16_t status, Latency latency = 5ms) {
  return {.kind = Act::Kind::answer, .status = status, .latency = latency};
}
[[nodiscard]] inline Act refuses() { return {.kind = Act::Kind::refuse, .latency = Duration{}}; }
[[nodiscard]] inline Act ignores() { return {.kind = Act::Kind::ignore}; }
[[nodiscard]] inline Act hangs() { return {.kind = Act::Kind::hang}; }
[[nodiscard]] inline Act resets(Latency latency = 5ms) {
  return {.kind = Act::Kind::reset, .latency = latency};
}

/// One of several acts, with its share of the chance.
struct Choice {
  Act act;
  double share = 1;  ///< relative to those beside it
};

/// From one instant until the next phase begins.
struct Phase {
  enum class Order : std::uint8_t { by_chance, in_turn };

  Duration from{};               ///< since the world began
  std::vector<Choice> acts{{}};  ///< at least one
  Order order = Order::by_chance;
  bool breaks = false;  ///< attempts in flight when it begins are reset
};

/// A part of the paths that goes its own way.
struct RouteScript {
  std::string path;  ///< exactly this one
  std::vector<Phase> phases;
};

/// How much an endpoint can do.
struct Capacity {
  double per_second;
  Duration queue{};  ///< how long an attempt may wait for its turn; above it: `excess`
  Act excess = answers(503, 1ms);
};

/// One endpoint. Phases in order of time, the first one from zero.
struct EndpointScript {
  std::vector<Phase> phases{{}};
  std::vector<RouteScript> routes{};
  std::optional<Capacity> capacity{};
};

[[nodiscard]] inline EndpointScript always(Act act) { return {.phases = {{.acts = {{act}}}}}; }

/// An upstream: how Candor is set to treat it, and what its endpoints do.
struct UpstreamScript {
  /// Its endpoints' addresses need not be given: at first there are as many as there are scripts.
  UpstreamSettings settings{};
  std::vector<EndpointScript> endpoints{{}};
};

}  // namespace candor::sim
