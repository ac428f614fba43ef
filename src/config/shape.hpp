// The field table, told at run time: what the JSON Schema and the reference page are written from.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace candor::config {

/// Keeps the order of the table.
using Json = nlohmann::ordered_json;

struct Word {
  std::string_view word;
  std::string_view help;
};

struct Member;

/// What a value may be.
struct Shape {
  enum class Kind : std::uint8_t {
    boolean,
    whole,     ///< low to high
    number,    ///< low to high
    duration,  ///< low to high, as text
    size,      ///< low to high, as text
    text,      ///< what, pattern
    choice,    ///< words
    list,      ///< of: its items
    named,     ///< of: the sections of a map; pattern: of their names
    section,   ///< members
    either,    ///< of: the alternatives
  };

  explicit Shape(Kind of_kind);
  static Shape within(Kind kind, Json low, Json high);
  static Shape text(std::string_view what, std::string_view pattern);
  static Shape choice(std::vector<Word> words);
  static Shape list(Shape item);
  static Shape named(std::string_view pattern, Shape section);
  static Shape either(Shape one, Shape other);

  Kind kind;
  bool nullable = false;
  Json low;
  Json high;
  std::string_view what;
  std::string_view pattern;
  std::vector<Word> words;
  std::vector<Shape> of;
  std::vector<Member> members;
};

/// A key of a section.
struct Member {
  std::string_view key;
  std::string_view help;
  Shape shape;
  Json fallback;             ///< what holds when the file is silent
  bool is_required = false;  ///< it must not be; a list or a map must not be empty
  /// The path of the section that this one is like, whose settings hold when the file is silent; empty: none.
  std::string_view same_as{};
};

}  // namespace candor::config
