// A world on virtual time: callers, sidecars and scripted upstreams, joined by the same pipelines that the
// running proxy has. One thread; the same options give the same run, to the byte of its event log.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "candor/core/time.hpp"
#include "candor/proxy/upstream.hpp"
#include "candor/sim/event_log.hpp"
#include "candor/sim/report.hpp"
#include "candor/sim/script.hpp"
#include "candor/sim/traffic.hpp"

namespace candor::sim {

struct WorldOptions {
  std::uint64_t seed = 1;
  std::vector<UpstreamScript> upstreams{{}};
  std::vector<Traffic> traffic{};
  unsigned sidecars = 1;  ///< each with its own health model and budget for every upstream
  unsigned workers = 1;   ///< of each sidecar; they share its health models and budgets
  EventLog::Keep log = EventLog::Keep::nothing;
  Duration slice = 1s;  ///< of the report's course over time
};

class World {
 public:
  /// Throws std::invalid_argument for options that make no sense.
  explicit World(WorldOptions const& options);
  ~World();
  World(World const&) = delete;
  World& operator=(World const&) = delete;

  [[nodiscard]] Instant now() const;

  /// Runs all that is due up to then, and stops there.
  void run_until(Instant until);
  void run_for(Duration span) { run_until(now() + span); }

  /// No more traffic. Runs until every request has ended, but no longer than this; whether all have.
  bool finish(Duration at_most = 60s);

  /// Sends some requests by hand, now, beside the traffic.
  void send(unsigned count = 1, RequestShape const& shape = {}, std::size_t upstream = 0);

  /// The upstream has other endpoints from now on: those that do what these of its scripts say.
  void set_endpoints(std::vector<std::size_t> const& scripts, std::size_t upstream = 0);

  /// What it has come to so far.
  [[nodiscard]] Report report() const;
  [[nodiscard]] EventLog const& log() const;

  /// One sidecar's upstream, with its health model and budget.
  [[nodiscard]] Upstream& upstream(std::size_t index = 0, std::size_t sidecar = 0) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The seconds since the world began, of an instant in it.
[[nodiscard]] inline double seconds_of(Instant when) { return seconds(when.time_since_epoch()); }

}  // namespace candor::sim
