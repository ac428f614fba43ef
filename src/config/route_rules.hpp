// What routes have to agree on: those of listeners, which say where requests go, and those of upstreams,
// which say how they are treated. Private to config.
#pragma once

#include "candor/config/config.hpp"
#include "report.hpp"

namespace candor::config {

/// What a route has from its upstream by default may make no sense with what it says itself: see
/// settle_defaults().
void settle_routes(UpstreamSettings& upstream, std::string const& path, Report const& report);

/// Of listeners.
void check_signposts(Config const& config, Report& report);
/// Of upstreams.
void check_routes(UpstreamSettings const& upstream, std::string const& path, Report& report);

}  // namespace candor::config
