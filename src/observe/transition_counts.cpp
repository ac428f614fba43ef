#include "candor/observe/transition_counts.hpp"

#include <cassert>

namespace candor::observe {

std::size_t TransitionCounts::place(CircuitState from, CircuitState to, Rule rule) {
  return (static_cast<std::size_t>(from) * circuit_states + static_cast<std::size_t>(to)) * rules +
         static_cast<std::size_t>(rule);
}

void TransitionCounts::watch(std::shared_ptr<TransitionCounts> const& counts, Upstream& upstream) {
  assert(upstream.index < counts->counts_.size());
  upstream.health.listen([counts, index = upstream.index](Transition const& transition) {
    if (transition.endpoint) return;
    auto& cube = counts->counts_[index].counts;
    cube[place(transition.from, transition.to, transition.why.rule)].fetch_add(1, std::memory_order_relaxed);
  });
}

std::uint64_t TransitionCounts::value(std::size_t upstream, CircuitState from, CircuitState to,
                                      Rule rule) const {
  return counts_[upstream].counts[place(from, to, rule)].load(std::memory_order_relaxed);
}

}  // namespace candor::observe
