// What the demo's callers ask and the demo's upstream repeats, so that an answer can be held against its
// request. Pure. Private to app.
#pragma once

#include <string>
#include <string_view>

namespace candor::app {

/// A field that the upstream gives back as it got it.
inline constexpr std::string_view echo_field = "Demo-Request";

/// The body of the answer to such a request.
[[nodiscard]] inline std::string echo(std::string_view method, std::string_view path, std::string_view body) {
  std::string out{method};
  return out.append(1, ' ').append(path).append(1, '\n').append(body);
}

}  // namespace candor::app
