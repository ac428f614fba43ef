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
  static constexpr std::size_t rules = 16;

  explicit TransitionCounts(std::size_t upstreams) : counts_(upstreams) {}

  /// Counts what this upstream's own circuit does; before its first attempt only. The upstream shares the
  /// counts, so that either may go first.
  static void watch(std::shared_ptr<TransitionCounts> const& counts, Upstream& upstream);

  [[nodiscard]] std::uint64_t value(std::size_t upstream, CircuitState from, CircuitState to,
                                    Rule rule) const;

 private:
  struct Cube {
    std::array<std::atomic<std::uint64_t>, circuit_states * circuit_states * rules> counts{};
  };
  static std::size_t place(CircuitState from, CircuitState to, Rule rule);

  std::vector<Cube> counts_;
};

}  // namespace candor::observe
