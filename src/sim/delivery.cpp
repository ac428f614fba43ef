#include "delivery.hpp"

#include "candor/proxy/answer.hpp"

namespace candor::sim {

Task<Delivery> deliver(Response response, CancelScope& scope) {
  Delivery delivery;
  delivery.end.status = response.head().status;
  delivery.good = response.good();
  for (;;) {
    auto piece = response.try_next();
    if (!piece) {
      auto const waited_for = co_await response.next(scope);
      piece.emplace(waited_for);
    }
    if (!*piece) {
      bool const left = piece->error().get<CancelReason>() == CancelReason::caller_left;
      delivery.end.result = left ? RequestResult::abandoned : RequestResult::broken;
      co_return delivery;
    }
    delivery.end.body_bytes_out += (*piece)->bytes.size();
    if ((*piece)->last) co_return delivery;
    response.discard();
  }
}

Delivery without_response(Failure const& failure, Exchange const& exchange) {
  Delivery delivery;
  if (failure.get<CancelReason>() == CancelReason::caller_left) {
    delivery.end.result = RequestResult::abandoned;
    return delivery;
  }
  auto const answer = own_answer(failure, exchange);
  delivery.end.result = exchange.attempts.empty() ? RequestResult::refused : RequestResult::failed;
  delivery.end.status = answer.status;
  delivery.end.error = answer.error;
  delivery.end.details = answer.details;
  return delivery;
}

}  // namespace candor::sim
