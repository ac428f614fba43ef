// Thousands of broken files. Whatever comes in, a Config or problems come out; and a Config is one that loads
// back.
#include <gtest/gtest.h>

#include <array>

#include "candor/core/rng.hpp"
#include "support.hpp"
#include "support/effort.hpp"

namespace candor::config::test {
namespace {

constexpr std::array fragments{
    "{",         "}",         "[",        "]",    ":",     ": ",    ",",     "\n",   "\n  ",
    "\t",        "- ",        "? ",       "&a ",  "*a",    "<<: ",  "!!",    "!x ",  "|\n",
    ">-\n",      "\"",        "'",        "#",    " #",    "---\n", "...\n", "%",    "${",
    "$${",       "}",         "${X:-1}",  "null", "~",     "true",  "0",     "-1",   "1e999",
    ".nan",      "9999",      "1h",       "ns",   "64KiB", "on",    "[]",    "{}",   "\xff",
    "\0x",       "\x04",      "\xc3\xa9", "@",    "`",     "\\",    "\r",    "\r\n", "\xE2\x80\xA8",
    "upstreams", "endpoints", "breaker",  "trip"};

std::size_t place_in(std::string const& text, Rng& rng) { return rng.below(text.size() + 1); }

/// One small accident.
void break_somewhere(std::string& text, Rng& rng) {
  auto const at = place_in(text, rng);
  auto const length = rng.below(12);
  switch (rng.below(6)) {
    case 0: text.erase(at, length); break;
    case 1: text.insert(at, fragments.at(rng.below(fragments.size()))); break;
    case 2: text.insert(place_in(text, rng), text.substr(at, 4 * length)); break;
    case 3:
      if (at < text.size()) text[at] = static_cast<char>(rng.below(256));
      break;
    case 4: text.resize(at); break;
    case 5: text.insert(at, std::string(length, at < text.size() ? text[at] : ' ')); break;
  }
}

TEST(Robustness, AnyTextGivesAConfigOrProblems) {
  constexpr std::uint64_t seed = 20'240'607;
  auto const mutations = static_cast<int>(candor::test::of_all(4'000, 1'000));
  Rng rng(seed);
  std::vector<std::string> examples;
  for (auto const* name : {"candor.yaml", "classic.yaml", "full.yaml", "full.json"}) {
    examples.push_back(read_file(source / "config" / name));
  }
  int loaded_count = 0;
  for (int i = 0; i < mutations; ++i) {
    auto text = examples.at(rng.below(examples.size()));
    for (auto accidents = 1 + rng.below(4); accidents > 0; --accidents) break_somewhere(text, rng);
    auto const loaded = load_text(text, "f", environment);
    if (auto const* config = std::get_if<Config>(&loaded)) {
      ++loaded_count;
      auto const written = effective(*config);
      auto const again = load_text(written, "f", environment);
      ASSERT_TRUE(std::holds_alternative<Config>(again)) << texts(again).front() << "\n" << written;
      ASSERT_EQ(effective(std::get<Config>(again)), written);
    } else {
      auto const& found = std::get<std::vector<Problem>>(loaded);
      ASSERT_FALSE(found.empty()) << text;
      for (auto const& problem : found) ASSERT_FALSE(problem.message.empty()) << text;
    }
  }
  EXPECT_GT(loaded_count, mutations / 50) << "some accidents are harmless";
  EXPECT_LT(loaded_count, mutations) << "most are not";
}

TEST(Robustness, RandomBytesAreRefused) {
  Rng rng(7);
  for (int i = 0; i < 500; ++i) {
    std::string bytes(1 + rng.below(200), '\0');
    for (char& byte : bytes) byte = static_cast<char>(rng.below(256));
    EXPECT_TRUE(std::holds_alternative<std::vector<Problem>>(load_text(bytes, "f", environment)));
  }
}

TEST(Robustness, RandomPiecesOfYamlAreRefused) {
  Rng rng(11);
  for (int i = 0; i < 2000; ++i) {
    std::string text;
    for (auto pieces = 1 + rng.below(30); pieces > 0; --pieces)
      text += fragments.at(rng.below(fragments.size()));
    EXPECT_TRUE(std::holds_alternative<std::vector<Problem>>(load_text(text, "f", environment))) << text;
  }
}

}  // namespace
}  // namespace candor::config::test
