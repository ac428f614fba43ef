// Any bytes as a JSON string: a reader of JSON takes it, and gets the same text back where it was text.
#include "candor/core/json_string.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "candor/core/utf8.hpp"
#include "fuzz.hpp"

namespace candor::fuzz {

namespace {

bool is_text(std::string_view bytes) {
  while (!bytes.empty()) {
    auto const length = utf8_length(bytes);
    if (length == 0) return false;
    require(length <= bytes.size(), "a character ends within its text");
    bytes.remove_prefix(length);
  }
  return true;
}

}  // namespace

void check(std::string_view input) {
  std::string out = "before ";
  append_json_string(out, input);
  require(out.starts_with("before \""), "what was there stays");
  auto const json = nlohmann::json::parse(out.substr(7), nullptr, false);
  require(json.is_string(), "it is a JSON string");
  require(std::none_of(out.begin(), out.end(), [](char c) { return c == '\n' || (c >= 0 && c < ' '); }),
          "it is one line");
  auto const read = json.get<std::string>();
  require(is_text(read), "what is read is text");
  if (is_text(input)) require(read == input, "text comes back as it was");
}

}  // namespace candor::fuzz
