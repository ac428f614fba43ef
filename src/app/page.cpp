#include "candor/app/page.hpp"

#include <algorithm>

#include "candor/observe/text.hpp"

namespace candor::app {

namespace {

std::string_view escape(Tint tint) {
  switch (tint) {
    case Tint::plain: return {};
    case Tint::strong: return "\x1b[1m";
    case Tint::faint: return "\x1b[2m";
    case Tint::good: return "\x1b[32m";
    case Tint::warning: return "\x1b[33m";
    case Tint::bad: return "\x1b[1;31m";
  }
  return {};
}

constexpr std::string_view no_tint = "\x1b[0m";

/// The first `columns` characters of a UTF-8 text.
std::string_view clipped(std::string_view text, std::size_t columns) {
  std::size_t bytes = 0;
  while (bytes < text.size() && columns > 0) {
    ++bytes;
    while (bytes < text.size() && (static_cast<unsigned char>(text[bytes]) & 0xC0U) == 0x80U) ++bytes;
    --columns;
  }
  return text.substr(0, bytes);
}

}  // namespace

std::string text_of(Line const& line) {
  std::string out;
  for (auto const& span : line) out += span.text;
  return out;
}

std::string render(Line const& line, std::size_t columns, bool tinted) {
  std::string out;
  for (auto const& span : line) {
    auto const text = clipped(span.text, columns);
    columns -= std::min(columns, observe::columns(text));
    auto const tint = tinted ? escape(span.tint) : std::string_view{};
    out.append(tint).append(text).append(tint.empty() ? tint : no_tint);
  }
  return out;
}

std::vector<std::string> wrapped(std::string_view text, std::size_t columns) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    auto const space = std::min(text.find(' '), text.size());
    auto const word = text.substr(0, space);
    bool const fits =
        !lines.empty() && observe::columns(lines.back()) + 1 + observe::columns(word) <= columns;
    if (fits) {
      lines.back().append(1, ' ').append(word);
    } else {
      lines.emplace_back(word);
    }
    text.remove_prefix(std::min(space + 1, text.size()));
  }
  return lines;
}

}  // namespace candor::app
