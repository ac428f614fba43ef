#include "candor/http/forward.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "accept.hpp"
#include "candor/http/chunked.hpp"
#include "hop_by_hop.hpp"
#include "list.hpp"

namespace candor::http {

namespace {

/// Lines that stand next to each other in the sender's head are copied in one go.
class KeptLines {
 public:
  explicit KeptLines(std::string& out) : out_(out) {}

  void keep(std::string_view line) {
    if (!run_.empty() && run_.data() + run_.size() == line.data()) {
      run_ = {run_.data(), run_.size() + line.size()};
      return;
    }
    flush();
    run_ = line;
  }

  void flush() {
    out_.append(run_);
    run_ = {};
  }

 private:
  std::string& out_;
  std::string_view run_;
};

void append_number(std::string& out, std::uint64_t number) {
  std::array<char, 20> digits{};
  auto const end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

void append_line(std::string& out, std::string_view name_and_colon, std::string_view value) {
  out.append(name_and_colon).append(value).append("\r\n");
}

constexpr std::string_view max_forwards_name = "max-forwards";

/// The line as it came, unless its number has leading zeros, which some read as octal.
void keep_length(std::string& out, KeptLines& lines, Field const& field) {
  if (field.value.size() < 2 || field.value.front() != '0') return lines.keep(field.line);
  lines.flush();
  std::size_t const digits = field.value.find_first_not_of('0');
  append_line(out, "Content-Length: ", digits == std::string_view::npos ? "0" : field.value.substr(digits));
}

void append_via(std::string& out, Version received, std::string_view pseudonym) {
  if (pseudonym.empty()) return;
  append_line(out, received == Version::http_1_0 ? "Via: 1.0 " : "Via: 1.1 ", pseudonym);
}

void append_upgrade(std::string& out, std::string_view protocol) {
  out.append("Connection: upgrade\r\n");
  append_line(out, "Upgrade: ", protocol);
}

/// What of a request never passes, whoever names it.
bool ends_here(FieldId id) {
  // What says which attempt this is, we say.
  return is_hop_by_hop(id) || id == FieldId::candor_attempt || id == FieldId::candor_retry_reason;
}

/// 100-continue is asked anew, as long as its caller still waits. Other expectations are for the upstream to
/// understand, or to refuse (RFC 9110, 10.1.1).
void keep_expectations(std::string& out, KeptLines& lines, Field const& field) {
  bool is_continue = false;
  std::string others;
  ListMembers members(field.value);
  while (auto const member = members.next()) {
    if (equal_ignoring_case(without_parameters(*member), "100-continue")) {
      is_continue = true;
    } else if (!member->empty()) {
      others.append(others.empty() ? "" : ", ").append(*member);
    }
  }
  if (!is_continue) return lines.keep(field.line);
  lines.flush();
  if (!others.empty()) append_line(out, "Expect: ", others);
}

/// TE is for this hop alone (RFC 9110, 10.1.4): codings are made anew at each, so that nothing but the wish
/// for trailers is worth passing.
bool takes_trailers(RequestHead const& head) {
  if (head.version != Version::http_1_1) return false;
  return std::any_of(head.fields.begin(), head.fields.end(), [](Field const& field) {
    if (field.id != FieldId::te) return false;
    ListMembers members(field.value);
    while (auto const member = members.next()) {
      if (equal_ignoring_case(without_parameters(*member), "trailers")) return weight_of(*member) > 0;
    }
    return false;
  });
}

bool keeps_host_line(RequestHead const& head, RequestForwarding const& forwarding) {
  if (forwarding.host) return false;
  Field const* const host = head.fields.find(FieldId::host);
  return host != nullptr && host->value == head.host;
}

void append_request_fields(std::string& out, RequestHead const& head, bool keep_host,
                           std::string_view renewed) {
  ConnectionNames const named(head.fields);
  auto const limited = max_forwards(head);
  bool const is_lowered = limited.value_or(0) > 0;
  KeptLines lines(out);
  bool length_kept = false;
  for (Field const& field : head.fields) {
    if (field.id == FieldId::host) {
      if (keep_host) lines.keep(field.line);
    } else if (field.id == FieldId::content_length) {
      // Several that agree pass as one.
      if (!length_kept) keep_length(out, lines, field);
      length_kept = true;
    } else if (field.id == FieldId::expect) {
      if (!named.contains(field.name)) keep_expectations(out, lines, field);
    } else if (!renewed.empty() && equal_ignoring_case(field.name, renewed)) {
      continue;
    } else if (is_lowered && equal_ignoring_case(field.name, max_forwards_name) &&
               !named.contains(field.name)) {
      lines.flush();
      append_number(out.append("Max-Forwards: "), *limited - 1);
      out.append("\r\n");
    } else if (!ends_here(field.id) && !named.contains(field.name)) {
      lines.keep(field.line);
    }
  }
  lines.flush();
}

void append_attempt_fields(std::string& out, RequestForwarding const& forwarding) {
  out.append("candor-attempt: ");
  append_number(out, forwarding.attempt);
  out.append("\r\n");
  if (!forwarding.retry_reason.empty()) append_line(out, "candor-retry-reason: ", forwarding.retry_reason);
}

/// Responses without a Content-Length by their status (RFC 9110, 8.6).
bool has_no_length(std::uint16_t status) { return status < 200 || status == 204; }

void append_response_fields(std::string& out, ResponseHead const& head, ResponseForwarding const& forwarding,
                            bool chunked) {
  ConnectionNames const named(head.fields);
  // An answer to HEAD keeps the length that its body would have had, unless a coding contradicts it.
  bool drop_length = chunked || has_no_length(head.status) || !has_content(head.status) ||
                     head.fields.has(FieldId::transfer_encoding);
  bool dated = head.status < 200 || forwarding.date.empty();
  KeptLines lines(out);
  for (Field const& field : head.fields) {
    if (field.id == FieldId::content_length) {
      if (!drop_length) keep_length(out, lines, field);
      drop_length = true;
      continue;
    }
    bool const ours = (field.id == FieldId::candor_retry && !forwarding.candor_retry.empty()) ||
                      (field.id == FieldId::candor_fallback && !forwarding.candor_fallback.empty());
    if (ours || is_hop_by_hop(field.id) || named.contains(field.name)) continue;
    if (field.id == FieldId::date) dated = true;
    lines.keep(field.line);
  }
  lines.flush();
  if (!has_content(head.status)) append_line(out, "Content-Length: ", "0");
  if (!dated) append_line(out, "Date: ", forwarding.date);
}

void append_status_line(std::string& out, ResponseHead const& head, Version version) {
  out.append(version == Version::http_1_0 ? "HTTP/1.0 " : "HTTP/1.1 ");
  append_number(out, head.status);
  append_line(out, " ", head.reason);
}

bool names_upgrade(Fields const& fields) { return fields.has_token(FieldId::connection, "upgrade"); }

bool has_body(Framing const& framing) {
  return framing.kind != Framing::Kind::none &&
         !(framing.kind == Framing::Kind::length && framing.length == 0);
}

/// A value without its comments, which may stand within each other (RFC 9110, 5.6.5). One that never ends is
/// none.
std::string without_comments(std::string_view value) {
  std::string out;
  unsigned depth = 0;
  for (std::size_t i = 0; i < value.size(); ++i) {
    char const c = value[i];
    if (c == '(') ++depth;
    if (depth == 0) out += c;
    if (c == '\\' && depth > 0) ++i;
    if (c == ')' && depth > 0) --depth;
  }
  return depth == 0 ? out : std::string(value);
}

/// The received-by of a Via member: its second word (RFC 9110, 7.6.3).
std::string_view received_by(std::string_view member) {
  auto const space = std::min(member.find_first_of(" \t"), member.size());
  auto const rest = grammar::trim(member.substr(space));
  return rest.substr(0, rest.find_first_of(" \t"));
}

/// Of a Via line: commas separate its members, whatever quotes stand in its comments.
bool names(std::string_view value, std::string_view pseudonym) {
  auto const plain = without_comments(value);
  for (std::string_view rest = plain; !rest.empty();) {
    auto const member = rest.substr(0, rest.find(','));
    if (equal_ignoring_case(received_by(grammar::trim(member)), pseudonym)) return true;
    rest.remove_prefix(std::min(member.size() + 1, rest.size()));
  }
  return false;
}

}  // namespace

bool expects_continue(RequestHead const& head) {
  return head.version == Version::http_1_1 && head.fields.has_token(FieldId::expect, "100-continue");
}

std::string_view upgrade_of(RequestHead const& head, std::span<std::string const> allowed) {
  Field const* const upgrade = head.fields.find(FieldId::upgrade);
  if (upgrade == nullptr || head.version != Version::http_1_1 || has_body(head.framing)) return {};
  if (head.fields.count(FieldId::upgrade) != 1 || !names_upgrade(head.fields)) return {};
  bool const is_allowed = std::any_of(allowed.begin(), allowed.end(), [upgrade](std::string const& protocol) {
    return equal_ignoring_case(upgrade->value, protocol);
  });
  return is_allowed ? upgrade->value : std::string_view{};
}

bool changes_to(ResponseHead const& head, std::string_view protocol) {
  Field const* const upgrade = head.fields.find(FieldId::upgrade);
  return upgrade != nullptr && head.fields.count(FieldId::upgrade) == 1 && names_upgrade(head.fields) &&
         equal_ignoring_case(upgrade->value, protocol);
}

bool has_passed(Fields const& fields, std::string_view pseudonym) {
  return std::any_of(fields.begin(), fields.end(), [pseudonym](Field const& field) {
    return field.id == FieldId::via && names(field.value, pseudonym);
  });
}

std::optional<std::uint64_t> max_forwards(RequestHead const& head) {
  if (head.method != Method::options && head.method != Method::trace) return std::nullopt;
  Field const* const field = head.fields.find(max_forwards_name);
  if (field == nullptr) return std::nullopt;
  std::uint64_t left = 0;  // of digits alone: the guard has seen to it
  auto const [stop, error] =
      std::from_chars(field->value.data(), field->value.data() + field->value.size(), left);
  return error == std::errc{} ? left : std::numeric_limits<std::uint64_t>::max();
}

void append_request_head(std::string& out, RequestHead const& head, RequestForwarding const& forwarding) {
  bool const rootless = forwarding.target.empty() || forwarding.target.front() == '?';
  out.append(head.method_text)
      .append(rootless ? " /" : " ")
      .append(forwarding.target)
      .append(" HTTP/1.1\r\n");
  bool const keep_host = keeps_host_line(head, forwarding);
  if (!keep_host) append_line(out, "Host: ", forwarding.host ? *forwarding.host : head.host);
  append_request_fields(out, head, keep_host, forwarding.renewed_name);
  if (!forwarding.renewed_name.empty()) {
    append_line(out.append(forwarding.renewed_name), ": ", forwarding.renewed_value);
  }
  if (head.framing.kind == Framing::Kind::chunked) out.append("Transfer-Encoding: chunked\r\n");
  // Connection must name it; gRPC depends on it.
  if (forwarding.upgrade.empty() && takes_trailers(head)) out.append("TE: trailers\r\nConnection: TE\r\n");
  if (!forwarding.upgrade.empty()) append_upgrade(out, forwarding.upgrade);
  if (forwarding.expect_continue) out.append("Expect: 100-continue\r\n");
  append_via(out, head.version, forwarding.via);
  append_attempt_fields(out, forwarding);
  out.append("\r\n");
}

void append_response_head(std::string& out, ResponseHead const& head, ResponseForwarding const& forwarding) {
  bool const interim = head.status < 200;
  bool const bodyless = has_no_length(head.status) || head.status == 304;
  bool const chunked = forwarding.chunked && !bodyless && has_content(head.status) &&
                       forwarding.caller_version == Version::http_1_1;
  append_status_line(out, head, forwarding.caller_version);
  append_response_fields(out, head, forwarding, chunked);
  if (chunked) out.append("Transfer-Encoding: chunked\r\n");
  if (!forwarding.upgrade.empty()) append_upgrade(out, forwarding.upgrade);
  append_via(out, head.version, forwarding.via);
  if (interim || forwarding.tunnel) {
    // Says nothing of the connection.
  } else if (!forwarding.keep_alive) {
    out.append("Connection: close\r\n");
  } else if (forwarding.caller_version == Version::http_1_0) {
    out.append("Connection: keep-alive\r\n");
  }
  if (!forwarding.proxy_status.empty()) append_line(out, "Proxy-Status: ", forwarding.proxy_status);
  if (!forwarding.candor_retry.empty()) append_line(out, "candor-retry: ", forwarding.candor_retry);
  if (!forwarding.candor_fallback.empty()) {
    append_line(out, "candor-fallback: ", forwarding.candor_fallback);
  }
  out.append("\r\n");
}

bool has_content(std::uint16_t status) {
  constexpr std::uint16_t reset_content = 205;
  return status != reset_content;
}

void append_last_chunk(std::string& out, std::string_view trailers, Fields const& head) {
  if (trailers.empty() || !head.has(FieldId::connection)) return append_last_chunk(out, trailers);
  ConnectionNames const named(head);
  std::string kept;
  while (!trailers.empty()) {
    auto const line = trailers.substr(0, trailers.find("\r\n") + 2);
    if (!named.contains(line.substr(0, line.find(':')))) kept.append(line);
    trailers.remove_prefix(line.size());
  }
  append_last_chunk(out, kept);
}

}  // namespace candor::http
