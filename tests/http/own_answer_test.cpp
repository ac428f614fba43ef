#include <gtest/gtest.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "candor/http/proxy_status.hpp"
#include "heads.hpp"

namespace candor::http {
namespace {

std::string answer_text(OwnAnswer const& answer, std::string_view accept = {}, Method method = Method::get,
                        Version version = Version::http_1_1, bool keep_alive = true) {
  std::string out;
  append_own_answer(out, answer,
                    {.accept = accept, .method = method, .version = version, .keep_alive = keep_alive});
  return out;
}

std::string body_of(std::string const& answer) { return answer.substr(answer.find("\r\n\r\n") + 4); }

TEST(ProxyStatus, NamesItsTypesByTheirRegisteredTokens) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < proxy_errors; ++i) names.insert(name(static_cast<ProxyError>(i)));
  EXPECT_EQ(names.size(), proxy_errors);
  EXPECT_FALSE(names.contains(""));
  EXPECT_EQ(name(ProxyError::http_response_header_section_size), "http_response_header_section_size");
}

TEST(ProxyStatus, QuotesDetailsAsStructuredFieldsAsk) {
  EXPECT_EQ(proxy_status(ProxyError::destination_unavailable, "circuit_open"),
            "candor; error=destination_unavailable; details=\"circuit_open\"");
  EXPECT_EQ(proxy_status(ProxyError::dns_error, ""), "candor; error=dns_error");
  EXPECT_EQ(proxy_status(ProxyError::dns_error, "a\"b\\c\r\nX: y\t\x7f\xc3\xa4~"),
            "candor; error=dns_error; details=\"a\\\"b\\\\cX: y~\"");
  EXPECT_EQ(proxy_status_received(503, "attempts=3; retries denied: budget"),
            "candor; received-status=503; details=\"attempts=3; retries denied: budget\"");
}

TEST(OwnAnswerOf, SaysInFullWhatHappened) {
  EXPECT_EQ(answer_text({.status = 503,
                         .error = ProxyError::destination_unavailable,
                         .details = "circuit_open",
                         .explanation = "The circuit is \"open\".",
                         .retry_after = 2s,
                         .candor_retry = "refused"}),
            "HTTP/1.1 503 Service Unavailable\r\n"
            "Content-Type: application/problem+json\r\n"
            "Content-Length: 136\r\n"
            "Proxy-Status: candor; error=destination_unavailable; details=\"circuit_open\"\r\n"
            "Retry-After: 2\r\n"
            "candor-retry: refused\r\n"
            "\r\n"
            "{\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,"
            "\"detail\":\"The circuit is \\\"open\\\".\",\"error\":\"destination_unavailable\"}\n");
}

TEST(OwnAnswerOf, PutsTheHistoryBehindTheDetails) {
  OwnAnswer const answer{.status = 502,
                         .error = ProxyError::connection_refused,
                         .details = "connect",
                         .history = "attempts=1; retries denied: not_replayable"};
  EXPECT_NE(answer_text(answer).find("\r\nProxy-Status: candor; error=connection_refused; "
                                     "details=\"connect; attempts=1; retries denied: not_replayable\"\r\n"),
            std::string::npos);
  EXPECT_NE(
      answer_text({.error = ProxyError::dns_error, .history = "attempts=2"}).find("details=\"attempts=2\""),
      std::string::npos);
}

TEST(OwnAnswerOf, SaysWhenItWasMadeAndWhichMethodsAreTaken) {
  std::string out;
  append_own_answer(out, {.status = 405, .allow = "OPTIONS"}, {.date = "Sun, 06 Nov 1994 08:49:37 GMT"});
  ParsedResponse const response(out);
  ASSERT_TRUE(complete(response.result)) << out;
  EXPECT_EQ(response.head.fields.find("Allow")->value, "OPTIONS");
  EXPECT_EQ(response.head.fields.find(FieldId::date)->value, "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST(OwnAnswerOf, IsPlainTextForWhoeverPrefersIt) {
  EXPECT_EQ(
      answer_text({.status = 504, .explanation = "Too late."}, "text/plain"),
      "HTTP/1.1 504 Gateway Timeout\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 30\r\n\r\n"
      "504 Gateway Timeout\nToo late.\n");
}

TEST(OwnAnswerOf, HasNoBodyBytesForHeadButItsLength) {
  std::string const get = answer_text({.status = 502});
  std::string const head = answer_text({.status = 502}, {}, Method::head);
  EXPECT_EQ(head, get.substr(0, get.size() - body_of(get).size()));
  EXPECT_NE(head, get);
}

TEST(OwnAnswerOf, CanBeReadByOurOwnParserForEveryStatus) {
  for (auto const status : std::initializer_list<std::uint16_t>{400, 403, 408, 413, 414, 421, 429, 431, 500,
                                                                501, 502, 503, 504, 505, 508}) {
    ParsedResponse const response(answer_text({.status = status, .error = ProxyError::proxy_internal_error}));
    ASSERT_TRUE(complete(response.result)) << status;
    EXPECT_EQ(response.head.status, status);
    EXPECT_EQ(response.head.reason, reason_phrase(status));
    EXPECT_EQ(response.head.framing, (Framing{Framing::Kind::length, body_of(response.bytes).size()}))
        << status;
  }
}

TEST(OwnAnswerOf, SaysWhetherTheConnectionStays) {
  auto const connection = [](Version version, bool keep_alive) {
    ParsedResponse const response(answer_text({}, {}, Method::get, version, keep_alive));
    EXPECT_TRUE(complete(response.result));
    EXPECT_EQ(response.head.version, version);
    EXPECT_EQ(response.head.keep_alive, keep_alive);
    Field const* field = response.head.fields.find(FieldId::connection);
    return std::string(field != nullptr ? field->value : "none");
  };
  EXPECT_EQ(connection(Version::http_1_1, true), "none");
  EXPECT_EQ(connection(Version::http_1_1, false), "close");
  EXPECT_EQ(connection(Version::http_1_0, true), "keep-alive");
  EXPECT_EQ(connection(Version::http_1_0, false), "close");
}

TEST(OwnAnswerOf, RoundsRetryAfterUpToSecondsAndToOneAtLeast) {
  auto const retry_after = [](Duration delay) {
    ParsedResponse const response(answer_text({.retry_after = delay}));
    return std::string(response.head.fields.find(FieldId::retry_after)->value);
  };
  EXPECT_EQ(retry_after(0s), "1");
  EXPECT_EQ(retry_after(-5s), "1");
  EXPECT_EQ(retry_after(1ns), "1");
  EXPECT_EQ(retry_after(1s), "1");
  EXPECT_EQ(retry_after(1s + 1ns), "2");
  EXPECT_EQ(retry_after(90min), "5400");
}

TEST(OwnAnswerOf, EscapesWhatJsonCannotHold) {
  auto const detail = [](std::string text) {
    std::string const body = body_of(answer_text({.explanation = std::move(text)}));
    auto const start = body.find("\"detail\":\"") + 10;
    return body.substr(start, body.rfind("\"}") - start);
  };
  EXPECT_EQ(detail("a\"b\\c/d"), "a\\\"b\\\\c/d");
  EXPECT_EQ(detail("\n\r\t\b\x01\x1f\x7f"), "\\n\\r\\t\\u0008\\u0001\\u001f\\u007f");
  EXPECT_EQ(detail(std::string("a\0b", 3)), "a\\u0000b");
  EXPECT_EQ(detail("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"), "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
  for (std::string const& bad :
       std::vector<std::string>{"\xff", "\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                "\xf8\x88\x80\x80\x80", "\xc3", "\xe2\x82", "\x80"}) {
    std::string expected;
    for (std::size_t i = 0; i < bad.size(); ++i) expected += "\\ufffd";
    EXPECT_EQ(detail(bad), expected);
  }
  EXPECT_EQ(detail("\xc3(\xe2\x82z"), "\\ufffd(\\ufffd\\ufffdz");
}

TEST(OwnAnswerOf, FollowsTheWeightsOfAccept) {
  struct Case {
    std::string_view accept;
    bool text;
  };
  for (auto const& [accept, text] : std::vector<Case>{
           {"", false},
           {"*/*", false},
           {"text/plain", true},
           {"TEXT/Plain ; charset=utf-8", true},
           {"text/*", true},
           {"application/json", false},
           {"application/problem+json, text/plain", false},
           {"text/plain, application/json", false},
           {"text/plain, application/json;q=0.9", true},
           {"text/plain;q=0.5, application/json;q=0.9", false},
           {"text/plain, */*;q=0.1", true},
           {"text/html, application/xml;q=0.9, */*;q=0.8", false},
           {"application/*;q=0.2, text/*;q=0.3", true},
           {"text/*, text/plain;q=0, application/json;q=0.1", false},
           {"text/plain;q=0", false},
           {"text/plain;q=0.001", true},
           {"text/plain;q=1.000, */*;q=0.999", true},
           {"text/plain;q=x", false},
           {"text/plain;q=", false},
           {"text/plain;q=2", false},
           {"text/plain;format=\"a,b;q=0\";q=0.7, application/json;q=0.8", false},
           {"text/plainx", false},
           {",,;,text/plain", true},
           {"garbage", false},
       }) {
    bool const is_text = answer_text({}, accept).find("text/plain") != std::string::npos;
    EXPECT_EQ(is_text, text) << accept;
  }
}

TEST(ReasonPhrase, IsTheStandardOne) {
  EXPECT_EQ(reason_phrase(200), "OK");
  EXPECT_EQ(reason_phrase(503), "Service Unavailable");
  EXPECT_EQ(reason_phrase(599), "Unknown");
}

}  // namespace
}  // namespace candor::http
