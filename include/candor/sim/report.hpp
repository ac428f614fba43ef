// What a run came to. Values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "candor/core/time.hpp"
#include "candor/resilience/circuit.hpp"
#include "candor/resilience/health.hpp"
#include "candor/resilience/ledger.hpp"
#include "candor/resilience/retry.hpp"

namespace candor::sim {

/// Durations in fixed buckets; exact to one part in sixteen, the longest one exact.
class Durations {
 public:
  void add(Duration d);
  void add(Durations const& others);
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] Duration longest() const { return longest_; }
  /// The duration that this share of them did not exceed; zero without any.
  [[nodiscard]] Duration quantile(double share) const;

 private:
  static constexpr unsigned parts = 16;

  std::array<std::uint64_t, std::size_t{61} * parts> buckets_{};
  std::uint64_t count_ = 0;
  Duration longest_{};
};

/// What became of requests.
struct RequestTally {
  std::uint64_t started = 0;
  std::uint64_t ok = 0;         ///< a good answer, passed on whole
  std::uint64_t failing = 0;    ///< an upstream's answer that is a failure, passed on whole
  std::uint64_t failed = 0;     ///< Candor's own answer after attempts
  std::uint64_t refused = 0;    ///< Candor's own answer, without any attempt
  std::uint64_t broken = 0;     ///< the answer broke off
  std::uint64_t abandoned = 0;  ///< the caller left
  Durations ok_took{};
  Durations refused_took{};

  [[nodiscard]] std::uint64_t ended() const { return ok + failing + failed + refused + broken + abandoned; }
  [[nodiscard]] std::uint64_t open() const { return started - ended(); }
  /// Good answers over requests; 1 without requests.
  [[nodiscard]] double goodput() const;
};

/// An endpoint's own count of what reached it. It is kept by the script, apart from the ledger.
struct EndpointTally {
  std::uint64_t attempts = 0;
  std::uint64_t heads = 0;               ///< answers begun
  std::array<std::uint64_t, 6> whole{};  ///< answers sent whole, by the first digit of their status
  std::uint64_t over_capacity = 0;
  std::uint64_t checks = 0;  ///< of any kind; no attempts
};

/// One change of a circuit.
struct CircuitChange {
  std::size_t sidecar;
  Transition transition;
  std::uint32_t route = 0;  ///< the place of the route whose circuit it is; 0: the shared one
};

/// One upstream, over all sidecars.
struct UpstreamTally {
  /// Takes in one sidecar's reading of it.
  void add(HealthSnapshot const& snapshot);

  std::string name;
  std::vector<EndpointTally> endpoints;
  Ledger ledger{};                       ///< the sum of the sidecars' ledgers
  std::vector<Ledger> endpoint_ledgers;  ///< of those that there are, by place
  DepartedSnapshot departed{};           ///< of those that have left
  std::uint64_t settled = 0;             ///< verdicts as the observers heard of them
  std::uint64_t retries = 0;             ///< sent
  std::uint64_t refusals = 0;            ///< attempts that the circuit refused
  std::uint64_t limit_refusals = 0;
  std::uint64_t throttle_refusals = 0;
  std::array<std::uint64_t, retry_denials> denied{};
  std::uint64_t late_breaks = 0;
  std::vector<CircuitChange> changes;    ///< of its circuits: the shared one, and those of routes
  std::vector<CircuitChange> ejections;  ///< of its endpoints' circuits
  std::vector<CircuitChange> shadows;    ///< that the shadows' rules would have made

  /// As the endpoints counted them.
  [[nodiscard]] std::uint64_t attempts() const;
  /// Openings of a closed or ramping circuit, of this route's or the shared one; a failed probe opens none.
  [[nodiscard]] std::uint64_t openings(std::uint32_t route = 0) const;
  /// The first opening at or after that.
  [[nodiscard]] std::optional<Instant> opened_after(Instant since, std::uint32_t route = 0) const;
  /// Every ledger balances, and says what the endpoints themselves counted.
  [[nodiscard]] bool balanced() const;
};

/// A stretch of time.
struct Slice {
  std::uint64_t requests = 0;  ///< started in it
  std::uint64_t ok = 0;        ///< ended well in it
  std::uint64_t refused = 0;
  std::uint64_t attempts = 0;  ///< reached an endpoint in it
  std::uint64_t retries = 0;   ///< of these, as Candor counts them
};

struct Report {
  RequestTally requests;              ///< all of them
  std::vector<RequestTally> streams;  ///< by the world's traffic; the last one: those sent by hand
  std::vector<UpstreamTally> upstreams;
  Duration slice{};
  std::vector<Slice> slices;  ///< since the world began

  [[nodiscard]] std::uint64_t attempts() const;
  [[nodiscard]] double attempts_per_request() const;
};

}  // namespace candor::sim
