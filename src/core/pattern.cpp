#include "candor/core/pattern.hpp"

#include <re2/re2.h>

#include <utility>

namespace candor {

namespace {

/// Of the compiled expression and of what matching keeps of it: beyond that it is refused as too large.
constexpr std::int64_t most_memory = std::int64_t{1} << 20;

RE2::Options options() {
  RE2::Options out;
  out.set_encoding(RE2::Options::EncodingLatin1);
  out.set_never_capture(true);
  out.set_log_errors(false);
  out.set_max_mem(most_memory);
  return out;
}

}  // namespace

struct Pattern::Compiled {
  explicit Compiled(std::string_view text)
      : expression(re2::StringPiece{text.data(), text.size()}, options()) {}
  RE2 expression;
};

std::variant<Pattern, std::string> Pattern::compile(std::string_view text) {
  auto compiled = std::make_shared<Compiled const>(text);
  if (!compiled->expression.ok()) return compiled->expression.error();
  return Pattern{std::move(compiled)};
}

bool Pattern::matches(std::string_view text) const {
  re2::StringPiece const whole{text.data(), text.size()};
  return compiled_->expression.Match(whole, 0, whole.size(), RE2::ANCHOR_BOTH, nullptr, 0);
}

bool Pattern::may_begin_with(char first) const {
  constexpr int as_exact_as = 4;
  std::string least;
  std::string most;
  if (!compiled_->expression.PossibleMatchRange(&least, &most, as_exact_as)) return true;
  std::string const from(1, first);
  std::string const until{first, '\xFF', '\xFF', '\xFF', '\xFF'};
  return least <= until && most >= from;
}

}  // namespace candor
