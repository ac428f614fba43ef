// What a file must not say although each of its values is right by itself: contradictions.
#pragma once

#include "candor/config/config.hpp"
#include "report.hpp"

namespace candor::config {

/// Takes from a default what another value, which the file gives, leaves without meaning: an answer that is
/// no failure is not sent again.
void settle_defaults(Config& config, Report const& report);

/// Tells the report. Values that are already known to be wrong are left alone.
void check_rules(Config const& config, Report& report);

}  // namespace candor::config
