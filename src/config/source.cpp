#include "source.hpp"

#include <algorithm>
#include <cstdint>

#include "candor/core/utf8.hpp"

namespace candor::config {

namespace {

std::uint8_t byte_at(std::string_view text, std::size_t at) { return static_cast<std::uint8_t>(text[at]); }

bool is_control(std::uint8_t byte) { return byte < 0x20 || byte == 0x7F; }

std::string hex(std::uint8_t byte) {
  constexpr std::string_view digits = "0123456789abcdef";
  return {'0', 'x', digits[byte >> 4U], digits[byte & 0x0FU]};
}

}  // namespace

Source::Source(std::string_view text) : text_(text), lines_{0} {
  for (std::size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) {
    lines_.push_back(at + 1);
  }
}

Position Source::position(std::size_t offset) const {
  offset = std::min(offset, text_.size());
  auto const next = std::upper_bound(lines_.begin(), lines_.end(), offset);
  auto const line = static_cast<std::size_t>(next - lines_.begin());
  auto const before = text_.substr(lines_[line - 1], offset - lines_[line - 1]);
  auto const characters = std::count_if(
      before.begin(), before.end(), [](char c) { return (static_cast<std::uint8_t>(c) & 0xC0U) != 0x80U; });
  return {line, static_cast<std::size_t>(characters) + 1};
}

std::optional<Fault> Source::fault() const {
  for (std::size_t at = 0; at < text_.size();) {
    auto const byte = byte_at(text_, at);
    if (is_control(byte) && byte != '\t' && byte != '\n' && byte != '\r') {
      return Fault{at, "not a text file: it has the control character " + hex(byte)};
    }
    auto const size = utf8_length(text_.substr(at));
    if (size == 0) return Fault{at, "not a text file: the byte " + hex(byte) + " is no UTF-8"};
    at += size;
  }
  return std::nullopt;
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t longest = 60;
  std::string out = "\"";
  for (std::size_t at = 0; at < text.size();) {
    if (out.size() > longest) {
      out += "...";
      break;
    }
    auto const byte = byte_at(text, at);
    auto const size = std::max<std::size_t>(utf8_length(text.substr(at)), 1);
    if (byte == '\n') {
      out += "\\n";
    } else if (byte == '\t') {
      out += "\\t";
    } else if (byte == '"' || byte == '\\') {
      out += {'\\', static_cast<char>(byte)};
    } else if (is_control(byte) || (byte >= 0x80 && size == 1)) {
      out += "\\x" + hex(byte).substr(2);
    } else {
      out += text.substr(at, size);
    }
    at += size;
  }
  return out + '"';
}

}  // namespace candor::config
