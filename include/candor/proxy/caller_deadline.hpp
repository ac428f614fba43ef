// How long a caller waits for its answer, where a field of its request says so; and what is left of that for
// an attempt. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "candor/core/time.hpp"
#include "candor/proxy/settings.hpp"

namespace candor {

class Exchange;

/// Reads such a field's value; at most a year. Nothing if it is malformed:
///
///   milliseconds  1 to 12 digits (as Envoy's x-envoy-expected-rq-timeout-ms has it)
///   seconds       1 to 9 digits, and up to 9 more behind a point
///   grpc          1 to 8 digits and one of H M S m u n (gRPC over HTTP/2, "Timeout")
[[nodiscard]] std::optional<Duration> parse_timeout(DeadlineFormat format, std::string_view value);

/// Writes one, rounded up to what the format can say. `as_it_came`: whole seconds stay whole.
[[nodiscard]] std::string format_timeout(DeadlineFormat format, Duration left, std::string_view as_it_came);

/// What the field of an attempt has to say that leaves now. Nothing: the request had none that was
/// understood.
[[nodiscard]] std::optional<std::string> timeout_left(Exchange const& exchange);

}  // namespace candor
