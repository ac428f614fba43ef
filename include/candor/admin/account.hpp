// An account of an upstream as it stood at one instant: what the admin port shows and `explain` reads. A
// value.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "candor/core/time.hpp"
#include "candor/observe/refusal_counts.hpp"
#include "candor/proxy/upstream.hpp"

namespace candor::admin {

/// What other rules would have done on the same attempts.
struct Shadow {
  BreakerSettings breaker{};
  std::optional<ShadowSnapshot> circuit{};            ///< absent: its rules are the acting ones
  std::vector<TransitionRecord> transitions{};        ///< oldest first
  bool retries = false;                               ///< whether its retry rules differ; else the rest is 0
  std::uint64_t added = 0;                            ///< retries that it would have made more
  std::array<std::uint64_t, retry_denials> spared{};  ///< and fewer, by reason
};

struct Account {
  std::string upstream;
  std::string route{};  ///< whose it is; empty: the one that routes share
  /// Every endpoint that the rest names; some have left.
  std::map<EndpointId, EndpointEntryPtr> endpoints{};
  BreakerSettings breaker{};
  std::optional<CheckSettings> check{};
  HealthSnapshot health{};
  std::vector<TransitionRecord>
      transitions{};                          ///< oldest first; the last one began the snapshot's generation
  std::vector<AttemptNote> recent{};          ///< the last attempts that settled, oldest first
  std::vector<TransitionRecord> ejections{};  ///< the same of the endpoints' circuits, all together
  observe::RefusalCounts refusals{};          ///< of all routes, at the shared account
  DiscoveryReading discovery{};
  double budget_tokens = 0;
  std::optional<AttemptQueueSnapshot> queue{};  ///< absent: no attempt may wait for room
  std::optional<Shadow> shadow{};               ///< absent: no other rules look on
  Instant now{};
  WallClock wall{};

  [[nodiscard]] std::string const& address(EndpointId endpoint) const {
    return endpoints.at(endpoint)->settings.address;
  }
  /// The transition that began the present state; absent if there was none, or it is no longer kept.
  [[nodiscard]] TransitionRecord const* latest() const;
  /// The last opening that a rule decided on evidence, not a probe; absent as above.
  [[nodiscard]] TransitionRecord const* opening() const;
  /// The opening of a closed circuit that the present, or last, outage began with; absent as above.
  [[nodiscard]] TransitionRecord const* outage() const;
  /// How many probes have failed since the opening, or since the first transition that is kept.
  [[nodiscard]] std::uint64_t failed_probes() const;
};

/// One endpoint's own circuit as an account: its transitions and its attempts alone.
[[nodiscard]] Account of_endpoint(Account const& account, EndpointId endpoint);

/// Takes the locks of the health model and the budget, one after the other and shortly.
[[nodiscard]] Account read_account(Route const& of, Instant now, WallClock wall);
/// All of an upstream, the shared one first.
[[nodiscard]] std::vector<Account> read_accounts(Upstream const& upstream, Instant now, WallClock wall);

}  // namespace candor::admin
