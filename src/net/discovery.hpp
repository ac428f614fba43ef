// Keeps the endpoints' addresses, and the endpoints that come and go, up to date: on a thread of its own, so
// that no worker ever waits for a name server or a file. Made and ended by one thread.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "candor/net/server.hpp"
#include "endpoint_changes.hpp"

namespace candor {

struct DiscoveryParts {
  DnsSettings dns{};
  std::vector<std::shared_ptr<Upstream>> upstreams{};
  ReadEndpoints read_endpoints{};
  std::shared_ptr<NameBook> names{};               ///< absent: nobody wants the counts
  std::function<void(std::string_view)> say{};     ///< what an operator should see; on its thread
  std::function<void(std::string_view)> report{};  ///< what an operator may want to know
  std::uint64_t seed = 0;
};

class Discovery {
 public:
  /// Whether these upstreams need one: whether there is a name, or a place where endpoints are learnt from.
  [[nodiscard]] static bool is_needed(std::vector<std::shared_ptr<Upstream>> const& upstreams);

  /// Begins. `changes` must outlive it. Throws std::runtime_error when the system has no room for it.
  Discovery(DiscoveryParts parts, EndpointChanges& changes);
  Discovery(Discovery const&) = delete;
  Discovery& operator=(Discovery const&) = delete;
  /// Ends it. No callback comes after that.
  ~Discovery();

  /// Waits until everything has been asked for once, but not longer than this.
  void wait_for_first_round(Duration at_most);

 private:
  class Running;
  std::unique_ptr<Running> running_;
};

}  // namespace candor
