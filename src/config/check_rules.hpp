// What the settings of checks have to agree on. Private to config.
#pragma once

#include <string>

#include "candor/config/config.hpp"
#include "report.hpp"

namespace candor::config {

/// `path`: of the upstream.
void check_checks(UpstreamSettings const& upstream, std::string const& path, Report& report);

}  // namespace candor::config
