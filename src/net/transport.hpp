// Sends permitted attempts over HTTP/1.1 connections. One per upstream and worker.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "alarm.hpp"
#include "candor/proxy/dialler.hpp"
#include "endpoint_pool.hpp"
#include "whereabouts.hpp"

namespace candor {

/// What a worker lends to its transports.
struct TransportParts {
  Reactor& reactor;
  BlockPool& blocks;
  Observer& observer;
  PoolSettings const& pool;
  http::HeadLimits heads;  ///< of answers
  std::string_view via;
  DescriptorAlarm& alarm;
  Whereabouts const& whereabouts;
};

class HttpTransport final : public Transport, public Dialler {
 public:
  HttpTransport(Upstream const& upstream, TransportParts parts);

  Task<Result<ResponseHandle>> send(Exchange& exchange, Attempt& attempt, Permit& permit) override;

  /// Connects to it and closes at once.
  Task<std::optional<bool>> dial(EndpointId endpoint, CancelScope& scope) override;

  /// Over a connection of its own, to any of its addresses that takes one.
  Task<std::optional<bool>> check(EndpointId endpoint, CheckSettings const& settings,
                                  CancelScope& scope) override;

  /// It has left: its idle connections end now, the others with what they carry.
  void retire(EndpointId endpoint);
  /// It has other addresses: likewise, of its connections to those that it has no longer.
  void follow(EndpointId endpoint);

 private:
  struct Endpoint {
    Endpoint(EndpointId which, Upstream const& upstream, TransportParts const& parts)
        : id(which), pool(upstream, parts.pool, parts.observer) {}

    EndpointId id;
    EndpointPool pool;
    std::size_t turn = 0;
  };

  [[nodiscard]] Endpoint& endpoint(EndpointId id);
  void retire(std::unique_ptr<Endpoint> endpoint);
  Task<Result<std::unique_ptr<Connection>>> connect(Endpoint& endpoint, Duration within, CancelScope& scope);
  /// Whether the address takes the socket's connection; nothing: we could not try.
  Task<std::optional<bool>> reach(Socket& socket, Address const& address, CancelScope& scope, Instant until);
  [[nodiscard]] std::string host_of(EndpointId endpoint, CheckSettings const& settings) const;

  Upstream const& upstream_;
  TransportParts parts_;
  std::vector<std::unique_ptr<Endpoint>> endpoints_;  // those that this worker has met, by their ids' values
  std::vector<std::unique_ptr<Endpoint>> retired_;    // of which some connections may still be in use
};

}  // namespace candor
