// A response that no transport gave: all of it is here. One worker's.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "candor/proxy/response.hpp"

namespace candor {

struct MadeResponse {
  std::uint16_t status = 200;
  std::string reason{};
  std::string lines{};                  ///< its fields, each with its CRLF
  std::string_view body{};              ///< none is sent in answer to HEAD
  std::shared_ptr<void const> owner{};  ///< keeps the body in place; absent: it outlives every request
};

/// Its body is there at once: reading it never waits.
[[nodiscard]] ResponseHandle make_response(MadeResponse made, http::Method method);

}  // namespace candor
