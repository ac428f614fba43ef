#include "candor/resilience/retry.hpp"

#include <algorithm>

#include "candor/resilience/backoff.hpp"

namespace candor {

std::string_view name(RetryDenied reason) {
  switch (reason) {
    case RetryDenied::attempts: return "attempts";
    case RetryDenied::condition: return "condition";
    case RetryDenied::not_replayable: return "not_replayable";
    case RetryDenied::body_too_large: return "body_too_large";
    case RetryDenied::circuit: return "circuit";
    case RetryDenied::tier: return "tier";
    case RetryDenied::budget: return "budget";
    case RetryDenied::deadline: return "deadline";
    case RetryDenied::limit: return "limit";
    case RetryDenied::throttle: return "throttle";
  }
  return {};
}

bool may_repeat(Replay replay, AttemptHistory const& history) {
  if (history.untouched) return true;
  switch (replay) {
    case Replay::never: return false;
    case Replay::idempotent: return history.idempotent;
    case Replay::with_key: return history.idempotent || history.keyed;
    case Replay::always: return true;
  }
  return false;
}

bool is_listed(RetryConditions const& on, FailureKind failure, std::uint16_t status) {
  if (std::find(on.kinds.begin(), on.kinds.end(), failure) != on.kinds.end()) return true;
  return failure == FailureKind::status &&
         std::find(on.statuses.begin(), on.statuses.end(), status) != on.statuses.end();
}

RetryDecision decide(RetrySettings const& settings, AttemptHistory const& history, CircuitState circuit,
                     Duration left, Budget& budget, Instant now, Rng& rng) {
  if (history.attempts >= settings.attempts) return GiveUp{RetryDenied::attempts};
  if (!is_listed(settings.on, history.failure, history.status)) return GiveUp{RetryDenied::condition};
  if (!may_repeat(settings.replay, history)) return GiveUp{RetryDenied::not_replayable};
  if (!history.body_replayable) return GiveUp{RetryDenied::body_too_large};
  if (history.probe || !lets_through(circuit)) return GiveUp{RetryDenied::circuit};
  if (history.retried_below) return GiveUp{RetryDenied::tier};
  auto token = budget.take(now);
  if (!token) return GiveUp{RetryDenied::budget};
  auto const wait = std::max(backoff(settings.backoff, history.attempts, history.previous_wait, rng),
                             history.retry_after.value_or(Duration{}));
  if (wait >= left) return GiveUp{RetryDenied::deadline};
  return RetryAfter{wait, std::move(*token)};
}

}  // namespace candor
