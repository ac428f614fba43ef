// Thread-safe. Where the endpoints of all upstreams are: the addresses that a connection may be made to.
// Those who connect ask anew each time. An endpoint's addresses are here before any attempt may go to it, and
// until every worker knows that none may any more.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "candor/core/ids.hpp"
#include "candor/net/address.hpp"
#include "candor/proxy/upstream.hpp"

namespace candor {

class Whereabouts {
 public:
  using Addresses = std::shared_ptr<std::vector<Address> const>;

  /// Knows those that are given as addresses; names have none yet.
  explicit Whereabouts(std::vector<std::shared_ptr<Upstream>> const& upstreams) {
    for (auto const& upstream : upstreams) {
      for (auto const& entry : upstream->endpoints.all()) {
        if (auto const literal = Address::parse(entry->settings.address)) {
          set(upstream->index, entry->id, {*literal});
        }
      }
    }
  }

  /// Never null; empty: its name has given none.
  [[nodiscard]] Addresses of(std::size_t upstream, EndpointId endpoint) const {
    std::lock_guard const held{lock_};
    auto const found = known_.find({upstream, endpoint});
    return found == known_.end() ? none_ : found->second;
  }
  /// Whether it was known, and elsewhere.
  bool set(std::size_t upstream, EndpointId endpoint, std::vector<Address> addresses) {
    auto shared = std::make_shared<std::vector<Address> const>(std::move(addresses));
    std::lock_guard const held{lock_};
    auto& known = known_[{upstream, endpoint}];
    bool const moved = known != nullptr && *known != *shared;
    known = std::move(shared);
    return moved;
  }
  void forget(std::size_t upstream, EndpointId endpoint) {
    std::lock_guard const held{lock_};
    known_.erase({upstream, endpoint});
  }

 private:
  Addresses const none_ = std::make_shared<std::vector<Address> const>();
  mutable std::mutex lock_;
  std::map<std::pair<std::size_t, EndpointId>, Addresses> known_;
};

}  // namespace candor
