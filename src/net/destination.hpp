// What a listener's callers reach, and how. One worker's; set up before its first session.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "candor/http/head.hpp"
#include "candor/net/settings.hpp"
#include "candor/proxy/pipeline.hpp"
#include "candor/proxy/router.hpp"

namespace candor {

/// A listener of several upstreams, as all workers share it.
struct SharedPort {
  SharedPort(ListenerSettings of, std::vector<UpstreamSettings> const& upstreams)
      : settings(std::move(of)), router(upstreams, settings.signposts) {}

  ListenerSettings const settings;
  Router const router;
  std::atomic<std::size_t> callers{0};  ///< connections, of all workers
};

class Destination {
 public:
  /// An upstream's own port: everything goes there, whatever its Host.
  explicit Destination(Pipelines& only) : only_(&only) {}
  /// A shared port: the request decides. Both must outlive it.
  Destination(SharedPort& port, std::vector<std::unique_ptr<Pipelines>> const& pipelines)
      : port_(&port), pipelines_(&pipelines) {}

  /// Nothing: nobody is meant.
  [[nodiscard]] Pipeline* find(http::RequestHead const& head) const {
    if (only_ != nullptr) return &only_->of(head);
    auto const upstream = port_->router.route(head);
    return upstream ? &(*pipelines_)[*upstream]->of(head) : nullptr;
  }

  /// Its callers know that it is a proxy.
  [[nodiscard]] bool is_forward_proxy() const {
    return port_ != nullptr && port_->settings.mode == ListenerSettings::Mode::forward_proxy;
  }
  /// Connections begin with a PROXY protocol header.
  [[nodiscard]] bool proxy_protocol() const { return port_ != nullptr && port_->settings.proxy_protocol; }

  /// Counts a connection in; false: this listener has as many as it may have. With leave() for each that
  /// came in.
  [[nodiscard]] bool enter() const {
    if (port_ == nullptr) return true;
    auto const most = port_->settings.connections;
    if (port_->callers.fetch_add(1, std::memory_order_relaxed) < most.value_or(SIZE_MAX)) return true;
    leave();
    return false;
  }
  void leave() const {
    if (port_ != nullptr) port_->callers.fetch_sub(1, std::memory_order_relaxed);
  }

 private:
  Pipelines* only_ = nullptr;
  SharedPort* port_ = nullptr;
  std::vector<std::unique_ptr<Pipelines>> const* pipelines_ = nullptr;
};

}  // namespace candor
