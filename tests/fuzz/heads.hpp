// What must hold for a head that was parsed, of either kind, and for the way it was parsed.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "candor/http/parse.hpp"
#include "fuzz.hpp"

namespace candor::fuzz {

/// Small, so that short inputs reach them.
inline constexpr http::HeadLimits tight_limits{.head = Bytes{1024}, .target = Bytes{64}, .fields = 12};

/// Parses with `parse(buffered, scan)`, whole and byte by byte: both must come to the same end.
template <class Parse>
http::Parsed parse_both_ways(std::string_view buffered, Parse const& parse) {
  http::HeadScan scan;
  http::Parsed slow = http::Incomplete{};
  std::size_t seen = 0;
  while (std::holds_alternative<http::Incomplete>(slow) && seen < buffered.size()) {
    slow = parse(buffered.substr(0, ++seen), scan);
  }
  http::HeadScan whole;
  auto const parsed = parse(buffered, whole);
  require(parsed.index() == slow.index(), "cutting a head changes what becomes of it");
  if (auto const* complete = std::get_if<http::Complete>(&parsed)) {
    require(complete->length == seen, "a head is complete with its last byte");
    require(std::get<http::Complete>(slow).length == seen, "cutting a head changes its length");
  }
  if (auto const* refused = std::get_if<http::Malformed>(&parsed)) {
    require(refused->status >= 400 && !refused->detail.empty(), "a refusal says why");
  }
  return parsed;
}

inline bool lies_within(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

inline bool is_one_line(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

/// The lines of the fields follow on each other up to the empty line, and each is a name and a value.
inline void check_fields(http::Fields const& fields, std::string_view head) {
  std::size_t lines = 0;
  for (http::Field const& field : fields) {
    require(lies_within(field.line, head), "a field stands in its head");
    require(field.line.ends_with("\r\n"), "a field's line ends in CRLF");
    require(is_one_line(field.line.substr(0, field.line.size() - 2)), "a field is one line");
    require(!field.name.empty() && field.line.starts_with(field.name), "a field's line begins with its name");
    require(lies_within(field.value, field.line), "a value stands in its line");
    require(field.value.empty() || field.value.find_first_not_of(" \t") == 0, "a value is trimmed in front");
    require(field.value.empty() || field.value.find_last_not_of(" \t") + 1 == field.value.size(),
            "a value is trimmed behind");
    require(field.id == http::field_id(field.name), "a field is known by its name");
    lines += field.line.size();
  }
  if (fields.size() == 0) return;
  char const* const first = fields.begin()->line.data();
  require(first + lines + 2 == head.data() + head.size(), "no line of the head is left out");
}

inline std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  bool const good = error == std::errc{} && end == text.data() + text.size();
  return good ? std::optional(value) : std::nullopt;
}

/// No reading of the framing fields but the one that was taken.
inline void check_framing(http::Framing const& framing, http::Fields const& fields, http::Version version) {
  using Kind = http::Framing::Kind;
  auto const codings = fields.count(http::FieldId::transfer_encoding);
  auto const lengths = fields.count(http::FieldId::content_length);
  if (framing.kind == Kind::chunked) {
    require(codings == 1 && lengths == 0 && version == http::Version::http_1_1, "chunked, and nothing else");
    auto const* const field = fields.find(http::FieldId::transfer_encoding);
    require(http::equal_ignoring_case(field->value, "chunked"), "chunked is the only coding");
  }
  if (framing.kind == Kind::length) {
    require(codings == 0 && lengths > 0, "a length, and nothing else");
    for (http::Field const& field : fields) {
      if (field.id == http::FieldId::content_length)
        require(number(field.value) == framing.length, "one length in all lines");
    }
  } else {
    require(framing.length == 0, "only a length has a length");
  }
}

}  // namespace candor::fuzz
