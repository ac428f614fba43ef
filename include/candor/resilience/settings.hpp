// What the policies can be told. Plain structs; the defaults stand here and nowhere else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "candor/core/bytes.hpp"
#include "candor/core/outcome.hpp"
#include "candor/core/time.hpp"

namespace candor {

/// Statuses from `first` to `last`, both included.
struct StatusRange {
  std::uint16_t first;
  std::uint16_t last;
  bool operator==(StatusRange const&) const = default;
};

struct ClassifySettings {
  /// Statuses that make an attempt a failure.
  std::vector<StatusRange> failure_statuses{{500, 500}, {502, 599}};
};

/// The default rule: statistical evidence, see trip.hpp.
struct EvidenceSettings {
  double failure_rate = 0.5;       ///< the ratio half opens when the lower bound reaches it
  unsigned minimum_attempts = 20;  ///< of the ratio half, in the window
  double false_trip = 1e-7;        ///< the chance of a run that healthy traffic would show by itself
  bool operator==(EvidenceSettings const&) const = default;
};

/// Classic: failed attempts over settled ones, in the window.
struct FailureRateSettings {
  double ratio = 0.5;
  unsigned minimum_attempts = 20;
  bool operator==(FailureRateSettings const&) const = default;
};

/// Classic: slow attempts over settled or marked ones, in the window.
struct SlowRateSettings {
  double ratio = 0.5;
  unsigned minimum_attempts = 20;
  bool operator==(SlowRateSettings const&) const = default;
};

/// The share of answered requests that needed more than one attempt.
struct StrainRateSettings {
  double ratio = 0.5;
  unsigned minimum_requests = 20;
  bool operator==(StrainRateSettings const&) const = default;
};

/// The rules that open a circuit; any one that holds opens it. Naming a classic rule in a config turns
/// `evidence` off unless it is named too.
struct TripSettings {
  std::optional<EvidenceSettings> evidence = EvidenceSettings{};
  std::optional<unsigned> consecutive_failures{};
  std::optional<FailureRateSettings> failure_rate{};
  std::optional<SlowRateSettings> slow_rate{};
  std::optional<StrainRateSettings> strain_rate{};
  bool operator==(TripSettings const&) const = default;
};

/// How long an open circuit waits before the next probe.
struct OpenSettings {
  Duration first = 100ms;  ///< at least
  double patience = 0.1;   ///< share of the time since the circuit first opened
  Duration cap = 10s;      ///< at most
  double jitter = 0.2;     ///< each window is longer or shorter by up to this share
  bool operator==(OpenSettings const&) const = default;
};

struct ProbeSettings {
  unsigned in_flight = 1;  ///< probes at the same time
  unsigned successes = 1;  ///< in a row, to close
  bool operator==(ProbeSettings const&) const = default;
};

/// How traffic comes back after a circuit has closed.
struct RampSettings {
  double from = 0.2;             ///< share admitted at first
  double over = 0.1;             ///< share of the time the circuit was away
  Duration cap = 5s;             ///< at most
  double floor_per_second = 10;  ///< always admitted, whatever the share
  bool operator==(RampSettings const&) const = default;
};

struct BreakerSettings {
  bool enabled = true;    ///< off: the account is kept, no circuit ever opens
  Duration window = 10s;  ///< of attempts that are looked at, in ten buckets
  TripSettings trip{};
  std::optional<Duration> slow_after{};  ///< an attempt without a head by then is marked slow; absent: never
  OpenSettings open{};
  ProbeSettings probe{};
  RampSettings ramp{};
  bool operator==(BreakerSettings const&) const = default;
};

/// When an endpoint's own circuit may open: it is ejected then, and the others do its work.
struct EjectSettings {
  bool enabled = true;  ///< off: only the upstream's circuit judges
  /// Share of the endpoints that may be ejected at the same time; one of two may, and the last one never is:
  /// then the upstream's circuit decides. Of a priority group behind which another one stands, all may.
  double cap = 0.5;
  /// What becomes of an attempt when no endpoint is left that may have it.
  enum class WhenAllEjected : std::uint8_t {
    refuse,
    try_anyway,  ///< it goes to an ejected one, but to none that is held open by hand
  };
  WhenAllEjected when_all_ejected = WhenAllEjected::refuse;
};

/// When endpoints are checked, and how many results in a row mean something.
struct CheckPaceSettings {
  Duration every = 1s;                  ///< from the beginning of one to that of the next
  std::optional<Duration> every_ill{};  ///< the same after a bad one, until it is well again; absent: `every`
  Duration timeout = 1s;                ///< for the whole of a check
  double jitter = 0.1;                  ///< each wait is longer or shorter by up to this share
  unsigned healthy = 2;                 ///< good ones in a row that find an endpoint well again
  unsigned unhealthy = 3;               ///< bad ones in a row that find it ill
};

/// What the health model has to know of an endpoint beforehand.
struct EndpointShare {
  unsigned weight = 1;    ///< relative to the others of its group
  unsigned priority = 0;  ///< the group; later ones stand in for those before them
  std::uint64_t key = 0;  ///< stable_hash() of its address
  bool operator==(EndpointShare const&) const = default;
};

/// A limit that follows what attempts take, see limit.hpp.
struct AdaptiveLimitSettings {
  std::size_t least = 8;   ///< never fewer, but for moments in which the usual latency is looked for
  std::size_t first = 32;  ///< before anything is known
  double tolerance = 1.5;  ///< attempts may take so many times what is usual before the limit falls
  bool operator==(AdaptiveLimitSettings const&) const = default;
};

/// How many attempts may be in flight at the same time.
struct AttemptLimitSettings {
  std::size_t attempts = 1024;                      ///< never more
  std::optional<AdaptiveLimitSettings> adaptive{};  ///< fewer, as latency says; absent: always as many
  std::optional<std::size_t> queue{};               ///< attempts that may wait for room; absent: none does
  Duration queue_timeout = 100ms;                   ///< how long each of them may
  bool operator==(AttemptLimitSettings const&) const = default;
};

/// Refusing a part of the attempts while the upstream does not accept enough of them, see throttle.hpp.
struct ThrottleSettings {
  double per_accept = 1.5;  ///< attempts that may be made for each that is accepted
  Duration over = 10s;      ///< the time over which both are counted
  double cap = 0.9;         ///< of the attempts at most this share is refused
  bool operator==(ThrottleSettings const&) const = default;
};

struct BackoffSettings {
  enum class Jitter : std::uint8_t { full, equal, decorrelated, none };

  Duration base = 25ms;  ///< before the second attempt; doubles
  Duration cap = 250ms;
  Jitter jitter = Jitter::full;
  bool operator==(BackoffSettings const&) const = default;
};

/// How many retries an upstream may cost. In any `over`: retries <= ratio * requests + per_second * over.
struct BudgetSettings {
  double ratio = 0.2;
  double per_second = 3;
  Duration over = 10s;
  /// Stands in for `ratio` while retrying demonstrably pays, unless it is smaller; absent: never.
  std::optional<double> stretch = 0.5;
  bool operator==(BudgetSettings const&) const = default;
};

/// Which failures are worth another attempt.
struct RetryConditions {
  std::vector<FailureKind> kinds{FailureKind::connect, FailureKind::reset, FailureKind::timeout,
                                 FailureKind::overload};
  std::vector<std::uint16_t> statuses{502, 503, 504};
  bool operator==(RetryConditions const&) const = default;
};

/// Which requests may be sent again at all.
enum class Replay : std::uint8_t {
  never,
  idempotent,  ///< idempotent methods
  with_key,    ///< those, and any method with an idempotency key field
  always,
};

/// One more attempt beside one that takes long; after the longer of the two, where both are given.
struct HedgeSettings {
  std::optional<Duration> after{};   ///< absent: `quantile` alone says when
  std::optional<double> quantile{};  ///< of what attempts take; absent: `after` alone does
  bool operator==(HedgeSettings const&) const = default;
};

struct RetrySettings {
  unsigned attempts = 3;  ///< in all; 1: no retries
  RetryConditions on{};
  BackoffSettings backoff{};
  BudgetSettings budget{};
  Replay replay = Replay::with_key;
  std::vector<std::string> idempotency_keys{"Idempotency-Key"};  ///< field names
  Bytes replay_limit = 64_KiB;                                   ///< a larger body streams and is not retried
  std::optional<HedgeSettings> hedge{};                          ///< absent: none
  bool operator==(RetrySettings const&) const = default;
};

/// Which endpoint gets the next attempt.
struct BalanceSettings {
  enum class Policy : std::uint8_t { round_robin, least_request, peak_ewma, ring_hash };

  Policy policy = Policy::round_robin;
  std::optional<std::string> hash_header{};  ///< the field that ring_hash hashes
  Duration ramp{};  ///< in which a new endpoint's share grows from a tenth; zero: none
};

}  // namespace candor
