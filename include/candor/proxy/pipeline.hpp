// A route's layers, assembled. One per route and worker.
#pragma once

#include <functional>
#include <memory>
#include <variant>
#include <vector>

#include "candor/proxy/retry_waits.hpp"
#include "candor/proxy/service.hpp"
#include "candor/proxy/upstream.hpp"

namespace candor {

class Pipelines;

class Pipeline {
 public:
  explicit Pipeline(Route& route) : route_(&route) {}

  [[nodiscard]] Route& route() const { return *route_; }
  [[nodiscard]] Upstream& upstream() const { return route_->upstream; }
  Task<Result<Response>> call(Exchange& exchange) { return first_->call(exchange); }

  /// The circuit has opened, seen by this worker: its waiting retries end.
  void circuit_opened() { waits_->circuit_opened(); }
  [[nodiscard]] RetryWaits& waits() { return *waits_; }

  /// Those of the upstream that a request goes to when this one has no answer. Absent: there is none.
  [[nodiscard]] Pipelines* alternative() const { return alternative_; }
  /// `other`: of the same worker; they must outlive every request.
  void fall_back_to(Pipelines& other) { alternative_ = &other; }

  /// Puts a layer below those that are there. A layer whose outer face doesn't fit what is above it throws
  /// std::bad_variant_access: an error in build_pipeline().
  template <class L, class... Args>
  void push(Args&&... args) {
    auto layer = std::make_shared<L>(std::forward<Args>(args)...);
    attach<typename L::OuterFace>(*layer);
    open_end_ = [raw = layer.get()](typename L::InnerFace& next) { raw->put_above(next); };
    layers_.push_back(std::move(layer));
  }
  /// Ends it, at the transport.
  void end(Transport& transport) { attach<Transport>(transport); }

 private:
  template <class Face>
  using OpenEnd = std::function<void(Face&)>;

  template <class Face>
  void attach(Face& face) {
    std::get<OpenEnd<Face>>(open_end_)(face);
  }

  Route* route_;
  Pipelines* alternative_ = nullptr;
  std::unique_ptr<RetryWaits> waits_ = std::make_unique<RetryWaits>();
  std::vector<std::shared_ptr<void>> layers_;
  Service* first_ = nullptr;
  std::variant<OpenEnd<Service>, OpenEnd<AttemptService>, OpenEnd<Transport>> open_end_ =
      OpenEnd<Service>{[this](Service& first) { first_ = &first; }};
};

/// The one place where the order of the layers stands. The running proxy and the simulation both call it;
/// they differ in time, chance and transport.
[[nodiscard]] std::unique_ptr<Pipeline> build_pipeline(Route& route, Transport& transport);

/// Those of one upstream, a pipeline for each of its routes. One per upstream and worker.
class Pipelines {
 public:
  Pipelines(Upstream& upstream, Transport& transport);

  [[nodiscard]] Upstream& upstream() const { return upstream_; }
  /// The one of the route that takes this request.
  [[nodiscard]] Pipeline& of(http::RequestHead const& head) const {
    return *by_place_[upstream_.route_of(head).place];
  }
  [[nodiscard]] std::vector<std::unique_ptr<Pipeline>> const& all() const { return by_place_; }

  /// A circuit has opened, seen by this worker: the retries end that wait to ask it. `account`: the place of
  /// the route whose it is.
  void circuit_opened(std::uint32_t account);

 private:
  Upstream& upstream_;
  std::vector<std::unique_ptr<Pipeline>> by_place_;
};

/// Shows each pipeline those of the upstream that its fallback names. All of one worker's.
void link_fallbacks(std::vector<std::unique_ptr<Pipelines>> const& all);

}  // namespace candor
