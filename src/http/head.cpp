#include "candor/http/head.hpp"

#include <algorithm>

#include "grammar.hpp"
#include "list.hpp"

namespace candor::http {

namespace {

/// `known` is in lower case and as long as `name`.
template <std::size_t size>
bool is(std::string_view name, char const (&known)[size]) {
  for (std::size_t i = 0; i + 1 < size; ++i) {
    if (grammar::lower(name[i]) != known[i]) return false;
  }
  return true;
}

/// Where the authority of an absolute-form target begins; 0 if it is of another form.
std::size_t authority_start(std::string_view target) {
  if (target.empty() || target.front() == '/') return 0;
  std::size_t const scheme = target.find("://");
  return scheme == std::string_view::npos ? 0 : scheme + 3;
}

}  // namespace

bool detail::equal_letters(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(),
                    [](char x, char y) { return grammar::lower(x) == grammar::lower(y); });
}

// Most fields of a message are none of ours: the length alone, or the length and one letter, tells.
FieldId field_id(std::string_view name) {
  switch (name.size()) {
    case 2: return is(name, "te") ? FieldId::te : FieldId::other;
    case 3:
      if (is(name, "via")) return FieldId::via;
      return is(name, "age") ? FieldId::age : FieldId::other;
    case 4:
      if (is(name, "host")) return FieldId::host;
      return is(name, "date") ? FieldId::date : FieldId::other;
    case 6:
      if (is(name, "accept")) return FieldId::accept;
      if (is(name, "cookie")) return FieldId::cookie;
      return is(name, "expect") ? FieldId::expect : FieldId::other;
    case 7:
      if (is(name, "upgrade")) return FieldId::upgrade;
      return is(name, "trailer") ? FieldId::trailer : FieldId::other;
    case 10:
      if (is(name, "connection")) return FieldId::connection;
      if (is(name, "set-cookie")) return FieldId::set_cookie;
      return is(name, "keep-alive") ? FieldId::keep_alive : FieldId::other;
    case 11: return is(name, "retry-after") ? FieldId::retry_after : FieldId::other;
    case 12:
      if (is(name, "content-type")) return FieldId::content_type;
      if (is(name, "proxy-status")) return FieldId::proxy_status;
      return is(name, "candor-retry") ? FieldId::candor_retry : FieldId::other;
    case 13:
      if (is(name, "cache-control")) return FieldId::cache_control;
      return is(name, "authorization") ? FieldId::authorization : FieldId::other;
    case 14:
      if (is(name, "content-length")) return FieldId::content_length;
      return is(name, "candor-attempt") ? FieldId::candor_attempt : FieldId::other;
    case 15: return is(name, "candor-fallback") ? FieldId::candor_fallback : FieldId::other;
    case 16: return is(name, "proxy-connection") ? FieldId::proxy_connection : FieldId::other;
    case 17: return is(name, "transfer-encoding") ? FieldId::transfer_encoding : FieldId::other;
    case 18: return is(name, "proxy-authenticate") ? FieldId::proxy_authenticate : FieldId::other;
    case 19:
      if (is(name, "proxy-authorization")) return FieldId::proxy_authorization;
      return is(name, "candor-retry-reason") ? FieldId::candor_retry_reason : FieldId::other;
    default: return FieldId::other;
  }
}

Field const* Fields::first(FieldId id) const {
  auto const found = std::find_if(begin(), end(), [id](Field const& f) { return f.id == id; });
  return found == end() ? nullptr : &*found;
}

Field const* Fields::find(std::string_view name) const {
  for (Field const& field : fields_) {
    if (equal_ignoring_case(field.name, name)) return &field;
  }
  return nullptr;
}

std::size_t Fields::count(FieldId id) const {
  if (!has(id)) return 0;
  return static_cast<std::size_t>(std::count_if(begin(), end(), [id](Field const& f) { return f.id == id; }));
}

bool Fields::has_token(FieldId id, std::string_view token) const {
  if (!has(id)) return false;
  for (Field const& field : fields_) {
    if (field.id != id) continue;
    ListMembers members(field.value);
    while (auto const member = members.next()) {
      if (equal_ignoring_case(without_parameters(*member), token)) return true;
    }
  }
  return false;
}

Method method_of(std::string_view text) {
  // Methods, unlike fields, are case-sensitive (RFC 9110, 9.1).
  switch (text.size()) {
    case 3:
      if (text == "GET") return Method::get;
      return text == "PUT" ? Method::put : Method::other;
    case 4:
      if (text == "POST") return Method::post;
      return text == "HEAD" ? Method::head : Method::other;
    case 5:
      if (text == "PATCH") return Method::patch;
      return text == "TRACE" ? Method::trace : Method::other;
    case 6: return text == "DELETE" ? Method::del : Method::other;
    case 7:
      if (text == "OPTIONS") return Method::options;
      return text == "CONNECT" ? Method::connect : Method::other;
    default: return Method::other;
  }
}

bool is_idempotent(Method method) {
  switch (method) {
    case Method::get:
    case Method::head:
    case Method::options:
    case Method::trace:
    case Method::put:
    case Method::del: return true;
    case Method::post:
    case Method::patch:
    case Method::connect:
    case Method::other: return false;
  }
  return false;
}

bool RequestHead::is_https() const {
  constexpr std::string_view scheme = "https://";
  return equal_ignoring_case(target.substr(0, scheme.size()), scheme);
}

std::string_view RequestHead::origin_target() const {
  std::size_t const start = authority_start(target);
  if (start == 0) return target;
  std::size_t const path_start = target.find_first_of("/?", start);
  if (path_start != std::string_view::npos) return target.substr(path_start);
  // Of the whole server, not of its root (RFC 9112, 3.2.4).
  return method == Method::options ? std::string_view("*") : std::string_view("/");
}

std::string_view RequestHead::path() const {
  std::string_view const whole = origin_target();
  std::string_view const path = whole.substr(0, whole.find('?'));
  return path.empty() ? std::string_view("/") : path;
}

}  // namespace candor::http
