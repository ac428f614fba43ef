#include "candor/proxy/layers.hpp"
#include "candor/resilience/classify.hpp"

namespace candor {

namespace {

Outcome outcome_of_cancel(CancelReason reason) {
  switch (reason) {
    case CancelReason::connect_timeout: return Outcome::failed(FailureKind::connect);
    // The request's deadline too: the upstream had not answered in the time that there was. Were it no
    // verdict, callers with short deadlines would never see a circuit open in front of a frozen upstream.
    case CancelReason::deadline:
    case CancelReason::attempt_timeout:
    case CancelReason::idle_timeout: return Outcome::failed(FailureKind::timeout);
    case CancelReason::caller_left:
    case CancelReason::circuit_opened:
    case CancelReason::go_ahead:
    case CancelReason::shutdown: return Outcome::abandoned();
  }
  return Outcome::abandoned();
}

}  // namespace

Outcome outcome_of(Failure const& failure) {
  if (auto const failed = failure.get<AttemptFailed>()) return Outcome::failed(failed->kind);
  if (auto const reason = failure.get<CancelReason>()) return outcome_of_cancel(*reason);
  return Outcome::excluded();
}

Task<Result<Response>> BreakerLayer::call(Exchange& exchange, Attempt& attempt) {
  auto permit = upstream_.health.admit({.request = exchange.id,
                                        .number = attempt.number,
                                        .endpoint = attempt.endpoint,
                                        .method = exchange.head.method_text,
                                        .path = exchange.head.path()},
                                       exchange.now());
  if (!permit) co_return permit.error();
  if (attempt.superseded) attempt.superseded->reset();
  if (attempt.token) {
    std::move(*attempt.token).spend(exchange.now());
    ++exchange.retries;
    exchange.worker.observer.retry_sent(upstream_, attempt.retry_reason);
  }
  auto& record = exchange.attempts.add({.number = attempt.number,
                                        .endpoint = attempt.endpoint,
                                        .started = permit->started(),
                                        .probe = permit->probe(),
                                        .fresh_connection = attempt.fresh_connection});
  attempt.record = &record;
  auto ride = std::make_unique<PermitRide>(std::move(*permit), exchange, record);

  auto source = co_await next().send(exchange, attempt, ride->permit());
  if (!source) {
    ride->settle(outcome_of(source.error()));
    co_return source.error();
  }
  auto const& head = (*source)->head();
  ride->head_arrived(head.status);
  bool const has_retry_after = head.fields.find(http::FieldId::retry_after) != nullptr;
  if (auto const kind = classify(upstream_.settings.classify, head.status, has_retry_after)) {
    ride->settle(Outcome::failed(*kind));
    co_return Response{std::move(*source)};
  }
  // What comes through a tunnel is no answer: the attempt has shown what it could.
  if ((*source)->tunnel() != nullptr) ride->settle(Outcome::success());
  co_return Response{std::move(*source), std::move(ride)};
}

}  // namespace candor
