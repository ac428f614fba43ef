// What makes checks: connections of Candor's own accord, beside those of attempts. One worker's.
#pragma once

#include <optional>

#include "candor/core/cancellation.hpp"
#include "candor/core/ids.hpp"
#include "candor/core/task.hpp"
#include "candor/proxy/settings.hpp"

namespace candor {

class Dialler {
 public:
  virtual ~Dialler() = default;
  /// Whether the endpoint takes a connection, which is closed again; nothing: we could not try, or the scope
  /// was cancelled.
  virtual Task<std::optional<bool>> dial(EndpointId endpoint, CancelScope& scope) = 0;
  /// Whether the endpoint passes the check, within its timeout; nothing: as above.
  virtual Task<std::optional<bool>> check(EndpointId endpoint, CheckSettings const& settings,
                                          CancelScope& scope) = 0;
};

}  // namespace candor
