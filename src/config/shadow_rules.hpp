// What a shadow has to agree on with the rules that act. Private to config.
#pragma once

#include <string>

#include "candor/proxy/settings.hpp"
#include "report.hpp"

namespace candor::config {

/// What it has from the acting rules by default is as those have been settled. `path`: of what it is a
/// shadow.
void settle_shadow(std::optional<ShadowSettings>& shadow, RetrySettings const& acting,
                   std::string const& path, Report const& report);

/// `acting`: how the requests are treated that it watches. `has_circuit`: they have a circuit of their own.
void check_shadow(ShadowSettings const& shadow, RouteSettings const& acting, bool has_circuit,
                  std::string const& path, Report& report);

}  // namespace candor::config
