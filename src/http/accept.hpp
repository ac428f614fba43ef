// What a recipient likes to read, by weights (RFC 9110, 12.4.2 and 12.5.1). Private to http.
#pragma once

#include <string_view>

namespace candor::http {

/// The weight of a list's member, in thousandths: 1000 where it names none, 0 where it can't be read.
[[nodiscard]] int weight_of(std::string_view member);

/// Whether an Accept value ranks text/plain above problem+json and plain JSON. No value, or a tie: no.
[[nodiscard]] bool prefers_text(std::string_view accept);

}  // namespace candor::http
