// The part of the field table that says how much an upstream may get: limit and throttle. See fields.hpp.
#pragma once

#include "candor/resilience/settings.hpp"
#include "format.hpp"
#include "table.hpp"

namespace candor::config {

template <>
inline constexpr auto fields<AttemptLimitSettings> = Table{
    field("attempts", &AttemptLimitSettings::attempts, range(1, 1'000'000), "Never more; beyond it: 503"),
    field("adaptive", &AttemptLimitSettings::adaptive,
          "Fewer, where attempts take longer than usual; null: always as many"),
    field("queue", &AttemptLimitSettings::queue, range(1, 1'000'000),
          "Attempts that may wait for room; beyond it: 503; null: none waits"),
    field("queue_timeout", &AttemptLimitSettings::queue_timeout, range(1ms, 1min),
          "How long each of them may; beyond it: 503"),
};

template <>
inline constexpr auto fields<AdaptiveLimitSettings> = Table{
    field("least", &AdaptiveLimitSettings::least, range(1, 100'000),
          "Never fewer, but for moments in which the usual latency is looked for"),
    field("first", &AdaptiveLimitSettings::first, range(1, 100'000), "As many, before anything is known"),
    field("tolerance", &AdaptiveLimitSettings::tolerance, range(1, 10),
          "Attempts may take so many times what is usual before fewer may be in flight"),
};

template <>
inline constexpr auto fields<ThrottleSettings> = Table{
    field(
        "per_accept", &ThrottleSettings::per_accept, range(1, 100),
        "Attempts that may be made for each that the upstream accepts: that fails with neither overload nor "
        "timeout"),
    field("over", &ThrottleSettings::over, range(1s, 10min), "The time over which both are counted"),
    field("cap", &ThrottleSettings::cap, range(0, 1), "Of the attempts at most this share is refused"),
};

}  // namespace candor::config
