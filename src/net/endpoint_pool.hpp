// One endpoint's idle connections, of one worker; the last one returned goes first.
#pragma once

#include <memory>
#include <vector>

#include "candor/net/settings.hpp"
#include "candor/proxy/observer.hpp"
#include "candor/proxy/upstream.hpp"
#include "connection.hpp"

namespace candor {

class EndpointPool {
 public:
  EndpointPool(Upstream const& upstream, PoolSettings const& settings, Observer& observer)
      : upstream_(upstream), settings_(settings), observer_(observer) {}
  EndpointPool(EndpointPool const&) = delete;
  EndpointPool& operator=(EndpointPool const&) = delete;

  /// The most recently used connection that still stands; absent: none does. `look`: for what can't be sent
  /// again, should the endpoint have closed it just now.
  [[nodiscard]] std::unique_ptr<Connection> take(bool look);
  /// Keeps it until its time is over, unless there are enough. `until`: as the endpoint allows.
  void put(std::unique_ptr<Connection> connection, Instant now, Duration at_most);
  /// Ends one that rests here.
  void drop(Connection& connection);

  void tell(PoolEvent event) { observer_.pool_event(upstream_, event); }

 private:
  std::unique_ptr<Connection> remove(std::size_t place);

  Upstream const& upstream_;
  PoolSettings const& settings_;
  Observer& observer_;
  std::vector<std::unique_ptr<Connection>> idle_;
};

}  // namespace candor
