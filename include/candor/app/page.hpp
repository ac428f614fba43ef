// Lines of tinted text, for a terminal that may be narrow, or for none. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace candor::app {

enum class Tint : std::uint8_t { plain, strong, faint, good, warning, bad };

struct Span {
  std::string text;
  Tint tint = Tint::plain;
};

using Line = std::vector<Span>;

/// The text alone.
[[nodiscard]] std::string text_of(Line const& line);

/// No wider than `columns`; tinted by ANSI escapes (ECMA-48, SGR) if asked for.
[[nodiscard]] std::string render(Line const& line, std::size_t columns, bool tinted);

/// Broken at spaces into lines of at most `columns`; a longer word stays whole.
[[nodiscard]] std::vector<std::string> wrapped(std::string_view text, std::size_t columns);

}  // namespace candor::app
