// Keep-Alive: how long a sender keeps its connection (RFC 2068, 19.7.1.1; no later one says it).
#pragma once

#include <optional>

#include "candor/core/time.hpp"
#include "candor/http/head.hpp"

namespace candor::http {

/// The least `timeout` of all its lines, in whole seconds, at most a day; absent: it says none that can be
/// read.
[[nodiscard]] std::optional<Duration> keep_alive_timeout(Fields const& fields);

}  // namespace candor::http
