// What is passed on: the lines of the sender, byte for byte and in their order, without those that end here,
// with ours behind them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "candor/http/head.hpp"

namespace candor::http {

/// Towards an upstream.
struct RequestForwarding {
  std::string_view target{};               ///< as RequestHead::origin_target() gives it
  std::optional<std::string_view> host{};  ///< rewrites Host; absent: as the caller sent it
  unsigned attempt = 1;                    ///< candor-attempt
  std::string_view retry_reason{};         ///< candor-retry-reason, from the second attempt on; empty: none
  std::string_view via{};                  ///< pseudonym for a Via line; empty: none
  std::string_view upgrade{};              ///< the protocol to change to, as upgrade_of() gave it
  /// A field that is written anew, in the place of the caller's lines of that name; an empty name: none.
  std::string_view renewed_name{};
  std::string_view renewed_value{};
  bool expect_continue = false;  ///< asks to be told whether the body is wanted
};

/// Whether a request's sender waits to be told that its body is wanted (RFC 9110, 10.1.1).
[[nodiscard]] bool expects_continue(RequestHead const& head);

/// The protocol that a request asks to change to, if it is one of `allowed`: alone in its Upgrade field,
/// named by Connection, in a request of HTTP/1.1 without a body (RFC 9110, 7.8). Empty: none.
[[nodiscard]] std::string_view upgrade_of(RequestHead const& head, std::span<std::string const> allowed);

/// Whether an answer of status 101 changes to that protocol.
[[nodiscard]] bool changes_to(ResponseHead const& head, std::string_view protocol);

/// Whether a Via field says that the message has come through `pseudonym` before.
[[nodiscard]] bool has_passed(Fields const& fields, std::string_view pseudonym);

/// Appends the head for an attempt to `out`, with its empty line. Hop-by-hop fields are dropped (RFC 9110,
/// 7.6.1: every field that Connection names, then the known ones), 100-continue is asked anew, other
/// expectations pass, the framing is made anew from `head.framing` (the Content-Length line stays as it came;
/// chunked gets one Transfer-Encoding line).
void append_request_head(std::string& out, RequestHead const& head, RequestForwarding const& forwarding);

/// How many times an OPTIONS or a TRACE may be passed on (RFC 9110, 7.6.2); absent: as often as it takes. At
/// 0 it is answered here; append_request_head() takes one off. A number beyond 64 bits is the highest of
/// them.
[[nodiscard]] std::optional<std::uint64_t> max_forwards(RequestHead const& head);

/// Towards a caller.
struct ResponseForwarding {
  Version caller_version = Version::http_1_1;
  bool keep_alive = true;           ///< else Connection: close is added
  bool chunked = false;             ///< frame the body as chunks (an until-close body to an HTTP/1.1 caller)
  std::string_view proxy_status{};  ///< a Proxy-Status value to add; empty: none
  std::string_view candor_retry{};  ///< candor-retry: exhausted | refused; empty: none
  std::string_view candor_fallback{};  ///< candor-fallback: fixed | upstream | stale; empty: none
  std::string_view via{};              ///< pseudonym for a Via line; empty: none
  std::string_view date{};             ///< when it came, for an answer that has no Date; empty: none is added
  std::string_view upgrade{};          ///< of a 101: the protocol that the connection changes to
  bool tunnel = false;                 ///< what follows is no HTTP: nothing is said of keeping the connection
};

/// Appends the head for the caller to `out`, with its empty line; the status line is made for the caller's
/// version, the reason phrase kept. One of a status without content says that it has none.
void append_response_head(std::string& out, ResponseHead const& head, ResponseForwarding const& forwarding);

/// Whether the content of an answer may be passed on. That of a 205 is left out, however it is framed: it
/// must have none (RFC 9110, 15.3.6), and some callers read none.
[[nodiscard]] bool has_content(std::uint16_t status);

/// Appends the last chunk of a message whose head has these fields, with the trailer fields of `trailers`
/// (lines with CRLF) that Connection doesn't name there (RFC 9110, 7.6.1).
void append_last_chunk(std::string& out, std::string_view trailers, Fields const& head);

}  // namespace candor::http
