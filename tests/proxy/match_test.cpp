#include "candor/proxy/match.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "heads.hpp"

namespace candor::test {
namespace {

bool takes(MatchSettings settings, http::RequestHead const& head) {
  return Match{std::move(settings)}.takes(head);
}

bool has_prefix(std::string_view target, std::string const& prefix) {
  return takes({.path_prefix = prefix}, for_target(target));
}

TEST(Match, APrefixIsOfWholeSegments) {
  EXPECT_TRUE(has_prefix("/a", "/a"));
  EXPECT_TRUE(has_prefix("/a/b", "/a"));
  EXPECT_TRUE(has_prefix("/a?b=/c", "/a"));
  EXPECT_TRUE(has_prefix("http://x/a/b", "/a"));
  EXPECT_TRUE(has_prefix("/a/", "/a/"));
  EXPECT_TRUE(has_prefix("/anything", "/"));
  EXPECT_FALSE(has_prefix("/ab", "/a"));
  EXPECT_FALSE(has_prefix("/a", "/a/"));
  EXPECT_FALSE(has_prefix("/A", "/a"));
  EXPECT_FALSE(has_prefix("/?/a", "/a"));
}

TEST(Match, APathWithDotSegmentsHasNoPrefix) {
  for (auto const* target : {"/a/../b", "/a/..", "/a/./b", "/a/%2e%2E/b", "/a/.%2e", "/a/%2e"}) {
    EXPECT_FALSE(has_prefix(target, "/a")) << target;
  }
  for (auto const* target : {"/a/...", "/a/.b", "/a/b..", "/a?../", "/a/%2f"}) {
    EXPECT_TRUE(has_prefix(target, "/a")) << target;
  }
}

bool is_like(std::string_view target, std::string const& regex) {
  return takes({.path_regex = regex}, for_target(target));
}

TEST(Match, AnExpressionIsOfTheWholePath) {
  EXPECT_TRUE(is_like("/orders/17", "/orders/[0-9]+"));
  EXPECT_TRUE(is_like("/orders/17?expand=items", "/orders/[0-9]+"));
  EXPECT_TRUE(is_like("http://x/orders/17", "/orders/[0-9]+"));
  EXPECT_TRUE(is_like("/orders/17/items", "/orders/[0-9]+(/.*)?"));
  EXPECT_FALSE(is_like("/orders/17/items", "/orders/[0-9]+"));
  EXPECT_FALSE(is_like("/v1/orders/17", "/orders/[0-9]+"));
  EXPECT_FALSE(is_like("/orders/x?/orders/17", "/orders/[0-9]+"));
  EXPECT_FALSE(is_like("/orders/%31", "/orders/[0-9]+"))
      << "as it came: what %31 means is for the upstream to say";
}

TEST(Match, APathWithDotSegmentsIsLikeNoExpression) {
  EXPECT_FALSE(is_like("/a/../b", "/.*"));
  EXPECT_FALSE(is_like("/a/%2E%2e/b", "/.*"));
  EXPECT_TRUE(is_like("/a/..b", "/.*"));
}

TEST(Match, APrefixAndAnExpressionMustBothHold) {
  auto const both_take = [](std::string_view target) {
    return takes({.path_prefix = "/v1", .path_regex = ".*[.]json"}, for_target(target));
  };
  EXPECT_TRUE(both_take("/v1/a.json"));
  EXPECT_FALSE(both_take("/v1/a.xml"));
  EXPECT_FALSE(both_take("/v2/a.json"));
}

TEST(Match, AnExpressionThatIsNoneIsFoundWhenItIsMade) {
  EXPECT_THROW(Match{{.path_regex = "/("}}, std::invalid_argument);
}

TEST(Match, FieldsAreMatchedByNameWithoutCaseAndByTheWholeValue) {
  auto head = for_host("a");
  head.fields.add({.name = "X-Tenant", .value = "gold", .line = "X-Tenant: gold\r\n"});
  head.fields.add({.name = "X-Tenant", .value = "old", .line = "X-Tenant: old\r\n"});
  auto const has = [&head](std::string name, std::optional<std::string> value) {
    return takes({.headers = {{std::move(name), std::move(value)}}}, head);
  };
  EXPECT_TRUE(has("x-tenant", "gold"));
  EXPECT_TRUE(has("x-tenant", "old"));
  EXPECT_TRUE(has("x-tenant", std::nullopt));
  EXPECT_FALSE(has("x-tenant", "gol"));
  EXPECT_FALSE(has("x-tenan", std::nullopt));
}

TEST(Match, AllThatIsSaidMustHoldAndWhatIsNotSaidDoes) {
  auto head = for_host("Pay.Example:8080");
  EXPECT_TRUE(takes({}, head));
  EXPECT_TRUE(takes({.hosts = {"x", "pay.example"}, .methods = {"POST", "GET"}}, head));
  EXPECT_FALSE(takes({.hosts = {"pay.example"}, .methods = {"get"}}, head));
  EXPECT_FALSE(takes({.hosts = {"x"}, .methods = {"GET"}}, head));
}

TEST(Match, ATunnelsTargetHasNoPath) {
  auto head = for_host("a");
  head.method_text = "CONNECT";
  head.method = http::Method::connect;
  head.target = "a:443";
  EXPECT_FALSE(takes({.path_prefix = "/"}, head));
  EXPECT_FALSE(takes({.path_regex = ".*"}, head));
  EXPECT_TRUE(takes({.hosts = {"a"}}, head));
}

}  // namespace
}  // namespace candor::test
