// Any values of the fields that are taken apart: the input's lines are a Retry-After, a Date, an Accept or
// any other list, and a word that may be in it.
#include <array>
#include <chrono>
#include <string>

#include "candor/http/head.hpp"
#include "candor/http/proxy_status.hpp"
#include "candor/http/retry_after.hpp"
#include "heads.hpp"

namespace candor::fuzz {

namespace {

std::string_view take_line(std::string_view& rest) {
  auto const line = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(std::min(line.size() + 1, rest.size()));
  return line;
}

void check_waits(std::string_view value, std::string_view date) {
  WallTime const now{std::chrono::seconds(1'700'000'000)};
  if (auto const wait = http::parse_retry_after(value, date, now)) {
    require(*wait >= Duration::zero() && *wait <= 24h, "a wait is a day at most");
  }
  for (auto const text : {value, date}) {
    auto const when = http::parse_http_date(text);
    if (!when) continue;
    auto const written = http::format_http_date(*when);
    require(written.size() == 29, "a date has its fixed length");
    require(http::parse_http_date(written) == when, "a date reads as it was written");
  }
}

void check_list(std::string_view list, std::string_view word) {
  http::Fields fields;
  fields.add({.name = "Connection", .value = list, .line = list, .id = http::FieldId::connection});
  bool const has = fields.has_token(http::FieldId::connection, word);
  // A line more is a member more.
  fields.add({.name = "Connection", .value = "x-more", .line = {}, .id = http::FieldId::connection});
  require(fields.has_token(http::FieldId::connection, "X-More"), "a member is found in any line");
  if (word != "x-more" && !http::equal_ignoring_case(word, "x-more")) {
    require(fields.has_token(http::FieldId::connection, word) == has, "another line changes no member");
  }
}

/// Candor's own answer is a message of its own, whatever it is told to say.
void check_own_answer(std::string_view accept, std::string_view details) {
  std::string out;
  http::append_own_answer(out,
                          {.status = 503,
                           .error = http::ProxyError::destination_unavailable,
                           .details = details,
                           .explanation = std::string(details),
                           .retry_after = 2s,
                           .candor_retry = "refused"},
                          {.accept = accept, .keep_alive = true});
  http::ResponseHead head;
  http::HeadScan scan;
  auto const parsed = http::parse_response_head(out, scan, {}, http::Method::get, head);
  auto const* const complete = std::get_if<http::Complete>(&parsed);
  require(complete != nullptr, "an answer of ours has a head");
  require(head.framing == http::Framing{http::Framing::Kind::length, out.size() - complete->length},
          "an answer of ours says its length");
}

}  // namespace

void check(std::string_view input) {
  auto const value = take_line(input);
  auto const date = take_line(input);
  auto const list = take_line(input);
  auto const word = input;
  check_waits(value, date);
  check_list(list, word);
  check_own_answer(list, word);
}

}  // namespace candor::fuzz
