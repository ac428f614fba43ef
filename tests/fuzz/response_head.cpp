// Any bytes from an endpoint, in answer to any method; and what is passed on of them says the same.
#include <array>

#include "candor/http/forward.hpp"
#include "heads.hpp"

namespace candor::fuzz {

namespace {

void check_head(http::ResponseHead const& head, http::Method method, std::string_view bytes) {
  using Kind = http::Framing::Kind;
  require(lies_within(head.reason, bytes) && is_one_line(head.reason), "a reason phrase stands in its head");
  require(head.status >= 100 && head.status <= 999, "a status has three digits");
  check_fields(head.fields, bytes);
  check_framing(head.framing, head.fields, head.version);
  bool const bodyless =
      method == http::Method::head || head.status < 200 || head.status == 204 || head.status == 304;
  if (bodyless) require(head.framing.kind == Kind::none, "no body where there can be none");
  if (head.framing.kind == Kind::until_close) require(!head.keep_alive, "the close ends the body");
}

/// To a caller of this version, as the sessions do it.
void check_forwarded(http::ResponseHead const& head, http::Method method, http::Version version) {
  using Kind = http::Framing::Kind;
  bool const chunkable = version == http::Version::http_1_1;
  bool const streams = head.framing.kind == Kind::chunked || head.framing.kind == Kind::until_close;
  std::string out;
  http::append_response_head(out, head,
                             {.caller_version = version,
                              .keep_alive = chunkable || !streams,
                              .chunked = chunkable && streams,
                              .proxy_status = "candor; received-status=503",
                              .candor_retry = "exhausted"});
  http::ResponseHead again;
  http::HeadScan scan;
  auto const parsed = http::parse_response_head(out, scan, {}, method, again);
  auto const* const complete = std::get_if<http::Complete>(&parsed);
  require(complete != nullptr && complete->length == out.size(), "what is passed on is a head");
  require(again.status == head.status && again.reason == head.reason, "the same status");
  require(again.version == version, "the caller's version");
  http::Framing expected = head.framing;
  if (streams) expected.kind = chunkable ? Kind::chunked : Kind::until_close;
  bool const emptied = !http::has_content(head.status) && head.framing.kind != Kind::none;
  if (emptied) expected = {.kind = Kind::length, .length = 0};
  require(again.framing == expected, "a body that ends where it should");
  require(again.fields.count(http::FieldId::candor_retry) == 1, "ours is the only candor-retry");
  require(again.fields.count(http::FieldId::transfer_encoding) == (expected.kind == Kind::chunked ? 1U : 0U),
          "one Transfer-Encoding, or none");
}

}  // namespace

void check(std::string_view input) {
  constexpr std::array methods{http::Method::get, http::Method::head, http::Method::connect};
  for (auto const method : methods) {
    http::ResponseHead head;
    auto const parsed =
        parse_both_ways(input, [&head, method](std::string_view buffered, http::HeadScan& scan) {
          return http::parse_response_head(buffered, scan, tight_limits, method, head);
        });
    auto const* const complete = std::get_if<http::Complete>(&parsed);
    if (complete == nullptr) continue;
    check_head(head, method, input.substr(0, complete->length));
    check_forwarded(head, method, http::Version::http_1_1);
    check_forwarded(head, method, http::Version::http_1_0);
  }
}

}  // namespace candor::fuzz
