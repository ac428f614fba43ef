// One way in which an upstream's requests are treated: the settings that hold for them, the account that
// their attempts go to, and the budget that pays for their retries. Shared by all workers: the account and
// the budget are thread-safe, the rest does not change.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "candor/http/head.hpp"
#include "candor/proxy/match.hpp"
#include "candor/proxy/settings.hpp"
#include "candor/resilience/budget.hpp"
#include "candor/resilience/health.hpp"
#include "candor/resilience/retry_shadow.hpp"

namespace candor {

class AttemptQueue;
class Upstream;

/// What a route is called: as the settings say, else after what it matches, so that it keeps its name
/// wherever it stands: "POST /charge". What is long, or may be a secret (the value of a field), stands there
/// as a hash.
[[nodiscard]] std::string name(RouteSettings const& settings);

class Route {
 public:
  /// What it is given of its upstream. `queue`: absent: no attempt waits for room.
  struct Share {
    Health& health;
    Budget& budget;
    AttemptQueue* queue = nullptr;
    std::size_t lane = 0;
  };
  Route(Upstream& whose, RouteSettings what, std::uint32_t which, std::string called, Share share);

  Upstream& upstream;
  RouteSettings const settings;  ///< all of them, whoever has said them
  std::uint32_t const place;     ///< among its upstream's routes; 0: the upstream's own
  std::string const name;        ///< empty: the upstream's own
  Health& health;
  Budget& budget;
  AttemptQueue* const queue;  ///< of attempts that wait for room in the account; absent: none does
  std::size_t const lane;     ///< there: routes that share an account don't stand in each other's way
  std::unique_ptr<RetryShadow> const retry_shadow;  ///< absent: no other retry rules look on

  [[nodiscard]] bool takes(http::RequestHead const& head) const { return match_.takes(head); }

  /// Whether the account is its own, or the upstream's own route's, which shares it with the others.
  [[nodiscard]] bool has_account() const { return place == 0 || settings.circuit == RouteCircuit::own; }
  /// The route whose account it is; empty: the one that is shared.
  [[nodiscard]] std::string_view account_name() const;
  /// The same for people: "payments", or "payments (route charge)".
  [[nodiscard]] std::string account_title() const;

 private:
  Match const match_;
};

}  // namespace candor
