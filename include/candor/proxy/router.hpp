// Which upstream a request on a shared port is for.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "candor/http/head.hpp"
#include "candor/proxy/settings.hpp"

namespace candor {

/// Whether a request looks like this. A path with dot segments, plain or encoded, has no prefix: what it
/// means is for the upstream to say.
[[nodiscard]] bool matches(MatchSettings const& match, http::RequestHead const& head);

/// Immutable after construction; thread-safe to read. Only configured upstreams are ever found.
class Router {
 public:
  Router() = default;
  /// The routes' upstreams must be among the upstreams.
  explicit Router(std::vector<UpstreamSettings> const& upstreams, std::vector<RouteSettings> routes = {});

  /// By the first route that matches, else by the host that the request is for: its port is ignored, letters
  /// compare without case. The upstream's index, or nothing.
  [[nodiscard]] std::optional<std::size_t> route(http::RequestHead const& head) const;

 private:
  std::vector<RouteSettings> routes_;
  std::map<std::string, std::size_t, std::less<>> by_name_;  // for the routes
  std::map<std::string, std::size_t, std::less<>> by_host_;
};

}  // namespace candor
