// Hears of all that the pipelines report, counts it and writes it into the event log.
#pragma once

#include <unordered_map>
#include <vector>

#include "candor/proxy/exchange.hpp"
#include "candor/proxy/observer.hpp"
#include "candor/sim/event_log.hpp"
#include "candor/sim/report.hpp"
#include "candor/sim/scripted_upstream.hpp"

namespace candor::sim {

class Recorder final : public Observer {
 public:
  Recorder(Scheduler const& scheduler, EventLog& log, std::size_t streams, std::size_t upstreams,
           Duration slice)
      : scheduler_(scheduler),
        log_(log),
        streams_(streams),
        upstreams_(upstreams),
        started_(slice),
        ok_(slice),
        refused_(slice),
        retries_(slice) {}

  void request_started(std::size_t stream, Exchange const& exchange);
  /// `good`: the answer that was passed on is no failure.
  void request_done(std::size_t stream, bool good, Exchange const& exchange, RequestEnd const& end);
  void circuit_changed(Route const& account, std::size_t sidecar, Transition const& transition);
  void shadow_changed(Route const& account, std::size_t sidecar, Transition const& transition);

  void attempt_settled(Route const& route, AttemptRecord const& record) override;
  void retry_sent(Route const& route, std::string_view reason) override;
  void retry_denied(Route const& route, RetryDenied reason) override;
  void late_break(Route const& route, AttemptRecord const& record) override;

  /// Fills in what it has counted.
  void tell(Report& report) const;

 private:
  struct Counts {
    std::uint64_t settled = 0;
    std::uint64_t retries = 0;
    std::uint64_t late_breaks = 0;
    std::array<std::uint64_t, retry_denials> denied{};
    std::vector<CircuitChange> changes;
    std::vector<CircuitChange> ejections;
    std::vector<CircuitChange> shadows;
  };

  Scheduler const& scheduler_;
  EventLog& log_;
  std::vector<RequestTally> streams_;
  std::vector<Counts> upstreams_;
  SliceCounter started_;
  SliceCounter ok_;
  SliceCounter refused_;
  SliceCounter retries_;
};

}  // namespace candor::sim
