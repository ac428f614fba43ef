// How long an endpoint takes for a good answer, as balancing wants to know it. A value; the time is handed
// in.
#pragma once

#include "candor/core/time.hpp"

namespace candor {

/// Jumps up to a peak at once, and forgets it exponentially, as Finagle's and linkerd's balancers do: who
/// turns slow is avoided from the first slow answer on, and has to earn its way back.
///
/// A failure must not look like a quick answer, nor does one failure among many make an endpoint slow. So a
/// failed attempt never lowers the latency, and what is estimated is the time until a good answer: latency
/// + share of failures * `failure_costs`. The share is that of the recent attempts, whose weight is forgotten
/// like a peak; one success stands in for what came before (Laplace's rule, one-sided), which keeps a first
/// failure from being the whole story. An endpoint that only fails ends up a second slow, however quickly it
/// does so; and a failure that took longer than the latency, such as a timeout, is a peak as any other.
///
/// An attempt that was given up, as one that lost to its hedge, shows at least how long it had taken: only as
/// a peak. Were that not seen, an endpoint that hangs would look as good as it was before, as long as hedges
/// hide it.
///
/// Left alone the estimate sinks, so that sooner or later the endpoint is tried again; when next to nothing
/// is left of it, it is unknown rather than excellent.
class PeakEwma {
 public:
  void succeeded(Duration latency, Instant now);
  void failed(Duration latency, Instant now);
  /// Nobody waited for it any longer: a good answer would have taken at least so long.
  void unfinished(Duration so_far, Instant now);

  /// Seconds; 0: unknown, nothing was seen for long.
  [[nodiscard]] double estimate(Instant now) const;

  static constexpr Duration decay = 10s;       ///< in which 1/e is left
  static constexpr Duration forgotten = 1min;  ///< after that long without an attempt
  static constexpr double failure_costs = 1;   ///< seconds

 private:
  /// What is left now of what was known at `at_`.
  [[nodiscard]] double left(Instant now) const;
  void observe(Instant now, double left, bool is_failure);

  double latency_ = 0;   // seconds
  double attempts_ = 0;  // decayed; 0: none yet
  double failures_ = 0;  // decayed
  Instant at_{};
};

}  // namespace candor
