// Whether a request may be sent twice although bytes of it have left us, as far as its meaning goes. Pure.
#pragma once

#include <algorithm>

#include "candor/http/head.hpp"
#include "candor/resilience/retry.hpp"

namespace candor {

[[nodiscard]] inline bool has_idempotency_key(RetrySettings const& settings, http::RequestHead const& head) {
  return std::any_of(settings.idempotency_keys.begin(), settings.idempotency_keys.end(),
                     [&head](std::string const& key) { return head.fields.find(key) != nullptr; });
}

[[nodiscard]] inline bool may_be_repeated(RetrySettings const& settings, http::RequestHead const& head) {
  AttemptHistory history;
  history.idempotent = is_idempotent(head.method);
  history.keyed = has_idempotency_key(settings, head);
  return may_repeat(settings.replay, history);
}

}  // namespace candor
