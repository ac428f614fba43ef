// The running sidecar: the one place where all parts are made and joined. Made, started and ended by the main
// thread; what it shows of itself may be read from there.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "candor/admin/routes.hpp"
#include "candor/admin/server.hpp"
#include "candor/app/ticker.hpp"
#include "candor/config/config.hpp"
#include "candor/net/server.hpp"
#include "candor/observe/event_feed.hpp"
#include "candor/observe/event_tallies.hpp"
#include "candor/observe/line_log.hpp"
#include "candor/observe/operational_log.hpp"
#include "candor/observe/transition_counts.hpp"
#include "candor/observe/worker_metrics.hpp"

namespace candor::app {

class Sidecar {
 public:
  /// Binds every port, so that callers may connect. Nothing is served before start(). Throws
  /// std::runtime_error with one line of text.
  Sidecar(config::Config config, std::shared_ptr<observe::OperationalLog> log, std::uint64_t seed);
  Sidecar(Sidecar const&) = delete;
  Sidecar& operator=(Sidecar const&) = delete;
  ~Sidecar();

  /// Serves callers, and the admin port if there is one.
  void start();

  /// Finishes what is in flight and ends; `ended` is called on some worker's thread. Once.
  void drain(std::function<void()> ended);
  /// Ends at once, and waits for the workers' threads.
  void stop();

  /// Where it listens, each with what for: "payments on 127.0.0.1:9001".
  [[nodiscard]] std::vector<std::string> listening() const;
  /// HOST:PORT of an upstream's own listener; nothing if it has none.
  [[nodiscard]] std::optional<std::string> address(std::size_t upstream) const;
  /// HOST:PORT of the admin port; nothing if there is none. After start().
  [[nodiscard]] std::optional<std::string> admin_address() const;

  [[nodiscard]] config::Config const& config() const { return config_; }
  [[nodiscard]] std::vector<std::shared_ptr<Upstream>> const& upstreams() const { return upstreams_; }
  [[nodiscard]] std::vector<std::shared_ptr<observe::WorkerMetrics>> const& metrics() const {
    return metrics_;
  }
  [[nodiscard]] observe::TransitionCounts const& transitions() const { return *transitions_; }

 private:
  struct WorkerObservers;

  void make_upstreams(Rng& rng);
  void make_observers(Rng& rng);
  void make_server(Rng& rng);
  [[nodiscard]] admin::Sources admin_sources() const;

  config::Config const config_;
  std::atomic<admin::Phase> phase_ = admin::Phase::starting;
  // In the order in which they come to depend on each other: what is told outlives those who tell it.
  std::shared_ptr<observe::OperationalLog> log_;
  std::shared_ptr<observe::EventFeed> events_;
  std::vector<std::shared_ptr<Upstream>> upstreams_;
  std::shared_ptr<observe::TransitionCounts> transitions_;
  std::shared_ptr<NameBook> names_ = std::make_shared<NameBook>();
  std::unique_ptr<observe::LineLog> access_lines_;
  std::vector<std::shared_ptr<observe::WorkerMetrics>> metrics_;
  std::shared_ptr<observe::LateBreaks> late_breaks_ = std::make_shared<observe::LateBreaks>();
  std::vector<std::unique_ptr<WorkerObservers>> observers_;
  std::optional<observe::EventTallies> tallies_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<admin::Routes const> routes_;
  admin::AdminServer admin_{{}, [] { return wall_clock().wall; }};
  std::optional<Ticker> ticker_;  // collects what the events tell by the second
};

/// `listen`, HOST:PORT, with the port that it came to.
[[nodiscard]] std::string with_port(std::string const& listen, std::uint16_t port);

}  // namespace candor::app
