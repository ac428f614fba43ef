#include "candor/core/utf8.hpp"

#include <cstdint>

namespace candor {

namespace {

std::uint8_t byte_at(std::string_view text, std::size_t i) { return static_cast<std::uint8_t>(text[i]); }

}  // namespace

// Unicode, table 3-7: the range of the second byte tells overlong forms, surrogates and what is out of range.
std::size_t utf8_length(std::string_view text) {
  auto const lead = byte_at(text, 0);
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  std::size_t const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (text.size() < length) return 0;
  auto const second = byte_at(text, 1);
  std::uint8_t const lowest = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  std::uint8_t const highest = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (second < lowest || second > highest) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((byte_at(text, i) & 0xc0U) != 0x80U) return 0;
  }
  return length;
}

bool begins_with_control(std::string_view text) {
  auto const lead = byte_at(text, 0);
  if (lead < 0x20 || lead == 0x7f) return true;
  return lead == 0xc2 && text.size() > 1 && byte_at(text, 1) >= 0x80 && byte_at(text, 1) < 0xa0;
}

}  // namespace candor
