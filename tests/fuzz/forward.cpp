// Any request that is believed: the head that goes to the upstream says the same, to one who reads it like
// us.
#include "candor/http/forward.hpp"

#include <optional>
#include <string>
#include <vector>

#include "heads.hpp"

namespace candor::fuzz {

namespace {

using http::FieldId;

/// Reads with limits that leave room for the lines that we add.
struct Read {
  explicit Read(std::string text) : bytes(std::move(text)) {
    http::HeadScan scan;
    auto const parsed = http::parse_request_head(bytes, scan, {.fields = 1000}, head);
    auto const* const complete = std::get_if<http::Complete>(&parsed);
    is_head = complete != nullptr && complete->length == bytes.size();
  }
  Read(Read const&) = delete;
  Read& operator=(Read const&) = delete;

  std::string bytes;
  http::RequestHead head;
  bool is_head = false;
};

/// What is never passed on, or not as it came.
bool is_ours(FieldId id) {
  switch (id) {
    case FieldId::connection:
    case FieldId::keep_alive:
    case FieldId::proxy_authenticate:
    case FieldId::proxy_authorization:
    case FieldId::proxy_connection:
    case FieldId::te:
    case FieldId::transfer_encoding:
    case FieldId::upgrade:
    case FieldId::expect:
    case FieldId::host:
    case FieldId::content_length:
    case FieldId::candor_attempt:
    case FieldId::candor_retry_reason: return true;
    case FieldId::other:
    case FieldId::age:
    case FieldId::authorization:
    case FieldId::cache_control:
    case FieldId::content_type:
    case FieldId::cookie:
    case FieldId::date:
    case FieldId::proxy_status:
    case FieldId::retry_after:
    case FieldId::set_cookie:
    case FieldId::trailer:
    case FieldId::accept:
    case FieldId::via:
    case FieldId::candor_retry:
    case FieldId::candor_fallback: return false;
  }
  return false;
}

/// Says how far it may go, one less after us.
bool is_changed(http::RequestHead const& head, http::Field const& field) {
  return http::max_forwards(head).value_or(0) > 0 && http::equal_ignoring_case(field.name, "max-forwards");
}

/// Every other field arrives as it came, in its order, unless Connection names it; and none besides.
void check_passed(http::RequestHead const& head, http::RequestHead const& sent) {
  auto next = sent.fields.begin();
  auto const skip_ours = [&] {
    while (next != sent.fields.end() && is_ours(next->id)) ++next;
  };
  for (http::Field const& field : head.fields) {
    if (is_ours(field.id) || head.fields.has_token(FieldId::connection, field.name)) continue;
    if (is_changed(head, field)) {
      skip_ours();
      require(next != sent.fields.end() && next->id == field.id, "a field that changes keeps its place");
      ++next;
      continue;
    }
    skip_ours();
    require(next != sent.fields.end() && next->line == field.line, "a field passes as it came");
    ++next;
  }
  skip_ours();
  require(next == sent.fields.end(), "nothing is added");
}

void check_sent(http::RequestHead const& head, http::RequestForwarding const& forwarding) {
  std::string out;
  http::append_request_head(out, head, forwarding);
  Read const sent(std::move(out));
  require(sent.is_head, "what is sent is a head");
  require(sent.head.method_text == head.method_text, "the same method");
  require(sent.head.framing == head.framing, "the same framing");
  require(sent.head.version == http::Version::http_1_1 && sent.head.keep_alive, "over a connection of ours");
  require(sent.head.fields.count(FieldId::host) == 1, "one Host");
  auto const target = std::string(forwarding.target);
  require(sent.head.target == (target.starts_with('?') ? "/" + target : target), "the same target");
  require(sent.head.path() == head.path(), "the same path");
  auto const* const host = sent.head.fields.find(FieldId::host);
  require(host->value == forwarding.host.value_or(head.host), "the host that was asked for");
  auto const* const attempt = sent.head.fields.find(FieldId::candor_attempt);
  require(attempt != nullptr && sent.head.fields.count(FieldId::candor_attempt) == 1 &&
              number(attempt->value) == forwarding.attempt,
          "which attempt it is");
  require(sent.head.fields.count(FieldId::candor_retry_reason) == (forwarding.retry_reason.empty() ? 0U : 1U),
          "and why");
  for (auto const gone :
       {FieldId::keep_alive, FieldId::proxy_authorization, FieldId::proxy_connection, FieldId::upgrade}) {
    require(sent.head.fields.count(gone) == 0, "what ends here has ended");
  }
  if (forwarding.via.empty()) check_passed(head, sent.head);
}

/// Who asks for a protocol is asked for it alone, and for nothing else by Connection.
void check_upgrade(http::RequestHead const& head, http::RequestForwarding const& forwarding) {
  std::string out;
  http::append_request_head(out, head, forwarding);
  Read const sent(std::move(out));
  require(sent.is_head, "what is sent is a head");
  require(sent.head.framing.kind == http::Framing::Kind::none || sent.head.framing.length == 0, "no body");
  require(sent.head.fields.count(FieldId::upgrade) == 1 && sent.head.fields.count(FieldId::connection) == 1,
          "one protocol is asked for");
  require(sent.head.fields.find(FieldId::upgrade)->value == forwarding.upgrade, "the one that was meant");
}

}  // namespace

void check(std::string_view input) {
  http::RequestHead head;
  http::HeadScan scan;
  if (!std::holds_alternative<http::Complete>(http::parse_request_head(input, scan, {}, head))) return;
  auto const target = head.origin_target();
  check_sent(head, {.target = target});
  check_sent(head, {.target = target,
                    .host = "payments:8080",
                    .attempt = 3,
                    .retry_reason = "reset",
                    .via = "candor-fuzz"});
  std::vector<std::string> const upgrades{"websocket"};
  if (auto const upgrade = http::upgrade_of(head, upgrades); !upgrade.empty()) {
    check_upgrade(head, {.target = target, .upgrade = upgrade});
  }
}

}  // namespace candor::fuzz
