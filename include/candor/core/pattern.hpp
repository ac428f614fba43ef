// Thread-safe: immutable once compiled, and cheap to copy.
//
// A regular expression in the syntax of RE2 (github.com/google/re2/wiki/Syntax), of bytes. Matching takes
// time in proportion to the text, whatever the expression: what a caller sends can't make it explode.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>

namespace candor {

class Pattern {
 public:
  /// The pattern, or what is wrong with it.
  [[nodiscard]] static std::variant<Pattern, std::string> compile(std::string_view text);

  /// From its first byte to its last.
  [[nodiscard]] bool matches(std::string_view text) const;

  /// Whether a text that begins so could match at all; for those who look for mistakes.
  [[nodiscard]] bool may_begin_with(char first) const;

 private:
  struct Compiled;
  explicit Pattern(std::shared_ptr<Compiled const> compiled) : compiled_(std::move(compiled)) {}

  std::shared_ptr<Compiled const> compiled_;
};

}  // namespace candor
