#include "candor/observe/transition_counts.hpp"

#include <algorithm>
#include <cassert>

namespace candor::observe {

std::size_t TransitionCounts::place(CircuitState from, CircuitState to, Rule rule) {
  return (static_cast<std::size_t>(from) * circuit_states + static_cast<std::size_t>(to)) * rules +
         static_cast<std::size_t>(rule);
}

TransitionCounts::TransitionCounts(std::vector<std::shared_ptr<Upstream>> const& upstreams) {
  for (auto const& upstream : upstreams) {
    counts_.resize(std::max<std::size_t>(counts_.size(), upstream->index + 1));
    counts_[upstream->index] = std::vector<Cube>(upstream->routes().size());
  }
}

void TransitionCounts::watch(std::shared_ptr<TransitionCounts> const& counts, Upstream& upstream) {
  assert(upstream.index < counts->counts_.size());
  upstream.each_account([&counts, index = upstream.index](Route& account) {
    account.health.listen([counts, index, route = account.place](Transition const& transition) {
      if (transition.endpoint) return;
      auto& cube = counts->counts_[index][route].counts;
      cube[place(transition.from, transition.to, transition.why.rule)].fetch_add(1,
                                                                                 std::memory_order_relaxed);
    });
  });
}

std::uint64_t TransitionCounts::value(Route const& account, CircuitState from, CircuitState to,
                                      Rule rule) const {
  auto const& cube = counts_[account.upstream.index][account.place].counts;
  return cube[place(from, to, rule)].load(std::memory_order_relaxed);
}

}  // namespace candor::observe
