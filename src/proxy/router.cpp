#include "candor/proxy/router.hpp"

#include <algorithm>

namespace candor {

namespace {

std::string lower(std::string_view text) {
  std::string out{text};
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
  return out;
}

}  // namespace

Router::Router(std::vector<UpstreamSettings> const& upstreams,
               std::vector<SignpostSettings> const& signposts) {
  std::map<std::string_view, std::size_t> by_name;
  for (std::size_t i = 0; i < upstreams.size(); ++i) {
    by_name.emplace(upstreams[i].name, i);
    by_host_.emplace(lower(upstreams[i].name), i);
    for (auto const& host : upstreams[i].hosts) by_host_.emplace(lower(bare_host(host)), i);
  }
  for (auto const& post : signposts) signposts_.push_back({Match{post.match}, by_name.at(post.upstream)});
}

std::optional<std::size_t> Router::route(http::RequestHead const& head) const {
  for (auto const& post : signposts_) {
    if (post.match.takes(head)) return post.upstream;
  }
  auto const found = by_host_.find(lower(bare_host(head.host)));
  if (found == by_host_.end()) return std::nullopt;
  return found->second;
}

}  // namespace candor
