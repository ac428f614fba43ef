// How long a request has waited for bytes of its caller's body: time that no attempt answers for. One
// worker's.
#pragma once

#include <optional>

#include "candor/core/time.hpp"

namespace candor {

class CallerWait {
 public:
  void begin(Instant now) { since_ = now; }
  void end(Instant now) {
    if (since_) ended_ += now - *since_;
    since_.reset();
  }

  [[nodiscard]] bool waiting() const { return since_.has_value(); }
  /// In all, up to now.
  [[nodiscard]] Duration total(Instant now) const { return ended_ + (since_ ? now - *since_ : Duration{}); }

 private:
  Duration ended_{};
  std::optional<Instant> since_{};
};

}  // namespace candor
