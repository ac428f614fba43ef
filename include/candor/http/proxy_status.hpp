// What Candor says for itself: Proxy-Status (RFC 9209) and problem details (RFC 9457).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "candor/core/time.hpp"
#include "candor/http/head.hpp"

namespace candor::http {

/// The error types of RFC 9209, 2.3, that Candor uses. The same token is the metrics' `error` label and the
/// field of the access log.
enum class ProxyError : std::uint8_t {
  dns_timeout,
  dns_error,
  destination_not_found,
  destination_unavailable,
  connection_refused,
  connection_terminated,
  connection_timeout,
  connection_read_timeout,
  connection_write_timeout,
  connection_limit_reached,
  tls_protocol_error,
  tls_certificate_error,
  tls_alert_received,
  http_request_error,
  http_request_denied,
  http_response_incomplete,
  http_response_header_section_size,
  http_response_transfer_coding,
  http_response_timeout,
  http_upgrade_failed,
  http_protocol_error,
  proxy_internal_response,
  proxy_internal_error,
  proxy_configuration_error,
  proxy_loop_detected,
};
inline constexpr std::size_t proxy_errors = 25;

[[nodiscard]] std::string_view name(ProxyError error);

/// `candor; error=TYPE; details="..."`, quoted as RFC 8941 strings are (characters outside of it dropped).
[[nodiscard]] std::string proxy_status(ProxyError error, std::string_view details);

/// `candor; received-status=503; details="..."`: an upstream's own answer that Candor had a hand in.
[[nodiscard]] std::string proxy_status_received(std::uint16_t status, std::string_view details);

/// An answer of Candor's own.
struct OwnAnswer {
  std::uint16_t status = 502;
  std::optional<ProxyError> error{};      ///< absent: a plain protocol answer such as 408
  std::string_view details{};             ///< short token or phrase: "circuit_open"
  std::string history{};                  ///< what went before, behind it in Proxy-Status: "attempts=2"
  std::string explanation{};              ///< a sentence for a person; empty: the status's usual one
  std::optional<Duration> retry_after{};  ///< Retry-After, rounded up to seconds, at least 1
  std::string_view candor_retry{};        ///< refused | exhausted; empty: none
  std::string_view allow{};               ///< the methods that would have been taken (Allow); empty: not said
};

/// To whom Candor answers.
struct AnswerTo {
  std::string_view accept{};  ///< the caller's Accept value
  Method method = Method::get;
  Version version = Version::http_1_1;
  bool keep_alive = false;
  std::string_view date{};  ///< now, as a Date says it; empty: not said
};

/// Appends the whole answer, head and body, to `out`: application/problem+json, or text/plain where the
/// caller prefers it; no body bytes for HEAD.
void append_own_answer(std::string& out, OwnAnswer const& answer, AnswerTo const& to);

/// The standard reason phrase; "Unknown" for others.
[[nodiscard]] std::string_view reason_phrase(std::uint16_t status);

}  // namespace candor::http
