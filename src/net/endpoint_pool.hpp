// One endpoint's connections, of one worker: how many there are, and the idle ones, of which the last one
// returned goes first.
#pragma once

#include <memory>
#include <vector>

#include "candor/net/settings.hpp"
#include "candor/proxy/observer.hpp"
#include "candor/proxy/upstream.hpp"
#include "connection.hpp"
#include "whereabouts.hpp"

namespace candor {

class EndpointPool {
 public:
  EndpointPool(Upstream const& upstream, PoolSettings const& settings, Observer& observer)
      : upstream_(upstream), settings_(settings), observer_(observer) {}
  EndpointPool(EndpointPool const&) = delete;
  EndpointPool& operator=(EndpointPool const&) = delete;

  /// The most recently used connection that still stands and may be used by now; absent: none does. `look`:
  /// where what the kernel has told does not suffice.
  [[nodiscard]] std::unique_ptr<Connection> take(bool look, Instant now);
  /// Keeps it until its time is over, unless there are enough. `until`: as the endpoint allows.
  void put(std::unique_ptr<Connection> connection, Instant now, Duration at_most);
  /// Its endpoint has left: nothing rests here any more.
  void close();
  /// Its endpoint is at these addresses from now on: no connection to another one rests here any more.
  void keep_only(Whereabouts::Addresses addresses);
  /// Ends one that rests here.
  void drop(Connection& connection);

  void tell(PoolEvent event) { observer_.pool_event(upstream_, event); }

  // Connections come when they are made, before they stand.
  void connection_came() { ++connections_; }
  void connection_left() { --connections_; }
  /// In use and idle.
  [[nodiscard]] std::size_t connections() const { return connections_; }
  /// Whether there may be a further one; where only idle ones are in the way, the oldest of them goes.
  [[nodiscard]] bool make_room();

 private:
  std::unique_ptr<Connection> remove(std::size_t place);
  [[nodiscard]] bool is_wanted(Connection const& connection) const;

  Upstream const& upstream_;
  PoolSettings const& settings_;
  Observer& observer_;
  bool closed_ = false;
  Whereabouts::Addresses addresses_;  // null: those that there were when it began
  std::size_t connections_ = 0;
  std::vector<std::unique_ptr<Connection>> idle_;
};

}  // namespace candor
