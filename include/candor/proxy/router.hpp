// Which upstream a request on a shared port is for.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "candor/http/head.hpp"
#include "candor/proxy/match.hpp"
#include "candor/proxy/settings.hpp"

namespace candor {

/// Immutable after construction; thread-safe to read. Only configured upstreams are ever found.
class Router {
 public:
  Router() = default;
  /// The signposts' upstreams must be among the upstreams.
  explicit Router(std::vector<UpstreamSettings> const& upstreams,
                  std::vector<SignpostSettings> const& signposts = {});

  /// By the first signpost that matches, else by the host that the request is for: its port is ignored,
  /// letters compare without case. The upstream's index, or nothing.
  [[nodiscard]] std::optional<std::size_t> route(http::RequestHead const& head) const;

 private:
  struct Signpost {
    Match match;
    std::size_t upstream;
  };

  std::vector<Signpost> signposts_;
  std::map<std::string, std::size_t, std::less<>> by_host_;
};

}  // namespace candor
