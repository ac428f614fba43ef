// Bytes and numbers as text that a program or a terminal may trust. Pure; the append_ functions allocate only
// when the string has to grow.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "candor/core/time.hpp"

namespace candor::observe {

/// For a terminal: bytes that are no UTF-8, and control characters, become U+FFFD, so that a path cannot move
/// the cursor.
[[nodiscard]] std::string printable(std::string_view bytes);

/// How many columns a UTF-8 text takes, at one a character.
[[nodiscard]] std::size_t columns(std::string_view text);

void append_number(std::string& out, std::uint64_t n);

/// Milliseconds with three decimals: 12.345.
void append_milliseconds(std::string& out, Duration d);

/// 2024-05-01T12:00:00.123Z (RFC 3339).
void append_time(std::string& out, WallTime when);
[[nodiscard]] std::string time_text(WallTime when);

}  // namespace candor::observe
