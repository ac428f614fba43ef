#include "candor/observe/worker_metrics.hpp"

#include <algorithm>
#include <cassert>

#include "candor/proxy/exchange.hpp"

namespace candor::observe {

namespace {

std::size_t status_class(std::uint16_t status) {
  std::size_t const hundreds = status / 100;
  return hundreds < RouteShard::status_classes ? hundreds : 0;
}

/// The place of a retry's reason: it is the name of a failure kind.
std::size_t reason_place(std::string_view reason) {
  auto const found = std::find_if(all_failure_kinds.begin(), all_failure_kinds.end(),
                                  [reason](FailureKind kind) { return candor::name(kind) == reason; });
  return static_cast<std::size_t>(found - all_failure_kinds.begin());
}

/// The place of a refused request's reason: it is the name of a refusal, or that of a bound of ours.
std::size_t refusal_place(std::string_view reason) {
  std::size_t place = 0;
  while (place < refusals && candor::name(static_cast<Refusal>(place)) != reason) ++place;
  return place;
}

/// Which attempt's success the answer was that was passed on; 0: none's. Of two beside each other one at most
/// succeeds, not always the later one.
unsigned answering_attempt(Exchange const& exchange, RequestEnd const& end) {
  if (end.result != RequestResult::answered) return 0;
  for (auto i = exchange.attempts.size(); i > 0; --i) {
    auto const& record = exchange.attempts[i - 1];
    if (record.outcome && record.outcome->is_success()) return std::max(record.number, 1U);
  }
  return 0;
}

std::size_t places(std::vector<std::shared_ptr<Upstream>> const& upstreams) {
  std::size_t count = 0;
  for (auto const& upstream : upstreams) count = std::max<std::size_t>(count, upstream->index + 1);
  return count;
}

}  // namespace

WorkerMetrics::WorkerMetrics(std::vector<std::shared_ptr<Upstream>> const& upstreams)
    : upstreams_(places(upstreams)) {
  for (auto const& upstream : upstreams) {
    upstreams_[upstream->index].routes = std::vector<RouteShard>(upstream->routes().size());
  }
}

DurationHistogram& EndpointDurations::meet(EndpointId endpoint) {
  std::lock_guard const held{lock_};
  if (endpoint.value >= known_.size()) known_.resize(endpoint.value + 1);
  auto& known = known_[endpoint.value];
  // Its place has another one by now: it has left, and this was the last that it had in flight.
  if (known && known->id.incarnation > endpoint.incarnation) return departed_;
  if (known) departed_.add(known->durations);
  known = std::make_unique<Known>();
  known->id = endpoint;
  return known->durations;
}

void EndpointDurations::observe(EndpointId endpoint, Duration took) {
  auto* const known = endpoint.value < known_.size() ? known_[endpoint.value].get() : nullptr;
  auto& durations = known != nullptr && known->id == endpoint ? known->durations : meet(endpoint);
  durations.observe(took);
}

void EndpointDurations::add_to(std::map<EndpointId, DurationSums>& endpoints, DurationSums& departed) const {
  std::lock_guard const held{lock_};
  departed_.add_to(departed);
  for (auto const& known : known_) {
    if (known) known->durations.add_to(endpoints[known->id]);
  }
}

RouteShard& WorkerMetrics::shard(Route const& route) {
  assert(route.upstream.index < upstreams_.size());
  return upstreams_[route.upstream.index].routes[route.place];
}

void WorkerMetrics::request_begun(Route const& route) { shard(route).requests_begun.add(); }

void WorkerMetrics::attempt_settled(Route const& route, AttemptRecord const& record) {
  bool const verdict = record.outcome && (record.outcome->is_success() || record.outcome->is_failure());
  if (verdict) shard(route).attempt_durations.observe(record.endpoint, record.settled - record.started);
}

void WorkerMetrics::retry_sent(Route const& route, std::string_view reason) {
  shard(route).retries[reason_place(reason)].add();
}

void WorkerMetrics::retry_denied(Route const& route, RetryDenied reason) {
  shard(route).retries_denied[static_cast<std::size_t>(reason)].add();
}

void WorkerMetrics::hedged(Route const& route, HedgeResult result) {
  shard(route).hedges[static_cast<std::size_t>(result)].add();
}

void WorkerMetrics::fallback_given(Route const& route, FallbackKind kind) {
  shard(route).fallbacks[static_cast<std::size_t>(kind)].add();
}

void WorkerMetrics::request_ended(Exchange const& exchange, RequestEnd const& end) {
  auto& counts = shard(exchange.route);
  counts.requests[static_cast<std::size_t>(end.result)][status_class(end.status)].add();
  counts.request_duration.observe(end.at - exchange.started);
  counts.request_body_bytes.add(end.body_bytes_in);
  counts.answer_body_bytes.add(end.body_bytes_out);
  if (end.result == RequestResult::refused) counts.refused[refusal_place(end.details)].add();
  if (end.error) counts.own_answers[static_cast<std::size_t>(*end.error)].add();
  if (std::size_t const number = answering_attempt(exchange, end); number > 0) {
    counts.answers_by_attempt[std::min(number, counts.answers_by_attempt.size()) - 1].add();
  }
}

void WorkerMetrics::rejected(std::uint16_t status, std::optional<http::ProxyError> error) {
  auto const found = std::find(rejected_statuses.begin(), rejected_statuses.end(), status);
  auto const place = static_cast<std::size_t>(found - rejected_statuses.begin());
  worker_.rejected[place][error ? static_cast<std::size_t>(*error) : http::proxy_errors].add();
}

void WorkerMetrics::pool_event(Upstream const& upstream, PoolEvent event) {
  upstreams_[upstream.index].pool[static_cast<std::size_t>(event)].add();
}

}  // namespace candor::observe
