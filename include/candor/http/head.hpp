// A message head as it stands on the wire: flat views into the connection's buffer, nothing copied.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace candor::http {

namespace detail {
/// Of the same length.
[[nodiscard]] bool equal_letters(std::string_view a, std::string_view b);
}  // namespace detail

/// Field names compare without case (RFC 9110, 5.1). Most that differ do so in length.
[[nodiscard]] inline bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && detail::equal_letters(a, b);
}

/// The fields that Candor itself looks at; all others are `other` and pass byte for byte.
enum class FieldId : std::uint8_t {
  other,
  age,
  authorization,
  cache_control,
  connection,
  content_length,
  content_type,
  cookie,
  date,
  expect,
  host,
  keep_alive,
  proxy_authenticate,
  proxy_authorization,
  proxy_connection,
  proxy_status,
  retry_after,
  set_cookie,
  te,
  trailer,
  transfer_encoding,
  upgrade,
  accept,
  via,
  candor_retry,
  candor_attempt,
  candor_retry_reason,
  candor_fallback,
};

/// Recognises a name, in any case.
[[nodiscard]] FieldId field_id(std::string_view name);

/// One field line. `line` is the whole line with its CRLF; `value` is without surrounding white space.
struct Field {
  std::string_view name;
  std::string_view value;
  std::string_view line;
  FieldId id = FieldId::other;
};

/// The field lines of a head in the order they came. Reused from message to message without allocating,
/// unless there are very many.
class Fields {
 public:
  void clear() {
    if (fields_.capacity() > kept) std::vector<Field>{}.swap(fields_);
    fields_.clear();
    present_ = 0;
  }
  void add(Field field) {
    fields_.push_back(field);
    present_ |= bit(field.id);
  }

  [[nodiscard]] std::size_t size() const { return fields_.size(); }
  [[nodiscard]] auto begin() const { return fields_.begin(); }
  [[nodiscard]] auto end() const { return fields_.end(); }

  [[nodiscard]] bool has(FieldId id) const { return (present_ & bit(id)) != 0; }
  /// The first field of that name.
  [[nodiscard]] Field const* find(FieldId id) const { return has(id) ? first(id) : nullptr; }
  [[nodiscard]] Field const* find(std::string_view name) const;
  [[nodiscard]] std::size_t count(FieldId id) const;

  /// Whether a comma-separated list field has this member, over all its lines, without case and parameters
  /// (RFC 9110, 5.6.1).
  [[nodiscard]] bool has_token(FieldId id, std::string_view token) const;

 private:
  static constexpr std::size_t kept = 128;  // fields that there is room for afterwards

  static constexpr std::uint32_t bit(FieldId id) { return std::uint32_t{1} << static_cast<unsigned>(id); }
  [[nodiscard]] Field const* first(FieldId id) const;

  std::vector<Field> fields_;
  std::uint32_t present_ = 0;  // a bit for each id that there is: most are asked for in vain
};

enum class Version : std::uint8_t { http_1_0, http_1_1 };

enum class Method : std::uint8_t { get, head, post, put, del, options, trace, patch, connect, other };

[[nodiscard]] Method method_of(std::string_view text);
/// GET HEAD OPTIONS TRACE PUT DELETE (RFC 9110, 9.2.2).
[[nodiscard]] bool is_idempotent(Method method);

/// How long a body is (RFC 9112, 6.3); decided by the framing guard alone.
struct Framing {
  enum class Kind : std::uint8_t { none, length, chunked, until_close };

  Kind kind = Kind::none;
  std::uint64_t length = 0;  ///< of Kind::length, in bytes; 0 is possible: announced, and empty

  bool operator==(Framing const&) const = default;
};

/// A request's head. The views point into the buffer it was parsed from, which must stay in place.
struct RequestHead {
  std::string_view method_text;
  std::string_view target;  ///< as sent: origin-form, absolute-form, authority-form or *
  /// Whom it is for: the authority of an absolute-form or authority-form target, which outranks the Host
  /// field (RFC 9112, 3.2.2), else the Host field's value; empty where neither says.
  std::string_view host;
  Fields fields;
  Framing framing;
  Method method = Method::other;
  Version version = Version::http_1_1;
  bool keep_alive = true;  ///< whether the sender wants the connection kept (RFC 9112, 9.3)

  /// The target's path, without query, for the access log and routes.
  [[nodiscard]] std::string_view path() const;
  /// Asked for by an absolute-form target with the scheme https.
  [[nodiscard]] bool is_https() const;
  /// The target without scheme and authority. An absolute-form without a path gives its query alone, "?a=b":
  /// append_request_head() puts the missing slash before it.
  [[nodiscard]] std::string_view origin_target() const;
};

/// A response's head; the same holds.
struct ResponseHead {
  std::string_view reason;
  Fields fields;
  Framing framing;
  std::uint16_t status = 0;  ///< 100-999
  Version version = Version::http_1_1;
  bool keep_alive = true;
  /// Its fields speak of a body that it has not: rightly in an answer to HEAD or a 304, where they are those
  /// of another answer (RFC 9112, 6.3). A sender that gets this wrong sends the body after all.
  bool speaks_of_body = false;
};

}  // namespace candor::http
