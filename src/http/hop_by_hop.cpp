#include "hop_by_hop.hpp"

#include "list.hpp"

namespace candor::http {

bool is_hop_by_hop(FieldId id) {
  switch (id) {
    case FieldId::connection:
    case FieldId::keep_alive:
    case FieldId::proxy_authenticate:
    case FieldId::proxy_authorization:
    case FieldId::proxy_connection:
    case FieldId::te:
    case FieldId::transfer_encoding:
    case FieldId::upgrade: return true;
    case FieldId::other:
    case FieldId::age:
    case FieldId::authorization:
    case FieldId::cache_control:
    case FieldId::content_length:
    case FieldId::content_type:
    case FieldId::cookie:
    case FieldId::date:
    case FieldId::expect:
    case FieldId::host:
    case FieldId::proxy_status:
    case FieldId::retry_after:
    case FieldId::set_cookie:
    case FieldId::trailer:
    case FieldId::accept:
    case FieldId::via:
    case FieldId::candor_retry:
    case FieldId::candor_fallback:
    case FieldId::candor_attempt:
    case FieldId::candor_retry_reason: return false;
  }
  return false;
}

bool is_framing_or_routing(FieldId id) {
  return id == FieldId::content_length || id == FieldId::transfer_encoding || id == FieldId::host;
}

ConnectionNames::ConnectionNames(Fields const& fields) {
  for (Field const& field : fields) {
    if (field.id != FieldId::connection) continue;
    ListMembers options(field.value);
    while (auto const option = options.next()) {
      FieldId const id = field_id(*option);
      if (is_hop_by_hop(id) || is_framing_or_routing(id) || size_ == names_.size()) continue;
      if (option->empty() || equal_ignoring_case(*option, "close")) continue;
      names_[size_++] = *option;
    }
  }
}

bool ConnectionNames::contains(std::string_view name) const {
  for (std::size_t i = 0; i < size_; ++i) {
    if (equal_ignoring_case(names_[i], name)) return true;
  }
  return false;
}

}  // namespace candor::http
