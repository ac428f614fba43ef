#include "candor/core/pattern.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace candor::test {
namespace {

using ::testing::HasSubstr;

Pattern pattern(std::string_view text) { return std::get<Pattern>(Pattern::compile(text)); }
std::string error(std::string_view text) { return std::get<std::string>(Pattern::compile(text)); }

TEST(Pattern, MatchesWholeTextsOnly) {
  auto const orders = pattern("/orders/[0-9]+");
  EXPECT_TRUE(orders.matches("/orders/17"));
  EXPECT_FALSE(orders.matches("/orders/17/items"));
  EXPECT_FALSE(orders.matches("/v1/orders/17"));
  EXPECT_FALSE(orders.matches("/orders/"));
  EXPECT_FALSE(orders.matches(""));
}

TEST(Pattern, AnAlternativeIsNoWayAroundEitherEnd) {
  auto const either = pattern("/a|/b");
  EXPECT_TRUE(either.matches("/a"));
  EXPECT_TRUE(either.matches("/b"));
  EXPECT_FALSE(either.matches("/ab"));
  EXPECT_FALSE(either.matches("/a/b"));
}

TEST(Pattern, TakesAnchorsThatSayTheSame) {
  EXPECT_TRUE(pattern("^/a$").matches("/a"));
  EXPECT_FALSE(pattern("^/a$").matches("/a\n"));
}

TEST(Pattern, TakesBytesAsTheyAre) {
  auto const any = pattern("/.{2}");
  EXPECT_TRUE(any.matches("/\xC3\xA9")) << "two bytes, whatever they mean";
  EXPECT_TRUE(any.matches("/\xFF\x80"));
  EXPECT_FALSE(any.matches("/x"));
}

TEST(Pattern, LettersCompareAsTheyAreUnlessItSaysOtherwise) {
  EXPECT_FALSE(pattern("/Orders").matches("/orders"));
  EXPECT_TRUE(pattern("(?i)/Orders").matches("/oRDERS"));
}

TEST(Pattern, CopiesMatchTheSame) {
  auto const original = pattern("/[a-c]*");
  auto const copy = original;
  EXPECT_TRUE(copy.matches("/abc"));
  EXPECT_TRUE(original.matches("/abc"));
}

TEST(Pattern, SaysWhatIsWrong) {
  EXPECT_THAT(error("/a/[0-9"), HasSubstr("missing ]"));
  EXPECT_THAT(error("/(a|b"), HasSubstr("missing )"));
  EXPECT_THAT(error("/a**{2,1}"), HasSubstr("bad repetition"));
  EXPECT_THAT(error(R"(/(a)\1)"), HasSubstr("invalid escape")) << "what refers back takes no linear time";
  EXPECT_THAT(error("/((a{100}){100}){100}"), HasSubstr("invalid repetition size"));
}

TEST(Pattern, AnExpressionThatTakesTooMuchMemoryIsRefused) {
  std::string text = "/";
  for (int i = 0; i < 60; ++i) text += "(?:ab?){999}";
  EXPECT_THAT(error(text), HasSubstr("too large"));
}

/// Where others try every way to cut the text: 2^50 of them.
TEST(Pattern, NoTextMakesItExplode) {
  auto const nested = pattern("/(a*)*(a|aa)+b");
  EXPECT_FALSE(nested.matches("/" + std::string(50'000, 'a')));
}

TEST(Pattern, KnowsWhatItsTextsCannotBeginWith) {
  EXPECT_TRUE(pattern("/a.*").may_begin_with('/'));
  EXPECT_TRUE(pattern("^/a").may_begin_with('/'));
  EXPECT_TRUE(pattern(".*").may_begin_with('/'));
  EXPECT_TRUE(pattern("(/a|b)/.*").may_begin_with('/'));
  EXPECT_TRUE(pattern("[^a]+").may_begin_with('/'));
  EXPECT_FALSE(pattern("a/.*").may_begin_with('/'));
  EXPECT_FALSE(pattern("(?:orders|carts)/.*").may_begin_with('/'));
  EXPECT_FALSE(pattern("^v[0-9]/").may_begin_with('/'));
}

}  // namespace
}  // namespace candor::test
