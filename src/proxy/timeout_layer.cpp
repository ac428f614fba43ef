#include "attempt_timer.hpp"
#include "candor/proxy/layers.hpp"

namespace candor {

Task<Result<ResponseHandle>> SlowMarkLayer::send(Exchange& exchange, Attempt& attempt, Permit& permit) {
  AttemptTimer const timer{exchange, slow_after_, [&] { permit.mark_slow(exchange.now()); }};
  co_return co_await next().send(exchange, attempt, permit);
}

Task<Result<ResponseHandle>> TimeoutLayer::send(Exchange& exchange, Attempt& attempt, Permit& permit) {
  AttemptTimer const timer{exchange, timeout_,
                           [&attempt] { attempt.scope.cancel(CancelReason::attempt_timeout); }};
  co_return co_await next().send(exchange, attempt, permit);
}

}  // namespace candor
