// Several observers as one. One per worker, unless all of its parts may be shared.
#pragma once

#include <vector>

#include "candor/proxy/observer.hpp"

namespace candor::observe {

/// Tells each part, in order. The parts must outlive it.
class CompositeObserver final : public Observer {
 public:
  explicit CompositeObserver(std::vector<Observer*> parts) : parts_(std::move(parts)) {}

  void request_begun(Route const& route) override {
    for (auto* part : parts_) part->request_begun(route);
  }
  void attempt_settled(Route const& route, AttemptRecord const& record) override {
    for (auto* part : parts_) part->attempt_settled(route, record);
  }
  void retry_sent(Route const& route, std::string_view reason) override {
    for (auto* part : parts_) part->retry_sent(route, reason);
  }
  void retry_denied(Route const& route, RetryDenied reason) override {
    for (auto* part : parts_) part->retry_denied(route, reason);
  }
  void hedged(Route const& route, HedgeResult result) override {
    for (auto* part : parts_) part->hedged(route, result);
  }
  void attempt_waited(Route const& route, Duration waited) override {
    for (auto* part : parts_) part->attempt_waited(route, waited);
  }
  void deadline_ignored(Route const& route) override {
    for (auto* part : parts_) part->deadline_ignored(route);
  }
  void late_break(Route const& route, AttemptRecord const& record) override {
    for (auto* part : parts_) part->late_break(route, record);
  }
  void fallback_given(Route const& route, FallbackKind kind) override {
    for (auto* part : parts_) part->fallback_given(route, kind);
  }
  void request_ended(Exchange const& exchange, RequestEnd const& end) override {
    for (auto* part : parts_) part->request_ended(exchange, end);
  }
  void rejected(std::uint16_t status, std::optional<http::ProxyError> error) override {
    for (auto* part : parts_) part->rejected(status, error);
  }
  void check_changed(Upstream const& upstream, EndpointId endpoint, CheckReport const& report) override {
    for (auto* part : parts_) part->check_changed(upstream, endpoint, report);
  }
  void pool_event(Upstream const& upstream, PoolEvent event) override {
    for (auto* part : parts_) part->pool_event(upstream, event);
  }
  void caller_connected() override {
    for (auto* part : parts_) part->caller_connected();
  }
  void caller_disconnected() override {
    for (auto* part : parts_) part->caller_disconnected();
  }
  void caller_refused() override {
    for (auto* part : parts_) part->caller_refused();
  }

 private:
  std::vector<Observer*> parts_;
};

}  // namespace candor::observe
