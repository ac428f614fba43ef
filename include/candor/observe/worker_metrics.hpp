// One worker's share of the metrics. Written by the worker's thread alone, read by whoever scrapes; neither
// waits for the other, and in steady state nothing is allocated.
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "candor/core/ids.hpp"
#include "candor/core/outcome.hpp"
#include "candor/observe/shard.hpp"
#include "candor/proxy/fallback.hpp"
#include "candor/proxy/observer.hpp"
#include "candor/proxy/upstream.hpp"

namespace candor::observe {

/// Statuses with which messages are rejected; any other counts as the last place, `other`.
inline constexpr std::array<std::uint16_t, 17> rejected_statuses{200, 400, 403, 404, 405, 408, 413, 414, 417,
                                                                 421, 426, 431, 500, 501, 503, 505, 508};

/// How long attempts take, by endpoint; of successes and failures. Endpoints come and go: those that this
/// worker has met get a histogram each. Only a new one makes the writer wait, for a scrape under way.
class EndpointDurations {
 public:
  /// By the worker's thread.
  void observe(EndpointId endpoint, Duration took);
  /// By any thread. `departed`: what those had whose place others have taken.
  void add_to(std::map<EndpointId, DurationSums>& endpoints, DurationSums& departed) const;

 private:
  struct Known {
    EndpointId id{};
    DurationHistogram durations{};
  };

  [[nodiscard]] DurationHistogram& meet(EndpointId endpoint);

  std::vector<std::unique_ptr<Known>> known_;  // by the id's value; changed under the lock
  DurationHistogram departed_;
  mutable std::mutex lock_;
};

/// Of one route. Each array's last place is for what fits no other.
struct alignas(64) RouteShard {
  static constexpr std::size_t status_classes = 6;   ///< none, 1xx .. 5xx
  static constexpr std::size_t attempt_numbers = 5;  ///< 1 .. 4, and later ones

  Count requests_begun;
  std::array<std::array<Count, status_classes>, request_results> requests{};  ///< those that ended
  DurationHistogram request_duration;
  std::array<Count, attempt_numbers> answers_by_attempt{};
  std::array<Count, http::proxy_errors> own_answers{};
  Count request_body_bytes;
  Count answer_body_bytes;
  std::array<Count, failure_kinds + 1> retries{};
  std::array<Count, retry_denials> retries_denied{};
  std::array<Count, refusals + 1> refused{};  ///< requests, by reason
  std::array<Count, hedge_results> hedges{};
  DurationHistogram queue_wait;  ///< of attempts that got their permit after it
  Count deadlines_ignored;
  std::array<Count, fallback_kinds> fallbacks{};
  EndpointDurations attempt_durations;
};

/// Of one upstream.
struct alignas(64) UpstreamShard {
  std::vector<RouteShard> routes;  ///< by place
  std::array<Count, pool_events> pool{};
};

/// Of the worker itself.
struct alignas(64) WorkerShard {
  /// By status, then by error; the last error is "none".
  std::array<std::array<Count, http::proxy_errors + 1>, rejected_statuses.size() + 1> rejected{};
  Count callers_connected;
  Count callers_disconnected;
  Count callers_refused;
};

class WorkerMetrics final : public Observer {
 public:
  /// Has a place for each of these upstreams, by index; other upstreams must not be reported.
  explicit WorkerMetrics(std::vector<std::shared_ptr<Upstream>> const& upstreams);

  void request_begun(Route const& route) override;
  void attempt_settled(Route const& route, AttemptRecord const& record) override;
  void retry_sent(Route const& route, std::string_view reason) override;
  void retry_denied(Route const& route, RetryDenied reason) override;
  void hedged(Route const& route, HedgeResult result) override;
  void attempt_waited(Route const& route, Duration waited) override {
    shard(route).queue_wait.observe(waited);
  }
  void deadline_ignored(Route const& route) override { shard(route).deadlines_ignored.add(); }
  void fallback_given(Route const& route, FallbackKind kind) override;
  void request_ended(Exchange const& exchange, RequestEnd const& end) override;
  void rejected(std::uint16_t status, std::optional<http::ProxyError> error) override;
  void pool_event(Upstream const& upstream, PoolEvent event) override;
  void caller_connected() override { worker_.callers_connected.add(); }
  void caller_disconnected() override { worker_.callers_disconnected.add(); }
  void caller_refused() override { worker_.callers_refused.add(); }

  [[nodiscard]] UpstreamShard const& upstream(std::size_t index) const { return upstreams_[index]; }
  [[nodiscard]] WorkerShard const& worker() const { return worker_; }

 private:
  RouteShard& shard(Route const& route);

  std::vector<UpstreamShard> upstreams_;
  WorkerShard worker_;
};

}  // namespace candor::observe
