// Strings as JSON writes them (RFC 8259, 7). Pure; allocates only when the output has to grow.
#pragma once

#include <string>
#include <string_view>

namespace candor {

/// Appends `bytes` as a JSON string with its quotes. What comes off the wire may hold any byte: those that
/// are no UTF-8 become U+FFFD, control characters are escaped, C1 included; the result is always JSON.
void append_json_string(std::string& out, std::string_view bytes);

}  // namespace candor
