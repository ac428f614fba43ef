// Asks an admin port, or orders it, for the commands that do: explain, healthcheck, hold. Blocks; no state.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "candor/core/time.hpp"

namespace candor::admin {

struct Reply {
  unsigned status = 0;
  std::string content_type{};
  std::string body{};
};

/// Why there is no reply, as a sentence that names the address.
struct NoReply {
  std::string why;
};

/// GET `path` from HOST:PORT, all within `timeout`. A wildcard address, as one listens on, is asked at
/// loopback.
[[nodiscard]] std::variant<Reply, NoReply> admin_get(std::string const& address, std::string const& path,
                                                     Duration timeout);

/// The same with POST, of a JSON body.
[[nodiscard]] std::variant<Reply, NoReply> admin_post(std::string const& address, std::string const& path,
                                                      std::string const& json, Duration timeout);

/// What a reply says to a person: the detail of a problem, else its body.
[[nodiscard]] std::string said(Reply const& reply);

}  // namespace candor::admin
