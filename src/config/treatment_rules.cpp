#include "treatment_rules.hpp"

#include <algorithm>
#include <string>

#include "fallback_rules.hpp"

namespace candor::config {

namespace {

void check_timeouts(TimeoutSettings const& timeouts, Scope const& scope) {
  Setting<Duration> const connect{"connect", timeouts.connect};
  Setting<Duration> const attempt{"attempt", timeouts.attempt};
  Setting<Duration> const request{"request", timeouts.request};
  in_order(scope, "timeouts", connect, attempt);
  in_order(scope, "timeouts", attempt, request);
  if (timeouts.total) in_order(scope, "timeouts", request, {"total", *timeouts.total});
}

void check_deadline_header(TimeoutSettings const& timeouts, Scope const& scope) {
  constexpr std::string_view section = "timeouts.deadline_header";
  constexpr std::string_view name = "timeouts.deadline_header.name";
  constexpr std::string_view format = "timeouts.deadline_header.format";
  if (!timeouts.deadline_header || scope.is_wrong(section) || !scope.answers_for(section)) return;
  auto const& header = *timeouts.deadline_header;
  if (is_reserved(header.name) && !scope.is_wrong(name)) {
    scope.problem(name, header.name + " says something else");
  }
  bool const is_grpc = same_field(header.name, "grpc-timeout");
  if (is_grpc && header.format != DeadlineFormat::grpc && !scope.is_wrong(format)) {
    scope.problem(format, "grpc-timeout is written as grpc");
  }
}

/// What is to be retried has to be a failure. Defaults have been settled.
void check_conditions(RouteSettings const& settings, Scope const& scope, bool is_said) {
  constexpr std::string_view on = "retry.on";
  constexpr std::string_view failures = "breaker.failure_statuses";
  if (!is_said || !scope.answers_for(on, failures) || scope.is_list_wrong(failures)) return;
  for (auto const status : settings.retry.on.statuses) {
    if (status == 429) {
      if (scope.says(on)) scope.problem(on, "429 is never a status failure: list \"overload\"");
    } else if (is_failure(settings.classify, status)) {
      continue;
    } else if (scope.says(on)) {
      scope.problem(on, std::to_string(status) + " is not among breaker.failure_statuses");
    } else {
      scope.problem(failures, std::to_string(status) + " is missing, which its upstream's retry.on has");
    }
  }
}

void check_retry(RouteSettings const& settings, Scope const& scope) {
  auto const& retry = settings.retry;
  in_order<Duration>(scope, "retry.backoff", {"base", retry.backoff.base}, {"cap", retry.backoff.cap});
  auto const& budget = retry.budget;
  if (budget.stretch && scope.says("retry.budget.stretch")) {
    in_order<double>(scope, "retry.budget", {"ratio", budget.ratio}, {"stretch", *budget.stretch});
  }
  check_conditions(settings, scope, scope.is_said("retry.on"));
}

void check_hedge(RouteSettings const& settings, Scope const& scope) {
  constexpr std::string_view section = "retry.hedge";
  constexpr std::string_view after = "retry.hedge.after";
  constexpr std::string_view attempt = "timeouts.attempt";
  if (!settings.retry.hedge || scope.is_wrong(section)) return;
  auto const& hedge = *settings.retry.hedge;
  bool const is_clear = !scope.is_wrong(after) && !scope.is_wrong("retry.hedge.quantile");
  if (!hedge.after && !hedge.quantile && is_clear && scope.answers_for(section)) {
    scope.problem(section, "it never goes out: say after or quantile");
  }
  if (settings.retry.attempts == 1 && scope.answers_for(section, "retry.attempts")) {
    scope.problem(section, "it is a second attempt, and retry.attempts is 1");
  }
  if (settings.retry.replay == Replay::never && scope.answers_for(section, "retry.replay")) {
    scope.problem(section, "it sends a request again, and retry.replay is never");
  }
  if (!hedge.after || *hedge.after < settings.timeouts.attempt || !is_clear) return;
  if (scope.is_wrong(attempt) || !scope.answers_for(after, attempt)) return;
  scope.problem(after, "an attempt ends before that: timeouts.attempt is " +
                           text_of(settings.timeouts.attempt) + scope.origin(attempt));
}

void check_breaker(BreakerSettings const& breaker, Scope const& scope) {
  constexpr std::string_view slow_rate = "breaker.trip.slow_rate";
  constexpr std::string_view slow_after = "breaker.slow_after";
  in_order<Duration>(scope, "breaker.open", {"first", breaker.open.first}, {"cap", breaker.open.cap});
  auto const& trip = breaker.trip;
  if (trip.slow_rate && !breaker.slow_after && !scope.is_wrong(slow_after) &&
      scope.answers_for(slow_rate, slow_after)) {
    scope.problem(slow_rate, "no attempt is ever slow without breaker.slow_after");
  }
  if (!trip.evidence && !trip.consecutive_failures && !trip.failure_rate && !trip.slow_rate &&
      !trip.strain_rate && scope.answers_for("breaker.trip")) {
    scope.problem("breaker.trip", "no rule is left; to have no breaker, say enabled: false");
  }
}

void check_slow_after(RouteSettings const& settings, Scope const& scope) {
  constexpr std::string_view slow_after = "breaker.slow_after";
  constexpr std::string_view attempt = "timeouts.attempt";
  auto const& slow = settings.breaker.slow_after;
  if (!slow || *slow < settings.timeouts.attempt || !scope.answers_for(slow_after, attempt)) return;
  if (scope.is_wrong(slow_after) || scope.is_wrong(attempt)) return;
  if (scope.says(slow_after)) {
    scope.problem(slow_after, "an attempt ends before it is slow: timeouts.attempt is " +
                                  text_of(settings.timeouts.attempt) + scope.origin(attempt));
  } else {
    scope.problem(attempt, "an attempt ends before it is slow: breaker.slow_after is " + text_of(*slow) +
                               scope.origin(slow_after));
  }
}

void check_queue(RouteSettings const& settings, Scope const& scope) {
  constexpr std::string_view queue = "limit.queue";
  constexpr std::string_view queue_timeout = "limit.queue_timeout";
  constexpr std::string_view request = "timeouts.request";
  if (!scope.is_said(queue_timeout) || scope.is_wrong(queue_timeout) || scope.is_wrong(queue)) return;
  auto const& limit = settings.limit;
  // The default says nothing, though an effective configuration spells it out.
  bool const is_meant = limit.queue_timeout != AttemptLimitSettings{}.queue_timeout;
  if (!limit.queue && is_meant && scope.answers_for(queue, queue_timeout)) {
    scope.problem(queue_timeout, "nothing waits without a limit.queue");
  }
  if (!limit.queue || limit.queue_timeout < settings.timeouts.request || scope.is_wrong(request)) return;
  if (!scope.answers_for(queue, queue_timeout, request)) return;
  scope.problem(queue_timeout,
                "a request ends before that: timeouts.request is " + text_of(settings.timeouts.request));
}

void check_limit(AttemptLimitSettings const& limit, Scope const& scope) {
  constexpr std::string_view attempts = "limit.attempts";
  constexpr std::string_view first = "limit.adaptive.first";
  if (!limit.adaptive || scope.is_wrong("limit.adaptive")) return;
  auto const& adaptive = *limit.adaptive;
  auto const number = [](std::size_t count) { return static_cast<std::int64_t>(count); };
  in_order<std::int64_t>(scope, "limit.adaptive", {"least", number(adaptive.least)},
                         {"first", number(adaptive.first)});
  if (adaptive.first <= limit.attempts || scope.is_wrong(first) || scope.is_wrong(attempts)) return;
  if (!scope.answers_for(first, attempts)) return;
  scope.problem(scope.says(first) ? first : attempts,
                "the limit begins at adaptive.first, " + std::to_string(adaptive.first) +
                    ", and is never above attempts, " + std::to_string(limit.attempts));
}

}  // namespace

bool is_failure(ClassifySettings const& classify, std::uint16_t status) {
  auto const& failures = classify.failure_statuses;
  return std::any_of(failures.begin(), failures.end(),
                     [status](StatusRange range) { return range.first <= status && status <= range.last; });
}

void settle_limit(AttemptLimitSettings& limit, std::string const& path, Report const& report) {
  if (!limit.adaptive) return;
  auto& adaptive = *limit.adaptive;
  bool const says_least = report.offset_of(path + ".least").has_value();
  bool const says_first = report.offset_of(path + ".first").has_value();
  if (!says_first) adaptive.first = std::min(adaptive.first, limit.attempts);
  if (!says_first && says_least) adaptive.first = std::max(adaptive.first, adaptive.least);
  if (!says_least) adaptive.least = std::min(adaptive.least, adaptive.first);
}

void check_treatment(RouteSettings const& settings, Scope const& scope) {
  check_timeouts(settings.timeouts, scope);
  check_deadline_header(settings.timeouts, scope);
  check_retry(settings, scope);
  check_hedge(settings, scope);
  check_breaker(settings.breaker, scope);
  check_slow_after(settings, scope);
  check_limit(settings.limit, scope);
  check_queue(settings, scope);
}

}  // namespace candor::config
