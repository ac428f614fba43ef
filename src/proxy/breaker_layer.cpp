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

/// Which endpoint the request belongs to, where a field of its says so.
std::optional<std::uint64_t> hash_of(BalanceSettings const& settings, http::RequestHead const& head) {
  if (!settings.hash_header) return std::nullopt;
  auto const* field = head.fields.find(*settings.hash_header);
  return field ? std::optional{stable_hash(field->value)} : std::nullopt;
}

}  // namespace

Outcome outcome_of(Failure const& failure) {
  if (auto const failed = failure.get<AttemptFailed>()) return Outcome::failed(failed->kind);
  if (auto const reason = failure.get<CancelReason>()) return outcome_of_cancel(*reason);
  return Outcome::excluded();
}

Task<Result<Response>> BreakerLayer::call(Exchange& exchange, Attempt& attempt) {
  auto permit = route_.health.admit({.request = exchange.id,
                                     .number = attempt.number,
                                     .hash = hash_of(route_.upstream.settings.balance, exchange.head),
                                     .tried = attempt.tried,
                                     .expendable = attempt.expendable,
                                     .retried_on = &route_.settings.retry.on,
                                     .may_wait = attempt.waiting_room != nullptr || attempt.place != nullptr,
                                     .method = exchange.head.method_text,
                                     .path = exchange.head.path()},
                                    exchange.now());
  if (!permit) {
    bool const waits = attempt.waiting_room != nullptr && permit.error().get<Refusal>() == Refusal::limit;
    if (waits) co_return co_await attempt.waiting_room->wait_and_call(exchange, attempt);
    co_return permit.error();
  }
  attempt.endpoint = permit->endpoint();
  if (attempt.place) {
    exchange.worker.observer.attempt_waited(route_, permit->started() - attempt.place->since());
    attempt.place->leave();
  }
  if (attempt.superseded) attempt.superseded->reset();
  if (attempt.token) {
    std::move(*attempt.token).spend(exchange.now());
    ++exchange.retries;
    exchange.worker.observer.retry_sent(route_, attempt.retry_reason);
  }
  auto& record = exchange.attempts.add({.number = attempt.number,
                                        .endpoint = attempt.endpoint,
                                        .started = permit->started(),
                                        .probe = permit->probe(),
                                        .endpoint_probe = permit->probes_endpoint(),
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
  bool const has_retry_after = head.fields.has(http::FieldId::retry_after);
  if (auto const kind = classify(route_.settings.classify, head.status, has_retry_after)) {
    ride->settle(Outcome::failed(*kind));
    co_return Response{std::move(*source)};
  }
  // What comes through a tunnel is no answer: the attempt has shown what it could.
  if ((*source)->tunnel() != nullptr) ride->settle(Outcome::success());
  co_return Response{std::move(*source), std::move(ride)};
}

}  // namespace candor
