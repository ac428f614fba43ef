// Several observers as one. One per worker, unless all of its parts may be shared.
#pragma once

#include <vector>

#include "candor/proxy/observer.hpp"

namespace candor::observe {

/// Tells each part, in order. The parts must outlive it.
class CompositeObserver final : public Observer {
 public:
  explicit CompositeObserver(std::vector<Observer*> parts) : parts_(std::move(parts)) {}

  void request_begun(Upstream const& upstream) override {
    for (auto* part : parts_) part->request_begun(upstream);
  }
  void attempt_settled(Upstream const& upstream, AttemptRecord const& record) override {
    for (auto* part : parts_) part->attempt_settled(upstream, record);
  }
  void retry_sent(Upstream const& upstream, std::string_view reason) override {
    for (auto* part : parts_) part->retry_sent(upstream, reason);
  }
  void retry_denied(Upstream const& upstream, RetryDenied reason) override {
    for (auto* part : parts_) part->retry_denied(upstream, reason);
  }
  void hedged(Upstream const& upstream, HedgeResult result) override {
    for (auto* part : parts_) part->hedged(upstream, result);
  }
  void attempt_waited(Upstream const& upstream, Duration waited) override {
    for (auto* part : parts_) part->attempt_waited(upstream, waited);
  }
  void deadline_ignored(Upstream const& upstream) override {
    for (auto* part : parts_) part->deadline_ignored(upstream);
  }
  void late_break(Upstream const& upstream, AttemptRecord const& record) override {
    for (auto* part : parts_) part->late_break(upstream, record);
  }
  void fallback_given(Upstream const& upstream, FallbackKind kind) override {
    for (auto* part : parts_) part->fallback_given(upstream, kind);
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
