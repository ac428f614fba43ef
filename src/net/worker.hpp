// One thread of the proxy with all that belongs to it: reactor, pools, pipelines, listeners, sessions. Not
// thread-safe, but for what says so.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "candor/net/server.hpp"
#include "candor/proxy/checking.hpp"
#include "candor/proxy/sensing.hpp"
#include "listener.hpp"
#include "session.hpp"
#include "transport.hpp"

namespace candor {

/// What all workers share.
/// Half of the open files that this process may have: who is let in needs a connection to an endpoint, too.
[[nodiscard]] std::size_t callers_within_descriptors();

struct WorkersShare {
  explicit WorkersShare(ServerParts what) : parts(std::move(what)), whereabouts(parts.upstreams) {}

  ServerParts parts;
  Whereabouts whereabouts;
  std::string via{};
  std::deque<SharedPort> ports{};
  unsigned workers = 1;
  std::atomic<std::size_t> callers{0};  ///< connections, of all workers
  /// As many of them as leave descriptors for connections to endpoints, and for ourselves.
  std::size_t most_callers = callers_within_descriptors();
  DescriptorShortage shortage{parts.say};
};

class Worker {
 public:
  Worker(unsigned index, WorkersShare& share, Rng rng);
  Worker(Worker const&) = delete;
  Worker& operator=(Worker const&) = delete;
  ~Worker();

  /// Before run().
  void listen(Descriptor socket, std::size_t upstream);
  void listen_shared(Descriptor socket, SharedPort& port);

  /// Runs until it is stopped, or drained.
  void run();

  /// Thread-safe.
  void post(std::function<void()> action) { reactor_.post(std::move(action)); }

  // On the worker's thread, by post().
  void stop();
  /// `ended` is called when nothing is left to do.
  void drain(Duration at_most, std::function<void()> ended);
  /// `account`: the place of the route whose it is.
  void circuit_opened(std::size_t upstream, std::uint32_t account) {
    pipelines_[upstream]->circuit_opened(account);
  }
  /// A circuit of the upstream, or of an endpoint of it: it may wait for checks, or let one be made.
  void circuit_changed(std::size_t upstream) {
    if (upstream < sensing_.size() && sensing_[upstream]) sensing_[upstream]->something_changed();
  }
  /// It has other endpoints than before; no attempt goes to those that have left.
  void endpoints_changed(std::size_t upstream, std::vector<EndpointEntryPtr> const& left);
  /// These have other addresses than before.
  void endpoints_moved(std::size_t upstream, std::vector<EndpointId> const& moved) {
    for (auto const id : moved) transports_[upstream]->follow(id);
  }

 private:
  void accept(Descriptor connection, Destination const& destination);
  Task<void> serve(Descriptor connection, Destination const& destination);
  Task<void> end_when_empty(Duration at_most, std::function<void()> ended);
  void add_listener(Descriptor socket, std::unique_ptr<Destination> destination);

  WorkersShare& share_;
  Observer& observer_;
  Reactor reactor_;
  Rng rng_;
  BlockPool blocks_;
  http::DateText date_;
  DescriptorAlarm alarm_;
  std::vector<std::unique_ptr<HttpTransport>> transports_;
  std::vector<std::unique_ptr<Pipelines>> pipelines_;  // by upstream
  std::vector<std::unique_ptr<Sensing>> sensing_;      // of the upstreams that are this worker's to check
  std::vector<std::unique_ptr<Checking>> checking_;    // likewise, where they ask for it
  CancelScope life_;
  CancelScope drain_;
  std::uint64_t requests_;
  SessionParts session_parts_;
  std::vector<std::unique_ptr<Destination>> destinations_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  // Last: what still runs is ended before what it uses.
  TaskGroup sessions_;
  TaskGroup draining_;
};

}  // namespace candor
