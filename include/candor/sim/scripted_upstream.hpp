// The far end of a simulated pipeline: an upstream whose endpoints follow a script. It keeps its own count of
// what reached it, so that the ledger has something to be compared with. One world's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "candor/proxy/dialler.hpp"
#include "candor/proxy/service.hpp"
#include "candor/sim/event_log.hpp"
#include "candor/sim/report.hpp"
#include "candor/sim/script.hpp"

namespace candor::sim {

/// Counts events by the stretch of time in which they fall.
class SliceCounter {
 public:
  explicit SliceCounter(Duration slice) : slice_(slice) {}
  void count(Instant now) {
    auto const index = static_cast<std::size_t>(now.time_since_epoch() / slice_);
    if (index >= counts_.size()) counts_.resize(index + 1);
    ++counts_[index];
  }
  [[nodiscard]] std::vector<std::uint64_t> const& counts() const { return counts_; }

 private:
  Duration slice_;
  std::vector<std::uint64_t> counts_;
};

class ScriptedUpstream final : public Transport, public Dialler {
 public:
  ScriptedUpstream(std::vector<EndpointScript> const& script, Scheduler& scheduler, Rng rng, EventLog& log,
                   Duration slice);
  ~ScriptedUpstream() override;

  /// Does what the script says for this instant.
  Task<Result<ResponseHandle>> send(Exchange& exchange, Attempt& attempt, Permit& permit) override;

  /// What a connect check would find at this instant.
  Task<std::optional<bool>> dial(EndpointId endpoint, CancelScope& scope) override;

  /// What a check would find; of one with a path, what that route does.
  Task<std::optional<bool>> check(EndpointId endpoint, CheckSettings const& settings,
                                  CancelScope& scope) override;

  /// From now on this endpoint does what that script says. Those that are there from the beginning do so by
  /// their place.
  void place(EndpointId id, std::size_t script) { placed_[id] = script; }

  /// How many scripts there are, and what each has met.
  [[nodiscard]] std::size_t endpoints() const { return endpoints_.size(); }
  [[nodiscard]] EndpointTally const& tally(std::size_t endpoint) const;
  /// Attempts that reached it, by slice of time.
  [[nodiscard]] std::vector<std::uint64_t> const& attempts_by_slice() const { return slices_.counts(); }

 private:
  class Endpoint;

  [[nodiscard]] Endpoint& at(EndpointId id);

  std::vector<std::unique_ptr<Endpoint>> endpoints_;  // by script
  std::map<EndpointId, std::size_t> placed_;
  Scheduler& scheduler_;
  Rng rng_;
  EventLog& log_;
  SliceCounter slices_;
};

}  // namespace candor::sim
