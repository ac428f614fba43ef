// What the data path tells those who count and log. One observer per worker, called on its thread only.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "candor/core/time.hpp"
#include "candor/http/proxy_status.hpp"
#include "candor/proxy/attempt.hpp"
#include "candor/resilience/check_course.hpp"
#include "candor/resilience/hedge.hpp"
#include "candor/resilience/retry.hpp"

namespace candor {

class Exchange;
class Route;
class Upstream;
enum class FallbackKind : std::uint8_t;

/// How a request ended, for its caller.
enum class RequestResult : std::uint8_t {
  answered,   ///< an upstream's answer, passed on whole; whatever its status
  failed,     ///< Candor's own answer: the attempts gave nothing to pass on
  refused,    ///< Candor's own answer: no attempt was made
  broken,     ///< the answer broke off on its way
  abandoned,  ///< the caller left
};
inline constexpr std::size_t request_results = 5;

[[nodiscard]] std::string_view name(RequestResult result);

struct RequestEnd {
  RequestResult result = RequestResult::answered;
  std::uint16_t status = 0;                 ///< sent to the caller; 0: none was
  std::optional<http::ProxyError> error{};  ///< of Candor's own answers
  std::string_view details{};               ///< as in Proxy-Status
  std::uint64_t body_bytes_in = 0;          ///< of the request
  std::uint64_t body_bytes_out = 0;         ///< of the answer
  Instant at{};
};

/// What happened to a connection to an endpoint.
enum class PoolEvent : std::uint8_t {
  opened,   ///< connected
  reused,   ///< taken from the pool
  kept,     ///< given to the pool
  dropped,  ///< left the pool unused: too old, too many, or closed by the endpoint
  closed,   ///< closed, wherever it was
};
inline constexpr std::size_t pool_events = 5;

class Observer {
 public:
  virtual ~Observer() = default;

  /// Each is followed by its request_ended().
  virtual void request_begun(Route const&) {}
  virtual void attempt_settled(Route const&, AttemptRecord const&) {}
  virtual void retry_sent(Route const&, std::string_view /*reason*/) {}
  virtual void retry_denied(Route const&, RetryDenied) {}
  virtual void hedged(Route const&, HedgeResult) {}
  /// An attempt has waited for room under the limit, and got its permit.
  virtual void attempt_waited(Route const&, Duration) {}
  /// A caller's own deadline could not be read.
  virtual void deadline_ignored(Route const&) {}
  virtual void late_break(Route const&, AttemptRecord const&) {}
  virtual void fallback_given(Route const&, FallbackKind) {}
  virtual void request_ended(Exchange const&, RequestEnd const&) {}
  /// A message that never became a request: malformed, too large, too slow, or for nobody.
  virtual void rejected(std::uint16_t /*status*/, std::optional<http::ProxyError>) {}
  /// Checks have found an endpoint ill, or well again.
  virtual void check_changed(Upstream const&, EndpointId, CheckReport const&) {}
  virtual void pool_event(Upstream const&, PoolEvent) {}
  virtual void caller_connected() {}
  virtual void caller_disconnected() {}
  /// A caller's connection was turned away: too many, or no descriptor left.
  virtual void caller_refused() {}
};

}  // namespace candor
