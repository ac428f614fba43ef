#include "guard.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>

#include "grammar.hpp"
#include "hop_by_hop.hpp"
#include "list.hpp"
#include "start_line.hpp"

namespace candor::http::guard {

namespace {

/// What the fields that framing depends on say, over all their lines.
struct FramingFields {
  std::optional<std::uint64_t> length;
  bool has_codings = false;
  bool chunked = false;
  bool other_coding = false;
  Verdict bad_codings;  // matters only to a message that can have a body
  std::size_t hosts = 0;
  std::string_view host;
  std::size_t options = 0;
  bool close = false;
  bool keep_alive = false;
};

std::optional<std::uint64_t> parse_length(std::string_view text) {
  std::uint64_t length = 0;
  char const* const end = text.data() + text.size();
  auto const [stop, error] = std::from_chars(text.data(), end, length);
  // Beyond a signed number others might read it as negative.
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (error != std::errc{} || stop != end || length > most) return std::nullopt;
  return length;
}

Verdict read_length(FramingFields& fields, std::string_view value) {
  auto const length = parse_length(value);
  if (!length) return Malformed{400, "a Content-Length that is not a number"};
  if (fields.length && fields.length != length)
    return Malformed{400, "two Content-Length fields that differ"};
  fields.length = length;
  return std::nullopt;
}

/// RFC 9112, 6.1 and 7: chunked comes last, once, bare. Empty members are refused though lists may have them:
/// parsers differ about them, and no sender needs them.
Verdict read_codings(FramingFields& fields, std::string_view value) {
  fields.has_codings = true;
  ListMembers members(value);
  while (auto const member = members.next()) {
    if (fields.chunked) return Malformed{400, "a transfer coding after chunked"};
    if (equal_ignoring_case(*member, "chunked")) {
      fields.chunked = true;
      continue;
    }
    std::string_view const coding = without_parameters(*member);
    if (!grammar::is_token(coding))
      return Malformed{400, "a Transfer-Encoding that is not a list of codings"};
    if (equal_ignoring_case(coding, "chunked")) return Malformed{400, "chunked with parameters"};
    fields.other_coding = true;
  }
  return std::nullopt;
}

Verdict read_options(FramingFields& fields, std::string_view value) {
  ListMembers members(value);
  while (auto const option = members.next()) {
    if (option->empty()) continue;
    if (!grammar::is_token(*option)) return Malformed{400, "a Connection option that is not a token"};
    if (++fields.options > connection_options_limit) return Malformed{400, "too many Connection options"};
    if (equal_ignoring_case(*option, "close")) fields.close = true;
    if (equal_ignoring_case(*option, "keep-alive")) fields.keep_alive = true;
  }
  return std::nullopt;
}

Verdict read(FramingFields& out, Fields const& fields) {
  for (Field const& field : fields) {
    Verdict refused;
    if (field.id == FieldId::other) continue;
    if (field.id == FieldId::content_length) {
      refused = read_length(out, field.value);
    } else if (field.id == FieldId::transfer_encoding) {
      Verdict const bad = read_codings(out, field.value);
      if (!out.bad_codings) out.bad_codings = bad;
    } else if (field.id == FieldId::connection) {
      refused = read_options(out, field.value);
    } else if (field.id == FieldId::host) {
      ++out.hosts;
      out.host = field.value;
    }
    if (refused) return refused;
  }
  return std::nullopt;
}

/// Of a message that can have a body: chunked or not, or refused.
Verdict check_codings(FramingFields const& fields, Version version) {
  if (!fields.has_codings) return std::nullopt;
  // RFC 9112, 6.1: such a message is faulty, whoever put the field there.
  if (version == Version::http_1_0) return Malformed{400, "Transfer-Encoding in HTTP/1.0"};
  if (fields.length) return Malformed{400, "both Content-Length and Transfer-Encoding"};
  if (fields.bad_codings) return fields.bad_codings;
  if (fields.other_coding) return Malformed{501, "a transfer coding other than chunked"};
  return std::nullopt;
}

Framing framing_of(FramingFields const& fields, Framing::Kind otherwise) {
  if (fields.chunked) return {Framing::Kind::chunked, 0};
  if (fields.length) return {Framing::Kind::length, *fields.length};
  return {otherwise, 0};
}

/// RFC 9112, 9.3.
bool keeps_alive(FramingFields const& fields, Version version) {
  if (fields.close) return false;
  return version == Version::http_1_1 || fields.keep_alive;
}

Verdict check_host(FramingFields const& fields, Version version) {
  if (fields.hosts > 1) return Malformed{400, "several Host fields"};
  if (fields.hosts == 0 && version == Version::http_1_1) return Malformed{400, "no Host field"};
  if (!fields.host.empty() && !is_authority(fields.host)) return Malformed{400, "an invalid Host"};
  return std::nullopt;
}

/// RFC 9110, 7.6.2: of the methods that it is for, it must be read and lowered, and so be one number.
Verdict check_max_forwards(RequestHead const& head) {
  if (head.method != Method::options && head.method != Method::trace) return std::nullopt;
  std::size_t lines = 0;
  for (Field const& field : head.fields) {
    if (field.id != FieldId::other || !equal_ignoring_case(field.name, "max-forwards")) continue;
    auto const& value = field.value;
    bool const is_number = !value.empty() && std::all_of(value.begin(), value.end(), grammar::is_digit);
    if (!is_number || ++lines > 1) return Malformed{400, "a Max-Forwards that is not one number"};
  }
  return std::nullopt;
}

/// RFC 9112, 6.3, rules 1 and 2.
bool never_has_body(std::uint16_t status, Method request_method) {
  if (request_method == Method::head || status < 200 || status == 204 || status == 304) return true;
  return request_method == Method::connect && status < 300;
}

}  // namespace

Verdict field_line(std::string_view line) {
  if (grammar::is_white(line.front())) return Malformed{400, "white space at the start of a field line"};
  std::size_t const name = grammar::token_length(line);
  if (name == line.size()) return Malformed{400, "a field line without a colon"};
  if (line[name] != ':') {
    bool const white = grammar::is_white(line[name]);
    return Malformed{400, white ? "white space before a field's colon" : "a field name that is not a token"};
  }
  if (name == 0) return Malformed{400, "a field without a name"};
  if (grammar::has_control(line.substr(name + 1))) return Malformed{400, "a control byte in a field"};
  return std::nullopt;
}

Verdict request(RequestHead& head) {
  FramingFields fields;
  if (auto refused = read(fields, head.fields)) return refused;
  if (auto refused = check_host(fields, head.version)) return refused;
  if (auto refused = check_codings(fields, head.version)) return refused;
  if (auto refused = check_max_forwards(head)) return refused;
  head.framing = framing_of(fields, Framing::Kind::none);
  if (head.method == Method::connect) {
    // What follows belongs to the tunnel; a body before it would be read as such by some.
    if (fields.chunked || fields.length.value_or(0) > 0) return Malformed{400, "a CONNECT with a body"};
    head.framing = {};
  }
  std::string_view const authority = authority_of(head.target);
  head.host = authority.empty() ? fields.host : authority;
  head.keep_alive = keeps_alive(fields, head.version);
  return std::nullopt;
}

Verdict response(ResponseHead& head, Method request_method) {
  FramingFields fields;
  if (auto refused = read(fields, head.fields)) return refused;
  head.framing = {};
  head.speaks_of_body = false;
  if (never_has_body(head.status, request_method)) {
    head.speaks_of_body = fields.has_codings || fields.length.value_or(0) > 0;
  } else {
    if (auto refused = check_codings(fields, head.version)) return refused;
    head.framing = framing_of(fields, Framing::Kind::until_close);
  }
  // A 204 never speaks of a body (RFC 9110, 8.6; RFC 9112, 6.1): who knows what such a sender does next.
  bool const contradicts_itself = head.status == 204 && head.speaks_of_body;
  head.keep_alive = keeps_alive(fields, head.version) && !contradicts_itself &&
                    head.framing.kind != Framing::Kind::until_close;
  return std::nullopt;
}

}  // namespace candor::http::guard
