#include "candor/proxy/router.hpp"

#include <gtest/gtest.h>

#include "heads.hpp"

namespace candor::test {
namespace {

Router const& router() {
  static Router const instance{std::vector<UpstreamSettings>{
      {.name = "Payments", .hosts = {"pay.example", "[2001:DB8::1]"}},
      {.name = "orders", .hosts = {"orders.example"}},
  }};
  return instance;
}

std::optional<std::size_t> route(std::string_view host) { return router().route(for_host(host)); }

TEST(Router, FindsAnUpstreamByItsName) {
  EXPECT_EQ(route("payments"), 0U);
  EXPECT_EQ(route("orders"), 1U);
}

TEST(Router, FindsAnUpstreamByAHostThatIsConfigured) {
  EXPECT_EQ(route("pay.example"), 0U);
  EXPECT_EQ(route("orders.example"), 1U);
}

TEST(Router, LettersCompareWithoutCase) {
  EXPECT_EQ(route("PAYMENTS"), 0U);
  EXPECT_EQ(route("Orders.Example"), 1U);
}

TEST(Router, ThePortIsIgnored) {
  EXPECT_EQ(route("payments:15001"), 0U);
  EXPECT_EQ(route("orders.example:"), 1U);
}

TEST(Router, TheDotAtANamesEndIsIgnored) {
  EXPECT_EQ(route("pay.example."), 0U);
  EXPECT_EQ(route("orders.:80"), 1U);
}

TEST(Router, AnIPv6AddressKeepsItsColons) {
  EXPECT_EQ(route("[2001:db8::1]"), 0U);
  EXPECT_EQ(route("[2001:db8::1]:8080"), 0U);
  EXPECT_EQ(route("[2001:db8::2]"), std::nullopt);
}

TEST(Router, NobodyElseIsFound) {
  EXPECT_EQ(route(""), std::nullopt);
  EXPECT_EQ(route(":80"), std::nullopt);
  EXPECT_EQ(route("example"), std::nullopt);
  EXPECT_EQ(route("pay.example.evil"), std::nullopt);
  EXPECT_EQ(route("payments "), std::nullopt);
}

TEST(Router, WithoutUpstreamsItFindsNothing) {
  EXPECT_EQ(Router{}.route(for_host("payments")), std::nullopt);
}

TEST(Router, TheFirstUpstreamThatNamesAHostHasIt) {
  Router const shared{
      std::vector<UpstreamSettings>{{.name = "a", .hosts = {"x"}}, {.name = "b", .hosts = {"x"}}}};
  EXPECT_EQ(shared.route(for_host("x")), 0U);
}

TEST(Router, TheFirstSignpostThatMatchesGoesBeforeTheHost) {
  Router const routed{
      {{.name = "a"}, {.name = "b"}, {.name = "c"}},
      {{.match = {.methods = {"POST"}}, .upstream = "b"}, {.match = {.path_prefix = "/c"}, .upstream = "c"}}};
  auto head = for_host("a");
  EXPECT_EQ(routed.route(head), 0U);
  head.target = "/c/1";
  EXPECT_EQ(routed.route(head), 2U);
  head.method_text = "POST";
  EXPECT_EQ(routed.route(head), 1U);
  head.host = "nobody";
  EXPECT_EQ(routed.route(head), 1U);
}

}  // namespace
}  // namespace candor::test
