// Thread-safe, without a lock. How often each circuit changed, and by which rule. Transitions are rare and
// come from any worker, so that one shared counter for each will do.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "candor/proxy/upstream.hpp"

namespace candor::observe {

class TransitionCounts {
 public:
  static constexpr std::size_t rules = 17;

  /// Has a place for each of these upstreams, by index.
  explicit TransitionCounts(std::vector<std::shared_ptr<Upstream>> const& upstreams);

  /// Counts what this upstream's circuits do, those of endpoints left out; before its first attempt only. The
  /// upstream shares the counts, so that either may go first.
  static void watch(std::shared_ptr<TransitionCounts> const& counts, Upstream& upstream);

  /// Of the circuit of this route's account.
  [[nodiscard]] std::uint64_t value(Route const& account, CircuitState from, CircuitState to,
                                    Rule rule) const;
  /// Of its shadow, if it has one: what would have been.
  [[nodiscard]] std::uint64_t shadow_value(Route const& account, CircuitState from, CircuitState to,
                                           Rule rule) const;

 private:
  struct Cube {
    void add(Transition const& transition);
    [[nodiscard]] std::uint64_t value(CircuitState from, CircuitState to, Rule rule) const;

    std::array<std::atomic<std::uint64_t>, circuit_states * circuit_states * rules> counts{};
  };
  struct OfAccount {
    Cube acting{};
    std::unique_ptr<Cube> shadow{};
  };
  static std::size_t place(CircuitState from, CircuitState to, Rule rule);

  std::vector<std::vector<OfAccount>> counts_;  // by upstream, then by the place of its route
};

}  // namespace candor::observe
