// The parts of a request's target, as text. Private to admin; pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace candor::admin {

/// Without percent-encoding; what is not well-formed stays as it is.
[[nodiscard]] std::string decoded(std::string_view text);

/// The first value of this key in the target's query; nothing if it isn't there.
[[nodiscard]] std::optional<std::string> query_value(std::string_view target, std::string_view key);

}  // namespace candor::admin
