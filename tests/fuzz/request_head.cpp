// Any bytes from a caller: a head that is believed has one reading, however it was cut on its way.
#include "heads.hpp"

namespace candor::fuzz {

namespace {

void check_head(http::RequestHead const& head, std::string_view bytes) {
  require(lies_within(head.method_text, bytes) && lies_within(head.target, bytes) &&
              lies_within(head.host, bytes),
          "a head points into its buffer");
  require(head.method == http::method_of(head.method_text), "the method is the one that stands there");
  require(!head.method_text.empty() && !head.target.empty(), "a method and a target");
  require(std::all_of(head.target.begin(), head.target.end(), [](char c) { return c > ' ' && c < '\x7f'; }),
          "a target is visible ASCII");
  require(head.target.size() <= tight_limits.target.size(), "a target within the limit");
  require(head.fields.size() <= tight_limits.fields, "fields within the limit");
  require(bytes.size() <= tight_limits.head.size(), "a head within the limit");
  require(head.path().starts_with('/') || head.path() == "*" || head.method == http::Method::connect,
          "a path begins with a slash");
  require(head.fields.count(http::FieldId::host) <= 1, "one Host at most");
  require(head.framing.kind != http::Framing::Kind::until_close, "a request's body has an end");
  if (head.framing.kind == http::Framing::Kind::none && head.method != http::Method::connect) {
    require(head.fields.count(http::FieldId::content_length) == 0 &&
                head.fields.count(http::FieldId::transfer_encoding) == 0,
            "no body, and no word of one");
  }
  check_fields(head.fields, bytes);
  check_framing(head.framing, head.fields, head.version);
}

}  // namespace

void check(std::string_view input) {
  http::RequestHead head;
  auto const parsed = parse_both_ways(input, [&head](std::string_view buffered, http::HeadScan& scan) {
    return http::parse_request_head(buffered, scan, tight_limits, head);
  });
  auto const* const complete = std::get_if<http::Complete>(&parsed);
  if (complete == nullptr) return;
  check_head(head, input.substr(0, complete->length));

  // A copy that ends where the head does: what follows it in the buffer is not looked at.
  std::string const alone(input.substr(0, complete->length));
  http::RequestHead again;
  http::HeadScan scan;
  auto const parsed_alone = http::parse_request_head(alone, scan, tight_limits, again);
  require(std::holds_alternative<http::Complete>(parsed_alone), "a head needs nothing behind it");
  require(again.target == head.target && again.host == head.host && again.framing == head.framing &&
              again.keep_alive == head.keep_alive,
          "what follows a head changes nothing in it");
}

}  // namespace candor::fuzz
