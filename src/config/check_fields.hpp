// The part of the field table that says when endpoints are kept out: eject and check. See fields.hpp.
#pragma once

#include <array>

#include "candor/proxy/settings.hpp"
#include "format.hpp"
#include "table.hpp"

namespace candor::config {

template <>
inline constexpr auto choices<EjectSettings::WhenAllEjected> = std::array{
    choice(EjectSettings::WhenAllEjected::refuse, "refuse", "it is refused"),
    choice(EjectSettings::WhenAllEjected::try_anyway, "try_anyway",
           "it goes to an ejected one, but to none that is held open by hand"),
};

template <>
inline constexpr auto fields<EjectSettings> = Table{
    field("enabled", &EjectSettings::enabled, "false: the upstream's circuit alone judges"),
    field("cap", &EjectSettings::cap, range(0, 1),
          "Share of the endpoints that may be out at the same time; one of two may, the last one never; 0: "
          "none"),
    field("when_all_ejected", &EjectSettings::when_all_ejected,
          "What becomes of a request when no endpoint is left that may have it"),
};

template <>
inline constexpr auto choices<CheckMethod> = std::array{
    choice(CheckMethod::get, "GET", "the head of the answer is read, and no body"),
    choice(CheckMethod::head, "HEAD", "there is no body"),
    choice(CheckMethod::options, "OPTIONS", "like GET"),
};

template <>
inline constexpr auto fields<CheckPaceSettings> = Table{
    field("every", &CheckPaceSettings::every, range(10ms, 1h),
          "From the beginning of one to that of the next, at each endpoint"),
    field("every_ill", &CheckPaceSettings::every_ill, range(10ms, 1h),
          "The same after a bad one, until the endpoint is well again; null: as every"),
    field("timeout", &CheckPaceSettings::timeout, range(1ms, 1h),
          "For the whole of a check: connection, request and the head of the answer"),
    field("jitter", &CheckPaceSettings::jitter, range(0, 0.9),
          "Each wait is longer or shorter by up to this share"),
    field("healthy", &CheckPaceSettings::healthy, range(1, 1000),
          "Good ones in a row that find an endpoint well again"),
    field("unhealthy", &CheckPaceSettings::unhealthy, range(1, 1000),
          "Bad ones in a row that find it ill: it is ejected, and an upstream whose endpoints are all ill "
          "refuses"),
};

template <>
inline constexpr auto fields<CheckSettings> = Table{
    field("path", &CheckSettings::path, format::target,
          "What is asked for; null: an endpoint that takes a connection is well"),
    field("method", &CheckSettings::method, "How it is asked for"),
    field("host", &CheckSettings::host, format::authority,
          "The Host of checks; null: host_header, or the endpoint's address"),
    field("statuses", &CheckSettings::statuses, "Those of good answers"),
    splice(&CheckSettings::pace),
};

}  // namespace candor::config
