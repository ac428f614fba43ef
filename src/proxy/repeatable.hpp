// Whether a request may be sent twice although bytes of it have left us, as far as its meaning goes. Pure.
#pragma once

#include <algorithm>

#include "candor/http/head.hpp"
#include "candor/resilience/retry.hpp"

namespace candor {

/// A key that Connection names ends here (RFC 9110, 7.6.1): the upstream could not know the request by it.
[[nodiscard]] inline bool has_idempotency_key(RetrySettings const& settings, http::RequestHead const& head) {
  auto const& fields = head.fields;
  return std::any_of(
      settings.idempotency_keys.begin(), settings.idempotency_keys.end(), [&fields](std::string const& key) {
        return fields.find(key) != nullptr && !fields.has_token(http::FieldId::connection, key);
      });
}

[[nodiscard]] inline bool may_be_repeated(RetrySettings const& settings, http::RequestHead const& head) {
  AttemptHistory history;
  history.idempotent = is_idempotent(head.method);
  history.keyed = !history.idempotent && has_idempotency_key(settings, head);
  return may_repeat(settings.replay, history);
}

}  // namespace candor
