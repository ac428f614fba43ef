// What the settings of fallbacks have to agree on. Private to config.
#pragma once

#include <string_view>

#include "candor/config/config.hpp"
#include "report.hpp"

namespace candor::config {

void check_fallbacks(Config const& config, Report& report);

/// Names of fields compare without case.
[[nodiscard]] bool same_field(std::string_view a, std::string_view b);
/// Fields that say how a message is framed and where it goes, or that Candor writes itself.
[[nodiscard]] bool is_reserved(std::string_view field);

}  // namespace candor::config
