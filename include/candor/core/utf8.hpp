// The characters of UTF-8 (RFC 3629), for those who must look at text that may be none. Pure.
#pragma once

#include <cstddef>
#include <string_view>

namespace candor {

/// The length in bytes of the character that `text`, not empty, begins with; 0 if it begins with none. No
/// overlong forms, no surrogates, nothing above U+10FFFF.
[[nodiscard]] std::size_t utf8_length(std::string_view text);

/// Whether `text`, not empty, begins with a control character: C0, DEL, or C1. Some terminals obey the latter
/// as they do an escape.
[[nodiscard]] bool begins_with_control(std::string_view text);

}  // namespace candor
