// What Candor says to messages that never become a request for an upstream.
#pragma once

#include <optional>
#include <string_view>

#include "candor/core/bytes.hpp"
#include "candor/http/head.hpp"
#include "candor/http/parse.hpp"
#include "candor/http/proxy_status.hpp"

namespace candor {

[[nodiscard]] http::OwnAnswer not_understood(http::Malformed const& malformed);
[[nodiscard]] http::OwnAnswer head_too_slow();
[[nodiscard]] http::OwnAnswer no_proxy_header();

/// Where a head came in, and where it would go.
struct Passage {
  bool forward_proxy = false;    ///< its caller knows that we are a proxy
  bool leads_somewhere = false;  ///< some upstream is meant
  std::optional<Bytes> body_limit{};
  std::string_view via{};  ///< our name
};

/// Why a request can't be carried; nothing: it can.
[[nodiscard]] std::optional<http::OwnAnswer> objection(http::RequestHead const& head, Passage const& passage);

}  // namespace candor
