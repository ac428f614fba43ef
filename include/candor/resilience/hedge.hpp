// When a hedge goes out: one more attempt of a request whose first one takes long (Dean and Barroso, "The
// Tail at Scale", CACM 56(2), 2013). Values; the time is handed in. One worker's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "candor/core/time.hpp"
#include "candor/resilience/settings.hpp"

namespace candor {

/// What became of a hedge.
enum class HedgeResult : std::uint8_t {
  won,     ///< its answer was given
  lost,    ///< the attempt beside it answered, or both failed, or the caller left
  denied,  ///< it was due and not sent: no budget, or the circuit was not closed
};
inline constexpr std::size_t hedge_results = 3;

[[nodiscard]] std::string_view name(HedgeResult result);

/// How long attempts took lately, in buckets whose width grows with what they hold: a sixteenth of it at the
/// most, as in HdrHistogram. Two halves take turns, so that what is old is forgotten after one to two spans.
class LatencyHistogram {
 public:
  explicit LatencyHistogram(Duration span = 30s) : span_(span) {}

  /// Time never goes back.
  void add(Duration took, Instant now);
  /// At least this share of the attempts took no longer. Nothing as long as too few are known. It is asked
  /// for with each attempt: so it is looked for anew only once `stays_for` of what was known has come since.
  [[nodiscard]] std::optional<Duration> quantile(double share, Instant now);

  /// Before so many, chance says more than the upstream does.
  static constexpr std::uint64_t enough = 100;
  static constexpr double stays_for = 0.01;

 private:
  static constexpr std::size_t buckets = 464;  // up to more than an hour
  using Half = std::array<std::uint32_t, buckets>;

  static std::size_t bucket_of(Duration took);
  static Duration upper_bound(std::size_t bucket);
  void forget(Instant now);
  [[nodiscard]] Duration look_for(std::uint64_t rank) const;

  /// A quantile that was looked for, and among how many.
  struct Found {
    double share;
    std::uint64_t known;
    Duration quantile;
  };

  Duration span_;
  Instant turned_{};  // when the newer half began
  Half newer_{};
  Half older_{};
  std::uint64_t in_newer_ = 0;
  std::uint64_t in_older_ = 0;
  std::optional<Found> found_{};  // since the halves have turned
};

/// How long to wait for an attempt before a hedge goes out; `usual`: the quantile, where it is known.
/// Nothing: none does.
[[nodiscard]] std::optional<Duration> hedge_after(HedgeSettings const& settings,
                                                  std::optional<Duration> usual);

}  // namespace candor
