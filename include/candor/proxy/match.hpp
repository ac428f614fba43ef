// Which requests a route is for. Immutable after construction; thread-safe to use.
#pragma once

#include <optional>
#include <string_view>

#include "candor/core/pattern.hpp"
#include "candor/http/head.hpp"
#include "candor/proxy/settings.hpp"

namespace candor {

/// What a request must look like, its expression compiled. A path with dot segments, plain or encoded, has no
/// prefix and fits no expression: what it means is for the upstream to say.
class Match {
 public:
  /// Throws std::invalid_argument for an expression that is none; a configuration that has been loaded has no
  /// such.
  explicit Match(MatchSettings settings);

  [[nodiscard]] bool takes(http::RequestHead const& head) const;

 private:
  [[nodiscard]] bool takes_host(http::RequestHead const& head) const;
  [[nodiscard]] bool takes_path(http::RequestHead const& head) const;

  MatchSettings settings_;
  std::optional<Pattern> path_;
};

/// HOST[:PORT] without its port, and without the dot at the end of a name that is whole; an IPv6 address
/// keeps its brackets.
[[nodiscard]] std::string_view bare_host(std::string_view host);

}  // namespace candor
