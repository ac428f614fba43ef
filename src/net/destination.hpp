// Where the requests of a listener go. One worker's; set up before its first session.
#pragma once

#include <memory>
#include <vector>

#include "candor/http/head.hpp"
#include "candor/proxy/pipeline.hpp"
#include "candor/proxy/router.hpp"

namespace candor {

class Destination {
 public:
  /// An upstream's own port: everything goes there, whatever its Host.
  explicit Destination(Pipeline& only) : only_(&only) {}
  /// A shared port: the Host decides. Both must outlive it.
  Destination(Router const& router, std::vector<std::unique_ptr<Pipeline>> const& pipelines)
      : router_(&router), pipelines_(&pipelines) {}

  /// Nothing: nobody is meant.
  [[nodiscard]] Pipeline* find(http::RequestHead const& head) const {
    if (only_ != nullptr) return only_;
    auto const upstream = router_->route(head.host);
    return upstream ? (*pipelines_)[*upstream].get() : nullptr;
  }

 private:
  Pipeline* only_ = nullptr;
  Router const* router_ = nullptr;
  std::vector<std::unique_ptr<Pipeline>> const* pipelines_ = nullptr;
};

}  // namespace candor
