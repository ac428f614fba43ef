#include "candor/core/json_string.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "candor/core/utf8.hpp"

namespace candor {

namespace {

void append_escaped(std::string& out, std::uint8_t code) {
  switch (code) {
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  constexpr std::string_view digits = "0123456789abcdef";
  out += "\\u00";
  out += digits[code >> 4U];
  out += digits[code & 0xfU];
}

bool is_plain(char c) { return c >= ' ' && c < 0x7f && c != '"' && c != '\\'; }

}  // namespace

void append_json_string(std::string& out, std::string_view bytes) {
  out += '"';
  while (!bytes.empty()) {
    // Nearly all of nearly every text: in one go.
    auto const run =
        static_cast<std::size_t>(std::find_if_not(bytes.begin(), bytes.end(), is_plain) - bytes.begin());
    out.append(bytes.substr(0, run));
    bytes.remove_prefix(run);
    if (bytes.empty()) break;
    auto const length = utf8_length(bytes);
    if (length == 0) {
      out += "\\ufffd";
    } else if (begins_with_control(bytes)) {
      append_escaped(out, static_cast<std::uint8_t>(bytes[length - 1]));  // C1 is U+0080 on: its last byte
    } else {
      if (length == 1) out += '\\';  // a quote or a backslash
      out.append(bytes.substr(0, length));
    }
    bytes.remove_prefix(std::max<std::size_t>(length, 1));
  }
  out += '"';
}

}  // namespace candor
