// Looks names up, again and again, on a thread of its own: a worker never waits for a name server.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "candor/core/time.hpp"
#include "candor/net/address.hpp"

namespace candor {

class Resolver {
 public:
  struct Callbacks {
    /// A name has other addresses than before; never none. On the resolver's thread.
    std::function<void(std::size_t name, std::vector<Address> const& addresses)> found{};
    /// A line for the operator: a name that gives nothing, or does so again.
    std::function<void(std::string_view line)> say{};
  };

  /// Starts with the first round.
  Resolver(std::vector<HostPort> names, Duration refresh, Callbacks callbacks);
  Resolver(Resolver const&) = delete;
  Resolver& operator=(Resolver const&) = delete;
  /// No callback comes after it. A look-up under way is left to end by itself: it may take long.
  ~Resolver();

  /// Waits until each name has been looked up once, but not longer than this.
  void wait_for_first_round(Duration at_most);

 private:
  struct Shared;
  static void run(std::shared_ptr<Shared> const& shared);

  std::shared_ptr<Shared> shared_;
};

}  // namespace candor
