// Whether to try again: a decision, made before each further attempt. Pure but for the token it takes.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "candor/core/rng.hpp"
#include "candor/core/time.hpp"
#include "candor/resilience/budget.hpp"
#include "candor/resilience/circuit.hpp"
#include "candor/resilience/settings.hpp"

namespace candor {

/// What the attempts of a request have shown so far.
struct AttemptHistory {
  unsigned attempts = 0;                  ///< made
  FailureKind failure{};                  ///< of the last one
  std::uint16_t status = 0;               ///< of the last one's response; 0: none came
  std::optional<Duration> retry_after{};  ///< that the response asked for
  Duration previous_wait{};               ///< before the last attempt
  bool probe = false;                     ///< the last one was a probe
  bool retried_below = false;             ///< another tier has already retried: candor-retry
  bool idempotent = false;                ///< the method is
  bool keyed = false;                     ///< it carries an idempotency key
  bool untouched = false;                 ///< no byte of the request has left us
  bool body_replayable = true;            ///< the body so far is still here
};

/// The first "no", in the order in which they are asked.
enum class RetryDenied : std::uint8_t {
  attempts,        ///< none left
  condition,       ///< this failure is not listed
  not_replayable,  ///< sending it twice could do something twice
  body_too_large,  ///< the body no longer fits the replay buffer
  circuit,         ///< the circuit is not closed, or this was a probe
  tier,            ///< another tier has already retried
  budget,          ///< no token
  deadline,        ///< the wait does not fit what is left
  limit,           ///< when it was due, as many attempts were in flight as may be
  throttle,        ///< when it was due, it was among those that are refused
};
inline constexpr std::size_t retry_denials = 10;

[[nodiscard]] std::string_view name(RetryDenied reason);

/// Go on, after a wait. Holds the token until the attempt goes out.
struct RetryAfter {
  Duration delay;
  BudgetToken token;
};

struct GiveUp {
  RetryDenied reason;
};

using RetryDecision = std::variant<RetryAfter, GiveUp>;

/// `left`: of the request's deadline.
[[nodiscard]] RetryDecision decide(RetrySettings const& settings, AttemptHistory const& history,
                                   CircuitState circuit, Duration left, Budget& budget, Instant now,
                                   Rng& rng);

/// Whether a request may be sent again as far as its meaning goes: none of it has left us, or the settings
/// take it for harmless.
[[nodiscard]] bool may_repeat(Replay replay, AttemptHistory const& history);

/// Whether the failure is one of the conditions.
[[nodiscard]] bool is_listed(RetryConditions const& on, FailureKind failure, std::uint16_t status);

}  // namespace candor
