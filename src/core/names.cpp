// The words that logs, metrics and answers use for the enums of core.
#include <stdexcept>
#include <string>

#include "candor/core/failure.hpp"
#include "candor/core/outcome.hpp"

namespace candor {

std::string_view name(FailureKind kind) {
  switch (kind) {
    case FailureKind::connect: return "connect";
    case FailureKind::dns: return "dns";
    case FailureKind::tls: return "tls";
    case FailureKind::timeout: return "timeout";
    case FailureKind::reset: return "reset";
    case FailureKind::truncated: return "truncated";
    case FailureKind::protocol: return "protocol";
    case FailureKind::status: return "status";
    case FailureKind::overload: return "overload";
  }
  return {};
}

std::string_view name(Outcome::Kind kind) {
  switch (kind) {
    case Outcome::Kind::success: return "success";
    case Outcome::Kind::failure: return "failure";
    case Outcome::Kind::excluded: return "excluded";
    case Outcome::Kind::abandoned: return "abandoned";
  }
  return {};
}

std::string_view name(CancelReason reason) {
  switch (reason) {
    case CancelReason::caller_left: return "caller_left";
    case CancelReason::deadline: return "deadline";
    case CancelReason::attempt_timeout: return "attempt_timeout";
    case CancelReason::connect_timeout: return "connect_timeout";
    case CancelReason::idle_timeout: return "idle_timeout";
    case CancelReason::circuit_opened: return "circuit_opened";
    case CancelReason::shutdown: return "shutdown";
    case CancelReason::go_ahead: return "go_ahead";
  }
  return {};
}

std::string_view name(Refusal refusal) {
  switch (refusal) {
    case Refusal::circuit_open: return "circuit_open";
    case Refusal::probe_in_flight: return "probe_in_flight";
    case Refusal::ramping: return "ramping";
    case Refusal::held: return "held";
    case Refusal::no_endpoint: return "no_endpoint";
    case Refusal::limit: return "limit";
    case Refusal::throttled: return "throttled";
    case Refusal::queue_full: return "queue_full";
    case Refusal::queue_timeout: return "queue_timeout";
  }
  return {};
}

void throw_exception_from_error(Failure const& failure, boost::source_location const& /*where*/) {
  throw std::logic_error("the value of a failed result was asked for: " + std::string(failure.detail));
}

}  // namespace candor
