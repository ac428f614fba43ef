#include <algorithm>

#include "candor/core/scheduler.hpp"
#include "candor/proxy/caller_deadline.hpp"
#include "candor/proxy/layers.hpp"

namespace candor {

/// One that cannot be read is left alone: whom it is for may understand it. It must not cost the caller its
/// answer, which it would have got without Candor.
void DeadlineLayer::take_callers(Exchange& exchange, DeadlineHeaderSettings const& header) const {
  auto const& fields = exchange.head.fields;
  auto const* field = fields.find(header.name);
  if (field == nullptr) return;
  auto const several = std::count_if(fields.begin(), fields.end(), [&header](http::Field const& each) {
    return http::equal_ignoring_case(each.name, header.name);
  });
  auto const timeout = several == 1 ? parse_timeout(header.format, field->value) : std::nullopt;
  if (!timeout) return exchange.worker.observer.deadline_ignored(exchange.route);
  exchange.caller_deadline = exchange.came + *timeout;
  exchange.deadline = std::min(exchange.deadline, *exchange.caller_deadline);
}

Task<Result<Response>> DeadlineLayer::call(Exchange& exchange) {
  exchange.deadline = std::min(exchange.deadline, exchange.started + settings_.request);
  if (settings_.deadline_header) take_callers(exchange, *settings_.deadline_header);
  // Nobody waits for it any more.
  if (exchange.deadline <= exchange.now()) co_return Failure{CancelReason::deadline};
  Timer timer{[&exchange] { exchange.scope.cancel(CancelReason::deadline); }};
  exchange.worker.scheduler.at(timer, exchange.deadline);
  co_return co_await next().call(exchange);
}

}  // namespace candor
