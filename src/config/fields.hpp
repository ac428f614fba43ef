// The field table: all that a configuration file can say, one row a setting. From these rows come parsing,
// range checks, "did you mean", the JSON Schema, docs/reference.md and what `validate --effective` prints.
//
// To add a setting: give its struct a member with a default (settings.hpp of its module), and give the member
// a row here, or in one of the files beside it: key, member, range or format, one line of help. A struct with
// a member but no row doesn't compile, nor does a number without a range. Then regenerate what is generated,
// `candor schema` and `candor reference`; a test says so when they are stale. Rules between two settings are
// in rules.cpp.
#pragma once

#include <array>

#include "candor/config/config.hpp"
#include "check_fields.hpp"
#include "endpoint_fields.hpp"
#include "load_fields.hpp"
#include "place.hpp"
#include "route_fields.hpp"
#include "table.hpp"

namespace candor::config {

template <>
inline constexpr auto fields<Config> = Table{
    field("upstreams", &Config::upstreams, "The services that callers reach through Candor, by name")
        .required(),
    field("listeners", &Config::listeners,
          "Shared ports: a request goes to the upstream that its Host names"),
    field("admin", &Config::admin, "The port for operators: metrics, health, what circuits did and why"),
    field("log", &Config::log, "Candor's own log, on stderr"),
    field("access_log", &Config::access_log, "A line a request, its attempts inside"),
    splice(&Config::net),
};

// An upstream.

template <>
inline constexpr Named<UpstreamSettings> name_of<UpstreamSettings>{&UpstreamSettings::name,
                                                                   format::upstream_name};

template <>
inline constexpr auto fields<UpstreamSettings> = Table{
    field("listen", &UpstreamSettings::listen, format::listen_address,
          "Its own port, for its callers alone; null: it is reached through a listener"),
    field("hosts", &UpstreamSettings::hosts, format::host,
          "Host values that lead to it on a listener, besides its name"),
    field("endpoints", &UpstreamSettings::endpoints, "Its addresses; needed unless discover is there"),
    field("discover", &UpstreamSettings::discover,
          "Where endpoints are learnt from while Candor runs, beside those above; null: there are no others"),
    field("balance", &UpstreamSettings::balance, "Which of its endpoints gets an attempt"),
    field("host_header", &UpstreamSettings::host_header, format::authority,
          "The Host that its endpoints see; null: as the caller sent it"),
    field("upgrades", &UpstreamSettings::upgrades, format::protocol,
          "Protocols that a connection may change to by Upgrade; others are asked for in vain"),
    field("timeouts", &UpstreamSettings::timeouts, "How long each part of a request may take"),
    field("retry", &UpstreamSettings::retry, "Which failed attempts are followed by another, and when"),
    group("breaker", Table{splice(&UpstreamSettings::breaker), splice(&UpstreamSettings::classify)},
          "When its circuits open, and how they close"),
    field("eject", &UpstreamSettings::eject, "How many endpoints may be kept out by their own circuits"),
    field("check", &UpstreamSettings::check,
          "Checks of every endpoint, whether there are requests or not; null: none, but open circuits still "
          "try to connect"),
    field("limit", &UpstreamSettings::limit, "How many attempts may be in flight at the same time"),
    field("throttle", &UpstreamSettings::throttle,
          "Refuses a part of the attempts while the upstream does not accept enough of them; null: none"),
    field(
        "fallback", &UpstreamSettings::fallback,
        "What a request gets in the place of an answer: another upstream's, a kept one, a fixed one, in this "
        "order; null: Candor says what went wrong"),
    heir("shadow", &UpstreamSettings::shadow, &as_a_shadow,
         "Other rules, which look on without acting: what would they have done? null: none do"),
    heirs(
        "routes", &UpstreamSettings::routes, &as_a_route,
        "Requests that are treated in another way: the first that matches holds, and where it is silent the "
        "upstream's own settings"),
};

template <>
inline constexpr auto choices<FallbackOn> = std::array{
    choice(FallbackOn::refused, "refused", "Candor refused it: the circuit was open, or a bound was reached"),
    choice(FallbackOn::failed, "failed", "its attempts ended without an answer, or its time was over"),
    choice(FallbackOn::failing_answer, "failing_answer",
           "the answer that it would get makes its attempt a failure"),
};

template <>
inline constexpr Named<FieldSettings> name_of<FieldSettings>{&FieldSettings::name, format::field_name};
template <>
inline constexpr std::string_view short_form<FieldSettings> = "value";
template <>
inline constexpr auto fields<FieldSettings> = Table{
    field("value", &FieldSettings::value, format::field_value, "The whole value").required(),
};

template <>
inline constexpr auto fields<StaleSettings> = Table{
    field("within", &StaleSettings::within, range(1s, 168h),
          "Older answers are not given; what is kept is renewed once a second at most"),
    field("bytes", &StaleSettings::bytes, range(4_KiB, 1024_MiB),
          "All that is kept, per worker; no single answer is larger than a quarter of it"),
};

template <>
inline constexpr auto fields<FallbackSettings> = Table{
    field("on", &FallbackSettings::on, "Requests that get it"),
    field("upstream", &FallbackSettings::upstream, format::upstream_name,
          "Another upstream that is asked, if the request may be sent again; null: none is"),
    field("stale", &FallbackSettings::stale,
          "The last good answer to the same GET, if anybody may see it; null: none is kept"),
    field("status", &FallbackSettings::status, range(200, 599), "Of a fixed answer; null: there is none"),
    field("content_type", &FallbackSettings::content_type, format::field_value, "Of the fixed answer's body"),
    field("headers", &FallbackSettings::headers, "More of its fields"),
    field("body", &FallbackSettings::body, format::text, "Its body"),
};

template <>
inline constexpr auto choices<DeadlineFormat> = std::array{
    choice(DeadlineFormat::milliseconds, "milliseconds", "1500"),
    choice(DeadlineFormat::seconds, "seconds", "2, or 1.5"),
    choice(DeadlineFormat::grpc, "grpc", "1500m, as in grpc-timeout"),
};

template <>
inline constexpr auto fields<DeadlineHeaderSettings> = Table{
    field("name", &DeadlineHeaderSettings::name, format::field_name, "The field").required(),
    field("format", &DeadlineHeaderSettings::format, "How its value is written"),
};

template <>
inline constexpr auto fields<TimeoutSettings> = Table{
    field("connect", &TimeoutSettings::connect, range(1ms, 1h), "Until a connection stands"),
    field("attempt", &TimeoutSettings::attempt, range(1ms, 1h), "Until the head of an attempt's response"),
    field("request", &TimeoutSettings::request, range(1ms, 24h),
          "Retries and waits included, until the answer begins to flow to the caller"),
    field("idle", &TimeoutSettings::idle, range(1ms, 24h), "Between two pieces of a body, either way"),
    field("total", &TimeoutSettings::total, range(1ms, 168h),
          "For the whole exchange, bodies and tunnels included; null: no bound"),
    field("tunnel", &TimeoutSettings::tunnel, range(1ms, 168h),
          "A tunnel (CONNECT, Upgrade) without a byte either way"),
    field("go_ahead", &TimeoutSettings::go_ahead, range(0s, 1h),
          "Until an endpoint says whether it wants a body (Expect: 100-continue); then it is sent"),
    field(
        "deadline_header", &TimeoutSettings::deadline_header,
        "The field in which callers say how long they wait: it can only shorten request, and each attempt is "
        "told what is left; null: they are not asked"),
};

// Retries.

template <>
inline constexpr auto choices<Replay> = std::array{
    choice(Replay::never, "never", "no request"),
    choice(Replay::idempotent, "idempotent", "requests whose method is idempotent"),
    choice(Replay::with_key, "with_key", "those, and requests with an idempotency key"),
    choice(Replay::always, "always", "every request"),
};

template <>
inline constexpr auto fields<RetrySettings> = Table{
    field("attempts", &RetrySettings::attempts, range(1, 20), "Attempts of a request in all; 1: no retries"),
    field("on", &RetrySettings::on, "Failures worth another attempt: their kinds, and failure statuses"),
    field("backoff", &RetrySettings::backoff, "The wait before a retry; a longer Retry-After replaces it"),
    field("budget", &RetrySettings::budget,
          "How many retries the upstream may cost: ratio times its requests, and per_second on top"),
    field("replay", &RetrySettings::replay,
          "Requests that may be sent again although bytes of them had left"),
    field("idempotency_keys", &RetrySettings::idempotency_keys, format::field_name,
          "Fields that make a request safe to send again"),
    field("replay_limit", &RetrySettings::replay_limit, range(0_B, 64_MiB),
          "A request body beyond it streams, and is not sent again"),
    field("hedge", &RetrySettings::hedge,
          "One more attempt beside one that takes long, on another endpoint if there is one, paid for by the "
          "budget; the first good answer is given; null: none"),
};

template <>
inline constexpr auto fields<HedgeSettings> = Table{
    field("after", &HedgeSettings::after, range(1ms, 1min),
          "How long the first one has; null: quantile alone says"),
    field(
        "quantile", &HedgeSettings::quantile, range(0.5, 0.999),
        "As long as this share of the attempts takes, once 100 of the last minute are known, and no shorter "
        "than after; null: after alone says"),
};

template <>
inline constexpr auto choices<FailureKind> = std::array{
    choice(FailureKind::connect, "connect", "no connection: refused, unreachable, or too late"),
    choice(FailureKind::dns, "dns", "the name gave no address"),
    choice(FailureKind::tls, "tls", "the handshake failed"),
    choice(FailureKind::timeout, "timeout", "no response head within the attempt's timeout"),
    choice(FailureKind::reset, "reset", "the connection broke"),
    choice(FailureKind::truncated, "truncated", "the body ended before its announced length"),
    choice(FailureKind::protocol, "protocol", "bytes that are no valid response"),
    choice(FailureKind::status, "status", "any of breaker.failure_statuses"),
    choice(FailureKind::overload, "overload", "429, or 503 with Retry-After: busy, not dead"),
};

template <>
inline constexpr auto choices<BackoffSettings::Jitter> = std::array{
    choice(BackoffSettings::Jitter::full, "full", "anything from nothing to the whole wait"),
    choice(BackoffSettings::Jitter::equal, "equal", "from half of it to the whole"),
    choice(BackoffSettings::Jitter::decorrelated, "decorrelated",
           "from base to three times the previous wait"),
    choice(BackoffSettings::Jitter::none, "none", "the whole wait, always: waves of retries included"),
};

template <>
inline constexpr auto fields<BackoffSettings> = Table{
    field("base", &BackoffSettings::base, range(1ms, 1min),
          "Before the second attempt; doubles with each that follows"),
    field("cap", &BackoffSettings::cap, range(1ms, 10min), "No wait is longer"),
    field("jitter", &BackoffSettings::jitter, "What chance makes of a wait"),
};

template <>
inline constexpr auto fields<BudgetSettings> = Table{
    field("ratio", &BudgetSettings::ratio, range(0, 100), "Retries that each request pays for"),
    field("per_second", &BudgetSettings::per_second, range(0, 1'000'000), "Retries a second that are free"),
    field("over", &BudgetSettings::over, range(1s, 10min), "The time over which both are counted"),
    field("stretch", &BudgetSettings::stretch, range(0, 100),
          "Stands in for ratio while retries succeed and nothing speaks of overload; null: never"),
};

// The breaker.

template <>
inline constexpr auto fields<BreakerSettings> = Table{
    field("enabled", &BreakerSettings::enabled, "false: attempts are counted, but no circuit ever opens"),
    field("window", &BreakerSettings::window, range(100ms, 10min),
          "Attempts that are not older are looked at"),
    field("trip", &BreakerSettings::trip, "The rules that open a circuit; any one that holds opens it"),
    field("slow_after", &BreakerSettings::slow_after, range(1ms, 1h),
          "An attempt without a response head by then is marked slow; null: never"),
    field("open", &BreakerSettings::open, "How long an open circuit waits before it probes"),
    field("probe", &BreakerSettings::probe, "The attempts that find out whether the upstream is back"),
    field("ramp", &BreakerSettings::ramp, "How traffic comes back after that"),
};

template <>
inline constexpr auto fields<ClassifySettings> = Table{
    field("failure_statuses", &ClassifySettings::failure_statuses, "Statuses that make an attempt a failure"),
};

/// Who names a classic rule wants that one, not one more. Named here: one that is inherited has come with its
/// neighbours.
inline void drop_unnamed_evidence(TripSettings& trip, Place const& at) {
  bool const has_classic = (trip.consecutive_failures && at.find("consecutive_failures")) ||
                           (trip.failure_rate && at.find("failure_rate")) ||
                           (trip.slow_rate && at.find("slow_rate"));
  if (has_classic && !at.find("evidence")) trip.evidence.reset();
}

template <>
inline constexpr auto fields<TripSettings> = Table{
    field("evidence", &TripSettings::evidence,
          "Statistics of failures; off when one of the next three is named and this is not"),
    field("consecutive_failures", &TripSettings::consecutive_failures, range(1, 10'000),
          "Classic: as many failed attempts in a row"),
    field("failure_rate", &TripSettings::failure_rate, "Classic: failed attempts over all, in the window"),
    field("slow_rate", &TripSettings::slow_rate,
          "Classic: slow attempts over all, in the window; needs slow_after"),
    field("strain_rate", &TripSettings::strain_rate,
          "Answered requests that needed more than one attempt, over all, in the window"),
    afterwards(&drop_unnamed_evidence),
};

template <>
inline constexpr auto fields<EvidenceSettings> = Table{
    field("failure_rate", &EvidenceSettings::failure_rate, range(0.01, 1),
          "Opens when the failure ratio is at least this, with 95% confidence"),
    field("minimum_attempts", &EvidenceSettings::minimum_attempts, range(1, 100'000),
          "Attempts in the window before the ratio counts"),
    field("false_trip", &EvidenceSettings::false_trip, range(1e-15, 0.1),
          "Opens on a run of failures that healthy traffic would show with this chance"),
};

template <>
inline constexpr auto fields<FailureRateSettings> = Table{
    field("ratio", &FailureRateSettings::ratio, range(0.01, 1),
          "Opens when the share of failed attempts reaches it"),
    field("minimum_attempts", &FailureRateSettings::minimum_attempts, range(1, 100'000),
          "Attempts in the window before it counts"),
};

template <>
inline constexpr auto fields<SlowRateSettings> = Table{
    field("ratio", &SlowRateSettings::ratio, range(0.01, 1),
          "Opens when the share of slow attempts reaches it"),
    field("minimum_attempts", &SlowRateSettings::minimum_attempts, range(1, 100'000),
          "Attempts in the window before it counts"),
};

template <>
inline constexpr auto fields<StrainRateSettings> = Table{
    field("ratio", &StrainRateSettings::ratio, range(0.01, 1),
          "Opens when the share of such requests reaches it"),
    field("minimum_requests", &StrainRateSettings::minimum_requests, range(1, 100'000),
          "Requests in the window before it counts"),
};

template <>
inline constexpr auto fields<OpenSettings> = Table{
    field("first", &OpenSettings::first, range(1ms, 1h), "The shortest wait"),
    field("patience", &OpenSettings::patience, range(0, 10),
          "The wait, as a share of the time since the circuit first opened"),
    field("cap", &OpenSettings::cap, range(1ms, 1h), "The longest wait"),
    field("jitter", &OpenSettings::jitter, range(0, 0.9),
          "Each wait is longer or shorter by up to this share"),
};

template <>
inline constexpr auto fields<ProbeSettings> = Table{
    field("in_flight", &ProbeSettings::in_flight, range(1, 1000), "Probes at the same time"),
    field("successes", &ProbeSettings::successes, range(1, 1000),
          "Good ones in a row that close the circuit"),
};

template <>
inline constexpr auto fields<RampSettings> = Table{
    field("from", &RampSettings::from, range(0.01, 1), "The share of requests that is let through at first"),
    field("over", &RampSettings::over, range(0, 10),
          "How long it takes, as a share of the time the circuit was away"),
    field("cap", &RampSettings::cap, range(0s, 1h), "The longest it takes"),
    field("floor_per_second", &RampSettings::floor_per_second, range(0.1, 1'000'000),
          "Attempts a second that are let through whatever the share"),
};

// Ports, sockets and logs.

template <>
inline constexpr auto choices<ListenerSettings::Mode> = std::array{
    choice(ListenerSettings::Mode::route, "route", "its callers take it for the upstreams"),
    choice(ListenerSettings::Mode::forward_proxy, "forward_proxy",
           "its callers know that it is a proxy: CONNECT opens a tunnel, and answers have a Via"),
};

template <>
inline constexpr auto fields<ListenerSettings> = Table{
    field("listen", &ListenerSettings::listen, format::listen_address, "Where it listens").required(),
    field("mode", &ListenerSettings::mode, "What it is to its callers"),
    field("proxy_protocol", &ListenerSettings::proxy_protocol,
          "true: each connection begins with a PROXY protocol header (1 or 2), and none goes without"),
    field("connections", &ListenerSettings::connections, range(1, 10'000'000),
          "Connections of its callers; null: as many as limits.connections leaves"),
    field("routes", &ListenerSettings::signposts,
          "Looked at in their order, before the Host: the first that matches says where a request goes"),
};

template <>
inline constexpr auto fields<AdminSettings> = Table{
    field("listen", &AdminSettings::listen, format::tcp_address, "Where it listens; null: nowhere"),
    field("hosts", &AdminSettings::hosts, format::host,
          "Host values that it answers to, besides loopback names, IP addresses and the host of listen"),
    field(
        "changes", &AdminSettings::changes,
        "true: it takes orders, too, such as to hold a circuit open; listen must be a loopback address then. "
        "false: it only tells"),
};

template <>
inline constexpr auto choices<LogSettings::Level> = std::array{
    choice(LogSettings::Level::debug, "debug", "everything"),
    choice(LogSettings::Level::info, "info", "what changes: circuits, configuration, start and end"),
    choice(LogSettings::Level::warn, "warn", "what an operator should look at"),
    choice(LogSettings::Level::error, "error", "what doesn't work"),
};

template <>
inline constexpr auto fields<LogSettings> = Table{
    field("level", &LogSettings::level, "How much it says"),
};

template <>
inline constexpr auto choices<AccessLogSettings::Mode> = std::array{
    choice(AccessLogSettings::Mode::off, "off", "no request"),
    choice(AccessLogSettings::Mode::sampled, "sampled", "a share of the requests, and every one that failed"),
    choice(AccessLogSettings::Mode::all, "all", "every request"),
};

template <>
inline constexpr auto fields<AccessLogSettings> = Table{
    field("mode", &AccessLogSettings::mode, "Which requests are logged"),
    field("sample", &AccessLogSettings::sample, range(0, 1), "The share, when sampled"),
    field("path", &AccessLogSettings::path, format::file, "Where the lines go"),
    field("queue", &AccessLogSettings::queue, range(1, 10'000'000),
          "Lines that may wait to be written; what comes on top is dropped, and counted"),
};

template <>
inline constexpr auto fields<NetSettings> = Table{
    field("workers", &NetSettings::workers, range(1, 1024),
          "Threads that carry requests; null: one per processor"),
    field(
        "via", &NetSettings::via, format::pseudonym,
        "Its name in Via, by which it also knows a loop; null: candor- and eight hex digits, drawn at start"),
    field("drain_timeout", &NetSettings::drain_timeout, range(0s, 1h),
          "How long requests in flight may take to finish after SIGTERM"),
    field("limits", &NetSettings::limits, "What may be sent to it"),
    field("pool", &NetSettings::pool, "Connections to endpoints that are kept for the next attempt"),
    field("dns", &NetSettings::dns, "How the names of endpoints are looked up"),
};

// No head can be larger than the block that a session reads it into, 64KiB (net).
template <>
inline constexpr auto fields<LimitSettings> = Table{
    field("head", &LimitSettings::head, range(1_KiB, 64_KiB),
          "The start line and fields of a request, beyond it: 431; or of an answer, beyond it: 502"),
    field("target", &LimitSettings::target, range(64_B, 64_KiB), "A request's target; beyond it: 414"),
    field("fields", &LimitSettings::fields, range(1, 10'000),
          "The field lines of a request, beyond it: 431; or of an answer, beyond it: 502"),
    field("body", &LimitSettings::body, range(0_B, Bytes{std::uint64_t{1} << 40U}),
          "A request's body; beyond it: 413; null: no bound"),
    field(
        "body_rate", &LimitSettings::body_rate, range(1_B, 1024_MiB),
        "What a request's body must keep up a second while it is waited for; below it: 408; null: no bound"),
    field("body_grace", &LimitSettings::body_grace, range(1ms, 1h), "How far it may be behind"),
    field("head_timeout", &LimitSettings::head_timeout, range(1ms, 1h),
          "From the first byte of a head to its last; beyond it: 408"),
    field("idle", &LimitSettings::idle, range(1ms, 24h), "How long a connection without a request is kept"),
    field("connections", &LimitSettings::connections, range(1, 10'000'000), "Connections of callers, in all"),
};

}  // namespace candor::config
