// The members of a JSON object, appended one after the other. Private to observe; allocates only when the
// string has to grow.
#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include "candor/core/ids.hpp"
#include "candor/core/json_string.hpp"
#include "candor/observe/text.hpp"

namespace candor::observe {

/// `,"key":`; the first member of an object is written without it.
inline void append_key(std::string& out, std::string_view key) {
  out.append(",\"").append(key).append("\":");
}

inline void append_member(std::string& out, std::string_view key, std::string_view text) {
  append_key(out, key);
  append_json_string(out, text);
}

inline void append_member(std::string& out, std::string_view key, std::uint64_t n) {
  append_key(out, key);
  append_number(out, n);
}

/// As short as it can be read back.
inline void append_real(std::string& out, std::string_view key, double value) {
  append_key(out, key);
  std::array<char, 32> text{};
  out.append(text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr);
}

/// 0 stands for no status in the records; in JSON that is null.
inline void append_status(std::string& out, std::uint16_t status) {
  append_key(out, "status");
  if (status == 0) {
    out += "null";
  } else {
    append_number(out, status);
  }
}

inline void append_request_id(std::string& out, RequestId id) {
  std::array<char, 16> digits{};
  out += '"';
  out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), id.value, 16).ptr);
  out += '"';
}

}  // namespace candor::observe
