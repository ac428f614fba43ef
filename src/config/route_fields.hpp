// The rows of routes, of what they match, and of shadows: a part of the field table, fields.hpp.
#pragma once

#include <array>

#include "candor/proxy/settings.hpp"
#include "table.hpp"

namespace candor::config {

template <>
inline constexpr auto fields<SignpostSettings> = Table{
    field("match", &SignpostSettings::match, "What a request must look like").required(),
    field("upstream", &SignpostSettings::upstream, format::upstream_name, "Where it goes").required(),
};

template <>
inline constexpr auto fields<MatchSettings> = Table{
    field("hosts", &MatchSettings::hosts, format::host, "Its host is one of these"),
    field("methods", &MatchSettings::methods, format::method, "Its method is one of these"),
    field("path_prefix", &MatchSettings::path_prefix, format::path,
          "Its path begins with these segments; none does that has dot segments"),
    field("path_regex", &MatchSettings::path_regex, format::path_regex,
          "Its whole path is like this (RE2 syntax); none with dot segments is"),
    field("headers", &MatchSettings::headers, "It has all these fields"),
};

template <>
inline constexpr Named<FieldMatchSettings> name_of<FieldMatchSettings>{&FieldMatchSettings::name,
                                                                       format::field_name};
template <>
inline constexpr std::string_view short_form<FieldMatchSettings> = "value";

template <>
inline constexpr auto fields<FieldMatchSettings> = Table{
    field("value", &FieldMatchSettings::value, format::field_value, "The whole value; null: any"),
};

// Of an upstream.

template <>
inline constexpr auto choices<RouteCircuit> = std::array{
    choice(RouteCircuit::shared, "shared", "its attempts count with those of the upstream"),
    choice(RouteCircuit::own, "own",
           "they count by themselves: a route that fails can't take the others down, nor they it"),
};

template <>
inline constexpr auto fields<RouteSettings> = Table{
    field("match", &RouteSettings::match, "What a request must look like").required(),
    field("name", &RouteSettings::name, format::route_name,
          "In metrics, logs and messages; null: after what it matches, POST /charge"),
    field("circuit", &RouteSettings::circuit, "Whose attempts its circuit goes by"),
    field("timeouts", &RouteSettings::timeouts, "How long each part of its requests may take")
        .inherited("upstreams.NAME.timeouts"),
    field("retry", &RouteSettings::retry,
          "Which of its failed attempts are followed by another; the budget is the upstream's")
        .inherited("upstreams.NAME.retry"),
    group("breaker", Table{splice(&RouteSettings::breaker), splice(&RouteSettings::classify)},
          "Of a circuit of its own; failure_statuses and slow_after of the shared one, too")
        .inherited("upstreams.NAME.breaker"),
    field("limit", &RouteSettings::limit,
          "Attempts of it in flight, beside the upstream's; of a circuit of its own")
        .inherited("upstreams.NAME.limit"),
    field("throttle", &RouteSettings::throttle, "Refusing a part of its attempts; of a circuit of its own")
        .inherited("upstreams.NAME.throttle"),
    field("fallback", &RouteSettings::fallback, "What its requests get in the place of an answer")
        .inherited("upstreams.NAME.fallback"),
    heir("shadow", &RouteSettings::shadow, &as_a_shadow,
         "Other rules, which look on its requests; those of a circuit at one of its own only; null: none do"),
};

// Of an upstream, or of a route.

template <>
inline constexpr auto fields<ShadowSettings> = Table{
    field("retry", &ShadowSettings::retry, "As the acting rules, but for what is said here")
        .inherited("upstreams.NAME.retry"),
    field("breaker", &ShadowSettings::breaker,
          "Likewise; it looks at the upstream's circuit, not at endpoints'")
        .inherited("upstreams.NAME.breaker"),
};

}  // namespace candor::config
