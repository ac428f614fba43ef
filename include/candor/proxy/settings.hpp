// What an upstream's pipeline can be told. Plain structs; the defaults stand here and nowhere else.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "candor/core/bytes.hpp"
#include "candor/core/time.hpp"
#include "candor/resilience/settings.hpp"

namespace candor {

/// One address, or one name that stands for several, of an upstream.
struct EndpointSettings {
  /// HOST:PORT, HOST an IPv4 address, a [bracketed] IPv6 one, or a name; or unix:PATH.
  std::string address;
  unsigned weight = 1;    ///< its share among the endpoints of its priority
  unsigned priority = 0;  ///< of its group: the lowest first, the others for failover
  bool operator==(EndpointSettings const&) const = default;
};

/// Where endpoints are learnt from while Candor runs: exactly one of the three.
struct DiscoverSettings {
  /// What an answer does that holds no endpoint: a mistake more often than the truth.
  enum class Empty : std::uint8_t { keep, remove };

  std::optional<std::string> dns{};   ///< NAME:PORT; each address of the name is an endpoint
  std::optional<std::string> srv{};   ///< a name with SRV records; each target is an endpoint
  std::optional<std::string> file{};  ///< a list of endpoints; watched
  Empty on_empty = Empty::keep;
};

/// How a caller writes how long it waits.
enum class DeadlineFormat : std::uint8_t { milliseconds, seconds, grpc };

/// A field of the request in which its caller says how long it waits for the answer.
struct DeadlineHeaderSettings {
  std::string name;
  DeadlineFormat format = DeadlineFormat::milliseconds;
};

struct TimeoutSettings {
  Duration connect = 1s;
  Duration attempt = 5s;   ///< to the response's head
  Duration request = 15s;  ///< retries and waits included, until the answer begins to flow to the caller
  Duration idle = 30s;     ///< between bytes of a body, either way
  std::optional<Duration> total{};  ///< for the whole exchange; absent: no bound
  Duration tunnel = 1h;             ///< without a byte either way
  /// Until an endpoint says whether it wants a body that its caller holds back (Expect: 100-continue). Then
  /// the caller is told to send it.
  Duration go_ahead = 1s;
  /// Can shorten `request`, and tells each attempt what is left; absent: callers are not asked.
  std::optional<DeadlineHeaderSettings> deadline_header{};
};

/// A field that a request must have.
struct FieldMatchSettings {
  std::string name;
  std::optional<std::string> value{};  ///< exactly; absent: any
  bool operator==(FieldMatchSettings const&) const = default;
};

/// What a request must look like; what is not said matches everything.
struct MatchSettings {
  std::vector<std::string> hosts{};           ///< any of them
  std::vector<std::string> methods{};         ///< any of them
  std::optional<std::string> path_prefix{};   ///< in whole segments: /a is /a and /a/b, not /ab
  std::optional<std::string> path_regex{};    ///< of the whole path, see core/pattern.hpp
  std::vector<FieldMatchSettings> headers{};  ///< all of them
  bool operator==(MatchSettings const&) const = default;
};

/// Stands at a shared port: requests that match go to this upstream, whatever their Host.
struct SignpostSettings {
  MatchSettings match{};
  std::string upstream;
};

/// Why a request gets a fallback.
enum class FallbackOn : std::uint8_t { refused, failed, failing_answer };

/// A field of an answer.
struct FieldSettings {
  std::string name;
  std::string value;
};

/// The last good answers, kept for when there is none.
struct StaleSettings {
  Duration within = 60s;  ///< older ones are not given
  Bytes bytes = 1_MiB;    ///< all that is kept, per worker
};

/// What a request gets in the place of an answer. What is given comes in this order: another upstream's
/// answer, a kept one, a fixed one; at least one of them is.
struct FallbackSettings {
  std::vector<FallbackOn> on{FallbackOn::refused, FallbackOn::failed};
  std::optional<std::string> upstream{};                   ///< that is asked instead; absent: none is
  std::optional<StaleSettings> stale{};                    ///< absent: nothing is kept
  std::optional<std::uint16_t> status{};                   ///< of the fixed answer; absent: there is none
  std::string content_type = "text/plain; charset=utf-8";  ///< of `body`, unless that is empty
  std::vector<FieldSettings> headers{};                    ///< more fields of it
  std::string body{};
};

/// How a check asks.
enum class CheckMethod : std::uint8_t { get, head, options };

/// Checks of every endpoint, whether there are requests or not.
struct CheckSettings {
  std::optional<std::string> path{};  ///< that is asked for; absent: to take a connection is enough
  CheckMethod method = CheckMethod::get;
  std::optional<std::string> host{};              ///< absent: `host_header`, else the endpoint's address
  std::vector<StatusRange> statuses{{200, 399}};  ///< of good answers
  CheckPaceSettings pace{};
};

/// A second set of rules that looks on without acting. Whole: what a file does not say of them, they have
/// from the acting ones.
struct ShadowSettings {
  RetrySettings retry{};
  BreakerSettings breaker{};
};

/// Whose attempts a route's circuit goes by.
enum class RouteCircuit : std::uint8_t {
  shared,  ///< those of the upstream: all routes but the ones with a circuit of their own
  own,     ///< the route's alone: it can neither open the others' circuit nor be refused by it
};

/// A part of an upstream's requests, and how it is treated. Whole: what a file does not say of a route, it
/// has from its upstream.
struct RouteSettings {
  MatchSettings match{};
  std::optional<std::string> name{};  ///< absent: one is made of `match`, see route.hpp
  RouteCircuit circuit = RouteCircuit::shared;
  TimeoutSettings timeouts{};
  ClassifySettings classify{};
  RetrySettings retry{};         ///< but for the budget, which is the upstream's
  BreakerSettings breaker{};     ///< of a circuit of its own; of the shared one the upstream's holds
  AttemptLimitSettings limit{};  ///< likewise, and beside the upstream's
  std::optional<ThrottleSettings> throttle{};  ///< likewise
  std::optional<FallbackSettings> fallback{};
  std::optional<ShadowSettings> shadow{};  ///< of its own requests, and of a circuit of its own; absent: none
};

struct UpstreamSettings {
  std::string name;
  std::optional<std::string> listen{};  ///< its own port: ADDRESS:PORT, or unix:PATH
  std::vector<std::string> hosts{};  ///< Host values that route to it on a shared port; its name always does
  std::vector<EndpointSettings> endpoints{};
  std::optional<DiscoverSettings> discover{};  ///< further ones, or all; absent: there are no others
  BalanceSettings balance{};
  std::optional<std::string> host_header{};  ///< rewrites Host; absent: as the caller sent it
  /// Protocols that a connection may change to (RFC 9110, 7.8); others are asked for in vain.
  std::vector<std::string> upgrades{"websocket"};
  TimeoutSettings timeouts{};
  ClassifySettings classify{};
  RetrySettings retry{};
  BreakerSettings breaker{};
  EjectSettings eject{};
  AttemptLimitSettings limit{};
  std::optional<ThrottleSettings> throttle{};  ///< absent: it refuses none
  std::optional<CheckSettings> check{};        ///< absent: none, but the connects that open circuits wait for
  std::optional<FallbackSettings> fallback{};  ///< absent: Candor says what went wrong
  std::optional<ShadowSettings> shadow{};      ///< absent: no other rules look on
  std::vector<RouteSettings> routes{};  ///< the first that matches; the others are treated as said here
};

/// How an upstream treats the requests that none of its routes takes, and what each of these begins with; but
/// for the shadow, which has other rules to watch there.
[[nodiscard]] inline RouteSettings as_a_route(UpstreamSettings const& upstream) {
  return {.timeouts = upstream.timeouts,
          .classify = upstream.classify,
          .retry = upstream.retry,
          .breaker = upstream.breaker,
          .limit = upstream.limit,
          .throttle = upstream.throttle,
          .fallback = upstream.fallback};
}

/// What the shadow of an upstream begins with.
[[nodiscard]] inline ShadowSettings as_a_shadow(UpstreamSettings const& acting) {
  return {.retry = acting.retry, .breaker = acting.breaker};
}
/// What the shadow of a route does.
[[nodiscard]] inline ShadowSettings as_a_shadow(RouteSettings const& acting) {
  return {.retry = acting.retry, .breaker = acting.breaker};
}

}  // namespace candor
