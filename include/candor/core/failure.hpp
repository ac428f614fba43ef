// Why there is no response, as a value.
#pragma once

#include <boost/system/result.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "candor/core/outcome.hpp"

namespace candor {

/// Why a wait or an attempt was told to stop.
enum class CancelReason : std::uint8_t {
  caller_left,      ///< the caller hung up
  deadline,         ///< the request's deadline passed
  attempt_timeout,  ///< the attempt's own timeout passed
  connect_timeout,  ///< no connection within the connect timeout
  idle_timeout,     ///< no byte of a body, or of a head, for too long
  circuit_opened,   ///< a retry was waiting when its circuit opened
  shutdown,         ///< the drain timeout passed
  go_ahead,         ///< no longer waits for a word on whether the body may come
};

[[nodiscard]] std::string_view name(CancelReason);

/// Candor's own "no", given without touching an upstream. Never an attempt, never retried.
enum class Refusal : std::uint8_t {
  circuit_open,     ///< the window of an open circuit still runs
  probe_in_flight,  ///< half-open, and every probe slot is taken
  ramping,          ///< just recovered: outside the admitted share
  held,             ///< held open by hand
  no_endpoint,      ///< the upstream has none at the moment
  limit,            ///< as many attempts are in flight as may be
  throttled,        ///< the upstream accepts too few
  queue_full,       ///< as many attempts as may wait for room already do
  queue_timeout,    ///< there was no room for as long as it may wait
};

inline constexpr std::size_t refusals = 9;

[[nodiscard]] std::string_view name(Refusal);

/// What was wrong with a response's bytes, where RFC 9209 has a word for it.
enum class ProtocolFault : std::uint8_t { other, head_too_large, transfer_coding, upgrade };

/// An attempt that reached its end without a response that can be passed on.
struct AttemptFailed {
  FailureKind kind{};
  ProtocolFault fault = ProtocolFault::other;  ///< of FailureKind::protocol
};

/// A pooled connection turned out to be closed before any byte of a response: see Outcome::excluded.
struct StaleConnection {};

/// The caller's own body broke off, or could not be taken.
struct CallerBodyBroken {
  bool late = false;  ///< it did not come in time
};

/// We could not even try: no descriptor, port or memory was left, or a bound of ours is reached. It says
/// nothing about the endpoint.
struct OutOfResources {
  bool connections = false;  ///< there are as many as we allow
  bool descriptors = false;  ///< the process has as many files open as it may
};

/// Why there is no response. `detail` is for the log and for the answer's Proxy-Status details: a short token
/// or phrase, no addresses.
struct Failure {
  using Cause =
      std::variant<AttemptFailed, StaleConnection, CallerBodyBroken, OutOfResources, Refusal, CancelReason>;

  Cause cause{};
  std::string_view detail{};  ///< static text

  Failure() = default;  ///< only because result::error() asks for it
  Failure(Cause what, std::string_view why = {})
      : cause(what), detail(why) {}  // NOLINT: a cause is a failure
  Failure(FailureKind kind, std::string_view why = {}) : cause(AttemptFailed{kind}), detail(why) {}  // NOLINT

  /// The cause, if it is of this kind. By value: it is small, and result::error() gives temporaries.
  template <class T>
  [[nodiscard]] std::optional<T> get() const {
    auto const* found = std::get_if<T>(&cause);
    return found ? std::optional<T>{*found} : std::nullopt;
  }
};

template <class T>
using Result = boost::system::result<T, Failure>;

/// boost::system::result asks for this when value() is called on a failure: a bug in our code.
[[noreturn]] void throw_exception_from_error(Failure const& failure, boost::source_location const& where);

}  // namespace candor
