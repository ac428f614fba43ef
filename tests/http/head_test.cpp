#include "candor/http/head.hpp"

#include <gtest/gtest.h>

#include <cctype>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "heads.hpp"

namespace candor::http {
namespace {

TEST(FieldIdOf, RecognisesEveryKnownNameInAnyCase) {
  std::vector<std::pair<std::string, FieldId>> const names{
      {"connection", FieldId::connection},
      {"content-length", FieldId::content_length},
      {"content-type", FieldId::content_type},
      {"age", FieldId::age},
      {"authorization", FieldId::authorization},
      {"cache-control", FieldId::cache_control},
      {"cookie", FieldId::cookie},
      {"set-cookie", FieldId::set_cookie},
      {"date", FieldId::date},
      {"expect", FieldId::expect},
      {"host", FieldId::host},
      {"keep-alive", FieldId::keep_alive},
      {"proxy-authenticate", FieldId::proxy_authenticate},
      {"proxy-authorization", FieldId::proxy_authorization},
      {"proxy-connection", FieldId::proxy_connection},
      {"proxy-status", FieldId::proxy_status},
      {"retry-after", FieldId::retry_after},
      {"te", FieldId::te},
      {"trailer", FieldId::trailer},
      {"transfer-encoding", FieldId::transfer_encoding},
      {"upgrade", FieldId::upgrade},
      {"accept", FieldId::accept},
      {"via", FieldId::via},
      {"candor-retry", FieldId::candor_retry},
      {"Candor-Fallback", FieldId::candor_fallback},
      {"candor-attempt", FieldId::candor_attempt},
      {"candor-retry-reason", FieldId::candor_retry_reason},
  };
  for (auto const& [name, id] : names) {
    EXPECT_EQ(field_id(name), id) << name;
    std::string shouted = name;
    for (char& c : shouted) c = static_cast<char>(std::toupper(c));
    EXPECT_EQ(field_id(shouted), id) << shouted;
    for (std::size_t i = 0; i < name.size(); ++i) {
      std::string other = name;
      // The sixth bit apart, as letters and their capitals are, but not letters: '-' and CR, for one.
      other[i] = name[i] == '-' ? '\r' : '_';
      EXPECT_EQ(field_id(other), FieldId::other) << other;
    }
    EXPECT_EQ(field_id(name + "x"), FieldId::other);
  }
  EXPECT_EQ(field_id(""), FieldId::other);
}

TEST(EqualIgnoringCase, FoldsLettersAndNothingElse) {
  EXPECT_TRUE(equal_ignoring_case("aZ-9", "Az-9"));
  EXPECT_FALSE(equal_ignoring_case("a", "ab"));
  EXPECT_FALSE(equal_ignoring_case("[", "{"));
  EXPECT_FALSE(equal_ignoring_case("@", "`"));
  EXPECT_FALSE(equal_ignoring_case("\xc4", "\xe4"));
}

TEST(Fields, FindTokensOverAllLinesWithoutCaseAndParameters) {
  ParsedRequest const request(get_with("TE: gzip;q=0.5\r\nte: , Trailers;q=\"a,b\" , deflate\r\n"));
  ASSERT_TRUE(complete(request.result));
  Fields const& fields = request.head.fields;
  EXPECT_EQ(fields.count(FieldId::te), 2U);
  for (std::string_view const token : {"gzip", "trailers", "DEFLATE"}) {
    EXPECT_TRUE(fields.has_token(FieldId::te, token)) << token;
  }
  for (std::string_view const token : {"b\"", "trail", "q", "a"}) {
    EXPECT_FALSE(fields.has_token(FieldId::te, token)) << token;
  }
  EXPECT_FALSE(fields.has_token(FieldId::connection, "close"));
}

TEST(Methods, AreKnownByTheirExactNames) {
  for (auto const& [text, method] : std::vector<std::pair<std::string_view, Method>>{
           {"GET", Method::get},
           {"HEAD", Method::head},
           {"POST", Method::post},
           {"PUT", Method::put},
           {"DELETE", Method::del},
           {"OPTIONS", Method::options},
           {"TRACE", Method::trace},
           {"PATCH", Method::patch},
           {"CONNECT", Method::connect},
           {"get", Method::other},
           {"PURGE", Method::other},
       }) {
    EXPECT_EQ(method_of(text), method) << text;
  }
}

TEST(Methods, AreIdempotentAsTheStandardSays) {
  for (Method const method :
       {Method::get, Method::head, Method::put, Method::del, Method::options, Method::trace}) {
    EXPECT_TRUE(is_idempotent(method));
  }
  for (Method const method : {Method::post, Method::patch, Method::connect, Method::other}) {
    EXPECT_FALSE(is_idempotent(method));
  }
}

TEST(RequestTarget, GivesItsPathItsOriginFormAndWhomItIsFor) {
  struct Case {
    std::string_view method, target, origin, path, host;
  };
  for (auto const& [method, target, origin, path, host] : std::vector<Case>{
           {"GET", "/", "/", "/", "field"},
           {"GET", "/a/b?c=/d?e", "/a/b?c=/d?e", "/a/b", "field"},
           {"GET", "/a?u=http://x/", "/a?u=http://x/", "/a", "field"},
           {"GET", "http://h:81/a?b", "/a?b", "/a", "h:81"},
           {"GET", "HTTP://h?b=http://c/d", "?b=http://c/d", "/", "h"},
           {"GET", "https://[::1]:1", "/", "/", "[::1]:1"},
           {"OPTIONS", "http://h", "*", "*", "h"},
           {"OPTIONS", "*", "*", "*", "field"},
           {"CONNECT", "h:443", "h:443", "h:443", "h:443"},
       }) {
    ParsedRequest const request(std::string(method) + " " + std::string(target) +
                                " HTTP/1.1\r\nHost: field\r\n\r\n");
    ASSERT_TRUE(complete(request.result)) << target;
    EXPECT_EQ(request.head.origin_target(), origin) << target;
    EXPECT_EQ(request.head.path(), path) << target;
    EXPECT_EQ(request.head.host, host) << target;
  }
}

}  // namespace
}  // namespace candor::http
