#include "candor/observe/transition_counts.hpp"

#include <algorithm>
#include <cassert>

namespace candor::observe {

std::size_t TransitionCounts::place(CircuitState from, CircuitState to, Rule rule) {
  return (static_cast<std::size_t>(from) * circuit_states + static_cast<std::size_t>(to)) * rules +
         static_cast<std::size_t>(rule);
}

void TransitionCounts::Cube::add(Transition const& transition) {
  auto& count = counts[place(transition.from, transition.to, transition.why.rule)];
  count.fetch_add(1, std::memory_order_relaxed);
}

std::uint64_t TransitionCounts::Cube::value(CircuitState from, CircuitState to, Rule rule) const {
  return counts[place(from, to, rule)].load(std::memory_order_relaxed);
}

TransitionCounts::TransitionCounts(std::vector<std::shared_ptr<Upstream>> const& upstreams) {
  for (auto const& upstream : upstreams) {
    counts_.resize(std::max<std::size_t>(counts_.size(), upstream->index + 1));
    auto& accounts = counts_[upstream->index];
    accounts = std::vector<OfAccount>(upstream->routes().size());
    upstream->each_account([&accounts](Route const& account) {
      if (account.health.shadow_state()) accounts[account.place].shadow = std::make_unique<Cube>();
    });
  }
}

void TransitionCounts::watch(std::shared_ptr<TransitionCounts> const& counts, Upstream& upstream) {
  assert(upstream.index < counts->counts_.size());
  upstream.each_account([&counts, index = upstream.index](Route& account) {
    account.health.listen([counts, index, route = account.place](Transition const& transition) {
      if (!transition.endpoint) counts->counts_[index][route].acting.add(transition);
    });
    account.health.listen_to_shadow([counts, index, route = account.place](Transition const& transition) {
      counts->counts_[index][route].shadow->add(transition);
    });
  });
}

std::uint64_t TransitionCounts::value(Route const& account, CircuitState from, CircuitState to,
                                      Rule rule) const {
  return counts_[account.upstream.index][account.place].acting.value(from, to, rule);
}

std::uint64_t TransitionCounts::shadow_value(Route const& account, CircuitState from, CircuitState to,
                                             Rule rule) const {
  auto const& shadow = counts_[account.upstream.index][account.place].shadow;
  return shadow ? shadow->value(from, to, rule) : 0;
}

}  // namespace candor::observe
