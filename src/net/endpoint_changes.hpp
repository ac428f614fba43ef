// Thread-safe, one thread at a time for each upstream. How endpoints come and go under traffic: in such an
// order that an attempt always finds where its endpoint is, and none begins at one that has left.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "audience.hpp"
#include "candor/net/server.hpp"
#include "whereabouts.hpp"

namespace candor {

class EndpointChanges {
 public:
  EndpointChanges(std::vector<std::shared_ptr<Upstream>> upstreams, Whereabouts& whereabouts,
                  std::shared_ptr<Audience> audience)
      : upstreams_(std::move(upstreams)), whereabouts_(whereabouts), audience_(std::move(audience)) {}

  /// The endpoints of an upstream from now on, and where they are.
  EndpointRegister::Change set(std::size_t upstream, std::vector<PlacedEndpoint> const& wanted, Instant now);

 private:
  void tell_workers(std::size_t upstream, std::vector<EndpointEntryPtr> const& left);

  std::vector<std::shared_ptr<Upstream>> const upstreams_;
  Whereabouts& whereabouts_;
  std::shared_ptr<Audience> const audience_;
};

}  // namespace candor
