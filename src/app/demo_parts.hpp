// The demo's sidecar: its configuration, and its account as the demo reads it. Private to app.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "candor/app/demo_view.hpp"
#include "candor/app/reading.hpp"
#include "candor/app/sidecar.hpp"
#include "candor/config/config.hpp"
#include "unruly_upstream.hpp"

namespace candor::app {

/// One upstream at these addresses; every port is one that is free.
[[nodiscard]] config::Config demo_configuration(
    std::array<std::string, UnrulyUpstream::endpoints> const& endpoints);

/// The account of the only upstream, now.
[[nodiscard]] Reading read(Sidecar const& sidecar);

/// Of a closed circuit: since when it is closed. Of any other: since when it is not. Nothing if it has never
/// opened, or that is no longer on record.
[[nodiscard]] std::optional<Instant> closed_or_left_closed(Upstream const& upstream);

/// Its last opening that a rule decided, as far as it is on record.
[[nodiscard]] std::optional<Opening> last_opening(Upstream const& upstream, Instant now);

}  // namespace candor::app
