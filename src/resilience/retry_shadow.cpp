#include "candor/resilience/retry_shadow.hpp"

#include <variant>

namespace candor {

bool RetryShadow::compare(bool another_follows, AttemptHistory const& history, CircuitState circuit,
                          Duration left, Instant now, Rng& rng) {
  auto decision = decide(settings_, history, circuit, left, budget_, now, rng);
  if (auto* again = std::get_if<RetryAfter>(&decision)) {
    // Paid at once: whether it would have been refused after its wait nobody knows.
    std::move(again->token).spend(now);
    if (!another_follows) added_.fetch_add(1, std::memory_order_relaxed);
    return another_follows;
  }
  if (!another_follows) return true;
  auto const reason = std::get<GiveUp>(decision).reason;
  spared_[static_cast<std::size_t>(reason)].fetch_add(1, std::memory_order_relaxed);
  return false;
}

}  // namespace candor
