#include "candor/proxy/answer.hpp"

#include <algorithm>

namespace candor {

namespace {

using http::OwnAnswer;
using http::ProxyError;

ProxyError error_of(ProtocolFault fault) {
  switch (fault) {
    case ProtocolFault::other: return ProxyError::http_protocol_error;
    case ProtocolFault::head_too_large: return ProxyError::http_response_header_section_size;
    case ProtocolFault::transfer_coding: return ProxyError::http_response_transfer_coding;
    case ProtocolFault::upgrade: return ProxyError::http_upgrade_failed;
  }
  return ProxyError::http_protocol_error;
}

OwnAnswer of_failed_attempt(FailureKind kind, ProtocolFault fault, std::string_view detail) {
  auto const answer = [&](std::uint16_t status, ProxyError error, std::string_view usual) {
    return OwnAnswer{.status = status, .error = error, .details = detail.empty() ? usual : detail};
  };
  switch (kind) {
    case FailureKind::connect: return answer(502, ProxyError::connection_refused, "connect");
    case FailureKind::dns: return answer(502, ProxyError::dns_error, "dns");
    case FailureKind::tls: return answer(502, ProxyError::tls_protocol_error, "tls");
    case FailureKind::timeout: return answer(504, ProxyError::http_response_timeout, "attempt_timeout");
    case FailureKind::reset: return answer(502, ProxyError::connection_terminated, "reset");
    case FailureKind::truncated: return answer(502, ProxyError::http_response_incomplete, "truncated");
    case FailureKind::protocol: return answer(502, error_of(fault), "protocol");
    case FailureKind::status:
    case FailureKind::overload: return answer(502, ProxyError::proxy_internal_error, name(kind));
  }
  return answer(502, ProxyError::proxy_internal_error, "attempt");
}

OwnAnswer of_refusal(Refusal refusal, Exchange const& exchange) {
  std::string const circuit = "The circuit of " + exchange.route.account_title();
  OwnAnswer answer{.status = 503, .error = ProxyError::destination_unavailable, .details = name(refusal)};
  switch (refusal) {
    case Refusal::circuit_open:
      answer.explanation = circuit + " is open: too many of its attempts failed.";
      break;
    case Refusal::probe_in_flight:
      answer.explanation = circuit + " is half-open: another request is probing it now.";
      break;
    case Refusal::ramping:
      answer.explanation = circuit + " has just closed: only a part of the requests is let through yet.";
      break;
    case Refusal::held: answer.explanation = circuit + " is held open by an operator."; break;
    case Refusal::no_endpoint:
      answer.explanation = "No endpoint of " + exchange.upstream.name() + " can take a request now.";
      if (exchange.upstream.endpoints.empty()) {
        bool const fails = exchange.upstream.discovery.read().failing_since.has_value();
        answer.error = fails ? ProxyError::dns_error : ProxyError::destination_not_found;
        answer.explanation = "No endpoint of " + exchange.upstream.name() + " is known at the moment.";
      }
      break;
    case Refusal::limit:
      answer.error = ProxyError::connection_limit_reached;
      answer.explanation = "As many attempts are in flight to " + exchange.upstream.name() + " as may be.";
      break;
    case Refusal::queue_full:
      answer.error = ProxyError::connection_limit_reached;
      answer.explanation = "As many attempts wait for room at " + exchange.upstream.name() + " as may.";
      break;
    case Refusal::queue_timeout:
      answer.error = ProxyError::connection_limit_reached;
      answer.explanation =
          "There was no room at " + exchange.upstream.name() + " for as long as an attempt may wait.";
      break;
    case Refusal::throttled:
      answer.explanation =
          exchange.upstream.name() + " accepts too little of what it is sent: a part is refused here.";
      break;
  }
  // Who is busy now may have room at any moment: less than any Retry-After can say.
  answer.retry_after = exchange.route.health.retry_after(exchange.now());
  answer.candor_retry = "refused";
  return answer;
}

OwnAnswer of_cancel(CancelReason reason) {
  switch (reason) {
    case CancelReason::deadline:
      return {.status = 504, .error = ProxyError::http_response_timeout, .details = "deadline"};
    case CancelReason::attempt_timeout:
      return {.status = 504, .error = ProxyError::http_response_timeout, .details = "attempt_timeout"};
    case CancelReason::connect_timeout:
      return {.status = 504, .error = ProxyError::connection_timeout, .details = "connect_timeout"};
    case CancelReason::idle_timeout:
      return {.status = 504, .error = ProxyError::connection_read_timeout, .details = "idle_timeout"};
    case CancelReason::caller_left:
    case CancelReason::circuit_opened:
    case CancelReason::shutdown:
    case CancelReason::go_ahead:
      return {.status = 503, .error = ProxyError::proxy_internal_response, .details = name(reason)};
  }
  return {.status = 500, .error = ProxyError::proxy_internal_error};
}

/// `attempts=3; retries denied: budget`.
std::string history_of(Exchange const& exchange) {
  auto const attempts = exchange.attempts.empty() ? 0U : exchange.attempts.last().number;
  std::string history = "attempts=" + std::to_string(attempts);
  if (exchange.denied) history.append("; retries denied: ").append(name(*exchange.denied));
  return history;
}

/// What the failure itself says, whatever went before.
OwnAnswer of_failure(Failure const& failure, Exchange const& exchange) {
  if (auto const refusal = failure.get<Refusal>()) return of_refusal(*refusal, exchange);
  if (auto const failed = failure.get<AttemptFailed>()) {
    return of_failed_attempt(failed->kind, failed->fault, failure.detail);
  }
  if (auto const reason = failure.get<CancelReason>()) return of_cancel(*reason);
  if (auto const broken = failure.get<CallerBodyBroken>()) {
    std::uint16_t const status = broken->late ? 408 : 400;
    return {.status = status, .error = ProxyError::http_request_error, .details = failure.detail};
  }
  if (auto const out_of = failure.get<OutOfResources>()) {
    auto const error =
        out_of->connections ? ProxyError::connection_limit_reached : ProxyError::proxy_internal_error;
    return {.status = 503, .error = error, .details = failure.detail, .candor_retry = "refused"};
  }
  return {.status = 502, .error = ProxyError::connection_terminated, .details = "stale_connection"};
}

/// Whether a further attempt would go against the reason, whoever makes it. The others are for each tier to
/// judge: what is worth an attempt, and what may be sent twice.
bool binds_others(RetryDenied reason) {
  switch (reason) {
    case RetryDenied::circuit:
    case RetryDenied::budget:
    case RetryDenied::deadline:
    case RetryDenied::limit:
    case RetryDenied::throttle: return true;
    case RetryDenied::attempts:
    case RetryDenied::condition:
    case RetryDenied::not_replayable:
    case RetryDenied::body_too_large:
    case RetryDenied::tier: return false;  // the tier below has left its own mark
  }
  return false;
}

}  // namespace

std::string_view retry_mark(Exchange const& exchange) {
  bool const exhausted =
      exchange.retries > 0 || exchange.hedged || (exchange.denied && binds_others(*exchange.denied));
  return exhausted ? "exhausted" : "";
}

http::OwnAnswer own_answer(Failure const& failure, Exchange const& exchange) {
  auto answer = of_failure(failure, exchange);
  // Of a single attempt after which no retry was thought of, there is no more to say.
  if (exchange.denied || exchange.retries > 0) answer.history = history_of(exchange);
  if (answer.candor_retry.empty()) answer.candor_retry = retry_mark(exchange);
  // All the time that there was has gone into it.
  bool const timed_out = failure.get<CancelReason>() == CancelReason::deadline;
  if (timed_out && !exchange.attempts.empty()) answer.candor_retry = "exhausted";
  return answer;
}

namespace {

/// What went wrong, in the words of the answer that the caller does not get.
AnswerMarks marks_of_fallback(Exchange const& exchange, Fallback const& fallback) {
  AnswerMarks marks{.candor_fallback = name(fallback.kind)};
  auto const and_instead = [&marks](std::string details) {
    if (!details.empty()) details += "; ";
    return details.append("fallback: ").append(marks.candor_fallback);
  };
  if (!fallback.failure) {
    marks.proxy_status = http::proxy_status_received(fallback.status, and_instead(history_of(exchange)));
    marks.candor_retry = retry_mark(exchange);
    return marks;
  }
  auto const instead_of = own_answer(*fallback.failure, exchange);
  std::string details{instead_of.details};
  if (!instead_of.history.empty()) details.append("; ").append(instead_of.history);
  marks.proxy_status = http::proxy_status(instead_of.error.value_or(ProxyError::proxy_internal_response),
                                          and_instead(std::move(details)));
  marks.candor_retry = instead_of.candor_retry;
  return marks;
}

}  // namespace

AnswerMarks marks_of(Exchange const& exchange, Response const& answer) {
  if (exchange.fallback) {
    auto marks = marks_of_fallback(exchange, *exchange.fallback);
    // A good answer is a good answer: nobody asks whether it may be tried again.
    if (answer.good()) marks.candor_retry = {};
    if (!answer.good() && marks.candor_retry.empty() && exchange.diverted) {
      marks.candor_retry = retry_mark(*exchange.diverted);
    }
    return marks;
  }
  bool const good = answer.good();
  return {.proxy_status = proxy_status_of(exchange, answer.head().status, good),
          .candor_retry = good ? std::string_view{} : retry_mark(exchange)};
}

void describe_fallback(Exchange const& exchange, RequestEnd& end) {
  auto const& fallback = *exchange.fallback;
  if (fallback.kind == FallbackKind::upstream) return;
  end.result = exchange.attempts.empty() ? RequestResult::refused : RequestResult::failed;
  if (!fallback.failure) return;
  auto const instead_of = own_answer(*fallback.failure, exchange);
  end.error = instead_of.error;
  end.details = instead_of.details;
}

std::string proxy_status_of(Exchange const& exchange, std::uint16_t status, bool good) {
  auto const attempts = exchange.attempts.empty() ? 0U : exchange.attempts.last().number;
  if (good && attempts <= 1) return {};
  if (!good && !exchange.denied) return {};
  return http::proxy_status_received(status, history_of(exchange));
}

}  // namespace candor
