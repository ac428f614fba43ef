#include "refusals.hpp"

#include "candor/http/forward.hpp"

namespace candor {

namespace {

http::OwnAnswer too_large() {
  return {.status = 413,
          .error = http::ProxyError::http_request_error,
          .details = "the body is larger than allowed"};
}

http::OwnAnswer nobody_meant() {
  return {.status = 421,
          .error = http::ProxyError::http_request_denied,
          .details = "unknown_host",
          .explanation = "No upstream is configured for this Host."};
}

http::OwnAnswer no_tunnels() {
  return {.status = 501,
          .error = http::ProxyError::http_request_denied,
          .details = "connect",
          .explanation = "CONNECT is not served here."};
}

http::OwnAnswer no_tls() {
  return {.status = 421,
          .error = http::ProxyError::http_request_denied,
          .details = "https",
          .explanation = "What is asked for by https is reached through CONNECT."};
}

http::OwnAnswer in_a_loop() {
  return {.status = 508,
          .error = http::ProxyError::proxy_loop_detected,
          .details = "via",
          .explanation = "This request has come through here before."};
}

/// As the last recipient, which serves nothing of its own, and of which a TRACE is no use (RFC 9110, 7.6.2).
http::OwnAnswer used_up(http::Method method) {
  std::uint16_t const status = method == http::Method::options ? 200 : 405;
  return {.status = status,
          .details = "max_forwards",
          .explanation = "Max-Forwards lets this request go no further.",
          .allow = "OPTIONS"};
}

}  // namespace

http::OwnAnswer not_understood(http::Malformed const& malformed) {
  return {
      .status = malformed.status, .error = http::ProxyError::http_request_error, .details = malformed.detail};
}

http::OwnAnswer head_too_slow() {
  return {
      .status = 408, .error = http::ProxyError::http_request_error, .details = "the head came too slowly"};
}

http::OwnAnswer no_proxy_header() {
  return {
      .status = 400, .error = http::ProxyError::http_request_error, .details = "no PROXY protocol header"};
}

std::optional<http::OwnAnswer> objection(http::RequestHead const& head, Passage const& passage) {
  bool const is_connect = head.method == http::Method::connect;
  if (is_connect && !passage.forward_proxy) return no_tunnels();
  if (http::has_passed(head.fields, passage.via)) return in_a_loop();
  if (!is_connect && head.is_https()) return no_tls();
  if (http::max_forwards(head) == 0U) return used_up(head.method);
  bool const announced = head.framing.kind == http::Framing::Kind::length;
  if (passage.body_limit && announced && head.framing.length > passage.body_limit->count) return too_large();
  if (!passage.leads_somewhere) return nobody_meant();
  return std::nullopt;
}

}  // namespace candor
