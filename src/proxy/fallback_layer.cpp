#include <algorithm>
#include <chrono>
#include <utility>

#include "candor/proxy/answer.hpp"
#include "candor/proxy/layers.hpp"
#include "candor/proxy/pipeline.hpp"
#include "made_response.hpp"
#include "repeatable.hpp"

namespace candor {

std::string_view name(FallbackKind kind) {
  switch (kind) {
    case FallbackKind::fixed: return "fixed";
    case FallbackKind::upstream: return "upstream";
    case FallbackKind::stale: return "stale";
  }
  return {};
}

namespace {

/// Nothing: no fallback helps, as nobody waits for it, or its request is the reason.
std::optional<FallbackOn> of_cancel(CancelReason reason) {
  switch (reason) {
    case CancelReason::deadline:
    case CancelReason::attempt_timeout:
    case CancelReason::connect_timeout:
    case CancelReason::idle_timeout: return FallbackOn::failed;
    case CancelReason::caller_left:
    case CancelReason::circuit_opened:
    case CancelReason::shutdown:
    case CancelReason::go_ahead: return std::nullopt;
  }
  return std::nullopt;
}

std::optional<FallbackOn> occasion(Result<Response> const& result) {
  if (result) return result->good() ? std::nullopt : std::optional{FallbackOn::failing_answer};
  auto const failure = result.error();
  if (failure.get<CallerBodyBroken>()) return std::nullopt;
  if (auto const reason = failure.get<CancelReason>()) return of_cancel(*reason);
  if (failure.get<Refusal>() || failure.get<OutOfResources>()) return FallbackOn::refused;
  return FallbackOn::failed;
}

/// What is kept was used without asking, or after asking in vain (RFC 9211, 2.1 and 2.2).
std::string cache_status(Exchange const& exchange, std::uint16_t status) {
  if (exchange.attempts.empty()) return "candor; hit";
  return "candor; fwd=stale" + (status == 0 ? std::string{} : "; fwd-status=" + std::to_string(status));
}

}  // namespace

FallbackLayer::FallbackLayer(Route& route, Pipeline const& pipeline)
    : route_(route), settings_(*route.settings.fallback), pipeline_(pipeline) {
  if (settings_.stale) kept_.emplace(*settings_.stale);
}

bool FallbackLayer::applies(Exchange const& exchange, Result<Response> const& result) const {
  // Who asks for a tunnel cannot use anything else.
  if (exchange.head.method == http::Method::connect) return false;
  auto const what = occasion(result);
  return what && std::find(settings_.on.begin(), settings_.on.end(), *what) != settings_.on.end();
}

void FallbackLayer::mark(Exchange& exchange, FallbackKind kind, Result<Response> const& instead_of) const {
  Fallback fallback{.kind = kind};
  if (instead_of) fallback.status = instead_of->head().status;
  if (!instead_of) fallback.failure = instead_of.error();
  exchange.fallback = fallback;
  exchange.worker.observer.fallback_given(route_, kind);
}

/// What may be sent to another upstream: the same as may be sent again to this one.
bool FallbackLayer::may_divert(Exchange const& exchange) const {
  auto const& body = exchange.body;
  if (!settings_.upstream || pipeline_.alternative() == nullptr || exchange.scope.cancelled()) return false;
  if (!body.replayable() || body.broken()) return false;
  return exchange.untouched || may_be_repeated(route_.settings.retry, exchange.head);
}

/// The other upstream sees a request like any other: its own deadline, budget and account.
Task<Result<Response>> FallbackLayer::divert(Exchange& exchange) {
  auto& other = pipeline_.alternative()->of(exchange.head);
  exchange.diverted = std::make_unique<Exchange>(exchange.id, other.route(), exchange.head, exchange.body,
                                                 exchange.worker, exchange.scope);
  auto& diverted = *exchange.diverted;
  diverted.came = exchange.came;
  diverted.deadline = exchange.deadline;
  diverted.interim = exchange.interim;
  diverted.caller = exchange.caller;
  exchange.body.rewind();
  co_return co_await other.call(diverted);
}

std::optional<Response> FallbackLayer::stale(Exchange const& exchange, std::uint16_t status) {
  if (!kept_) return std::nullopt;
  auto const now = exchange.now();
  auto answer = kept_->find(exchange.head, now);
  if (!answer) return std::nullopt;
  auto const age = std::chrono::floor<std::chrono::seconds>(answer->age + (now - answer->at));
  MadeResponse made{.status = 200, .reason = answer->reason, .lines = answer->lines, .body = answer->body};
  made.lines.append("Age: ").append(std::to_string(age.count())).append("\r\n");
  made.lines.append("Cache-Status: ").append(cache_status(exchange, status)).append("\r\n");
  made.owner = std::move(answer);
  return Response{make_response(std::move(made), exchange.head.method)};
}

Response FallbackLayer::fixed(Exchange const& exchange) const {
  auto const& body = settings_.body;
  MadeResponse made{.status = *settings_.status, .body = body};
  made.reason = http::reason_phrase(made.status);
  if (!body.empty()) made.lines.append("Content-Type: ").append(settings_.content_type).append("\r\n");
  for (auto const& header : settings_.headers) {
    made.lines.append(header.name).append(": ").append(header.value).append("\r\n");
  }
  if (made.status != 204 && made.status != 304) {
    made.lines.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
  }
  return Response{make_response(std::move(made), exchange.head.method)};
}

Task<Result<Response>> FallbackLayer::call(Exchange& exchange) {
  auto result = co_await next().call(exchange);
  if (applies(exchange, result)) co_return co_await something_else(exchange, std::move(result));
  if (kept_ && result && result->good()) {
    auto const wall = exchange.worker.scheduler.wall();
    result->let_see(kept_->record(exchange.head, result->head(), exchange.now(), wall));
  }
  co_return result;
}

Task<Result<Response>> FallbackLayer::something_else(Exchange& exchange, Result<Response> result) {
  // The nearest to what was asked for comes first: today's answer of another upstream, yesterday's of this
  // one, then one that is nobody's.
  std::optional<Response> poor;  // an answer of the other upstream, failing too
  if (may_divert(exchange)) {
    if (result) result->stop_upload();  // the body has one reader
    auto other = co_await divert(exchange);
    if (other && other->good()) {
      mark(exchange, FallbackKind::upstream, result);
      co_return other;
    }
    if (other) poor.emplace(std::move(*other));
  }
  if (auto answer = stale(exchange, result ? result->head().status : std::uint16_t{0})) {
    mark(exchange, FallbackKind::stale, result);
    co_return std::move(*answer);
  }
  if (settings_.status) {
    mark(exchange, FallbackKind::fixed, result);
    co_return fixed(exchange);
  }
  if (!result && poor) {
    mark(exchange, FallbackKind::upstream, result);
    co_return std::move(*poor);
  }
  co_return result;
}

}  // namespace candor
