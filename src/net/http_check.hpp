// One check over HTTP/1.1, on a connection of its own that stands. One worker's.
#pragma once

#include <optional>
#include <string>

#include "block.hpp"
#include "candor/core/task.hpp"
#include "candor/http/parse.hpp"
#include "candor/net/socket.hpp"
#include "candor/proxy/settings.hpp"

namespace candor {

/// What is sent to an endpoint to check it.
[[nodiscard]] std::string check_request(CheckSettings const& settings, std::string_view host);

/// What a check is made with.
struct HttpCheckParts {
  BlockPool& blocks;
  http::HeadLimits const& heads;  ///< of answers
};

/// Sends the request and reads as far as the head of its answer, which is judged like any other; no more than
/// a block is read. Whether it is a good one; nothing: the scope was cancelled. `request` must stay.
[[nodiscard]] Task<std::optional<bool>> ask(Socket& socket, HttpCheckParts parts,
                                            CheckSettings const& settings, std::string const& request,
                                            CancelScope& scope, Instant until);

}  // namespace candor
