#include "candor/proxy/layers.hpp"

namespace candor {

namespace {

bool lacks_room(Result<Response> const& result) {
  return !result && result.error().get<Refusal>() == Refusal::limit;
}

Task<Result<Response>> refuse() { co_return Failure{Refusal::limit, name(Refusal::limit)}; }

}  // namespace

LimitLayer::LimitLayer(Route& route)
    : queue_(*route.queue), lane_(route.lane), timeout_(route.settings.limit.queue_timeout) {}

Task<Result<Response>> LimitLayer::call(Exchange& exchange, Attempt& attempt) {
  bool const is_behind = queue_.is_occupied();
  if (is_behind && attempt.hurries) return refuse();
  if (is_behind) return wait_and_call(exchange, attempt);
  if (!attempt.hurries) attempt.waiting_room = this;
  return next().call(exchange, attempt);
}

/// Neither a wait nor its end is of concern to the account: nothing was attempted.
Task<Result<Response>> LimitLayer::wait_and_call(Exchange& exchange, Attempt& attempt) {
  if (!desk_) desk_.emplace(queue_, exchange.worker.scheduler, exchange.worker.mailbox);
  attempt.waiting_room = nullptr;  // it is in there
  AttemptQueue::Place place{*desk_, lane_, exchange.now()};
  if (!place.line_up()) co_return Failure{Refusal::queue_full, name(Refusal::queue_full)};
  for (;;) {
    auto const turn = co_await place.wait(place.since() + timeout_, attempt.scope);
    switch (turn) {
      case AttemptQueue::Place::Turn::called: break;
      case AttemptQueue::Place::Turn::pushed_out:
        co_return Failure{Refusal::queue_full, name(Refusal::queue_full)};
      case AttemptQueue::Place::Turn::timed_out:
        co_return Failure{Refusal::queue_timeout, name(Refusal::queue_timeout)};
      case AttemptQueue::Place::Turn::cancelled: co_return Failure{*attempt.scope.reason()};
    }
    attempt.place = &place;
    auto result = co_await next().call(exchange, attempt);
    attempt.place = nullptr;
    if (!lacks_room(result)) co_return result;
    // Somebody who had not seen it waiting was quicker. It keeps its place, which it can't be denied.
    [[maybe_unused]] bool const has_place = place.line_up();
  }
}

}  // namespace candor
