// How many attempts may be in flight at the same time. Values; the time is handed in. What they count is not
// kept here: the ledger knows it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "candor/core/outcome.hpp"
#include "candor/core/time.hpp"
#include "candor/resilience/settings.hpp"

namespace candor {

/// A limit that follows a gradient: where attempts take longer than usual, more of them are in flight than
/// the upstream can work on, and the rest only waits there.
///
/// As in Gradient2Limit of Netflix' concurrency-limits (github.com/Netflix/concurrency-limits) and in the
/// gradient controller of Envoy's adaptive concurrency filter, once a window
///
///   target = limit * tolerance * usual / latency + sqrt(limit),
///
/// the root being room for bursts, and the limit goes a quarter of the way there. It grows only as far as it
/// was used: to twice the most that was in flight. A timeout counts with all the time that it took; and where
/// a twentieth of a window's attempts say "too much" (timeout, overload), their share is taken off the limit
/// instead. What other failures took says how they failed.
///
/// The two differ in what is usual, and each has a weak side there. A long-term average (Netflix) takes in
/// the overload: in the end it is usual. A minimum is the lowest of many noisy readings. Measuring at set
/// times with next to nothing in flight (Envoy) refuses attempts of an upstream that is well. Here it is an
/// average of the windows in which the limit did not press: less than half of it was used. An upstream that
/// is well gets there, as the limit grows. Only where latency has been intolerable for `remeasure`, or has
/// cost half the limit, the limit is lowered for a moment to half of what the upstream can work on by
/// Little's law, and what attempts take then is usual from then on (as BBR drains its path to see its length:
/// Cardwell et al., "BBR: Congestion-Based Congestion Control", ACM Queue 14(5), 2016). Either a queue has
/// drained, or attempts have become slower for good.
class GradientLimit {
 public:
  /// `most`: never more.
  GradientLimit(AdaptiveLimitSettings const& settings, std::size_t most);

  /// How many may be in flight now.
  [[nodiscard]] std::size_t value() const;
  /// What attempts usually take, to the head, where the limit does not press; absent: not known yet.
  [[nodiscard]] std::optional<Duration> usual() const;

  /// Asked before each attempt, as nothing else may happen while all hang.
  void pass(Instant now);
  /// An attempt has begun, and so many are in flight with it.
  void admitted(std::size_t in_flight, Instant now);
  /// One settled with a verdict, and so many are left. `latency`: to its head, or to what took its place.
  void settled(Outcome outcome, Instant started, Duration latency, std::size_t in_flight, Instant now);

  static constexpr Duration shortest_window = 100ms;  ///< longer, if attempts take longer
  static constexpr unsigned window_attempts = 20;     ///< at least
  static constexpr Duration remeasure = 30s;
  /// Below it, it is the machines' own scheduling that varies.
  static constexpr Duration shortest_latency = 5ms;

 private:
  /// What a stretch of time showed.
  struct Window {
    Instant began{};
    unsigned verdicts = 0;
    unsigned too_much = 0;  // of these: timeouts and overload
    unsigned timed = 0;     // of these: successes and timeouts
    double took = 0;        // seconds, all of the timed ones
    std::size_t peak = 0;   // in flight
  };
  /// A moment in which the limit is lowered.
  struct Lull {
    std::size_t limit;
    Instant until;                        // at the latest
    unsigned to_look_at;                  // attempts
    std::optional<Instant> calm_since{};  // no more were in flight than that
    unsigned looked_at = 0;               // begun since
    Instant last_looked_at{};
    unsigned ended = 0;  // of these
    unsigned timed = 0;  // of these: successes
    double took = 0;     // seconds, all of the timed ones
  };

  void begin_window(std::size_t in_flight, Instant now);
  void close_window(std::size_t in_flight, Instant now);
  void move(double gradient, double too_much, bool pressed);
  void begin_lull(double latency, std::size_t in_flight, Instant now);
  void look(Outcome outcome, Instant started, double took, std::size_t in_flight, Instant now);
  void end_lull(std::size_t in_flight, Instant now);
  void know(double latency);

  double least_;
  double most_;
  double tolerance_;
  double limit_;
  bool starting_ = true;  // nothing has spoken against growing yet
  Window window_{};
  std::optional<double> usual_{};       // seconds; absent: not known
  std::optional<Duration> slow_for_{};  // so long it was slow since that was known; absent: it is a guess
  double limit_when_known_;             // at that time
  std::optional<Lull> lull_{};
};

/// The limit of one upstream: fixed, or adaptive below that.
class AttemptLimit {
 public:
  explicit AttemptLimit(AttemptLimitSettings const& settings);

  /// How many may be in flight now.
  [[nodiscard]] std::size_t value() const { return gradient_ ? gradient_->value() : attempts_; }
  [[nodiscard]] std::optional<Duration> usual() const {
    return gradient_ ? gradient_->usual() : std::nullopt;
  }
  /// Whether one more may be begun beside so many.
  [[nodiscard]] bool has_room(std::uint64_t in_flight) const { return in_flight < value(); }

  // As of a gradient; nothing where the limit is fixed.
  void pass(Instant now) {
    if (gradient_) gradient_->pass(now);
  }
  void admitted(std::size_t in_flight, Instant now) {
    if (gradient_) gradient_->admitted(in_flight, now);
  }
  void settled(Outcome outcome, Instant started, Duration latency, std::size_t in_flight, Instant now) {
    if (gradient_) gradient_->settled(outcome, started, latency, in_flight, now);
  }

 private:
  std::size_t attempts_;
  std::optional<GradientLimit> gradient_;
};

}  // namespace candor
