// What the settings by which requests are treated have to agree on: those of an upstream, and those of a
// route with what it has from its upstream. Private to config.
#pragma once

#include "candor/proxy/settings.hpp"
#include "scope.hpp"

namespace candor::config {

/// Whether an answer with this status makes its attempt a failure.
[[nodiscard]] bool is_failure(ClassifySettings const& classify, std::uint16_t status);

/// What a file does not say of an adaptive limit gives way to what it does say. `path`: of `adaptive`.
void settle_limit(AttemptLimitSettings& limit, std::string const& path, Report const& report);

void check_treatment(RouteSettings const& settings, Scope const& scope);

}  // namespace candor::config
