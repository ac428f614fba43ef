#include "candor/resilience/trip.hpp"

#include <algorithm>
#include <cmath>

#include "candor/resilience/statistics.hpp"

namespace candor {

std::string_view name(Rule rule) {
  switch (rule) {
    case Rule::evidence_ratio: return "evidence_ratio";
    case Rule::evidence_run: return "evidence_run";
    case Rule::consecutive_failures: return "consecutive_failures";
    case Rule::failure_rate: return "failure_rate";
    case Rule::slow_rate: return "slow_rate";
    case Rule::strain_rate: return "strain_rate";
    case Rule::window_elapsed: return "window_elapsed";
    case Rule::probe_success: return "probe_success";
    case Rule::probe_failure: return "probe_failure";
    case Rule::ramp_complete: return "ramp_complete";
    case Rule::check_success: return "check_success";
    case Rule::check_failure: return "check_failure";
    case Rule::held_open: return "held_open";
    case Rule::held_closed: return "held_closed";
    case Rule::given_back: return "given_back";
    case Rule::too_few_left: return "too_few_left";
    case Rule::all_replaced: return "all_replaced";
  }
  return {};
}

bool rests_on_attempts(Rule rule) {
  switch (rule) {
    case Rule::evidence_ratio:
    case Rule::evidence_run:
    case Rule::consecutive_failures:
    case Rule::failure_rate:
    case Rule::slow_rate:
    case Rule::strain_rate:
    case Rule::probe_success:
    case Rule::probe_failure:
    case Rule::ramp_complete: return true;
    case Rule::window_elapsed:
    case Rule::check_success:
    case Rule::check_failure:
    case Rule::held_open:
    case Rule::held_closed:
    case Rule::given_back:
    case Rule::too_few_left:
    case Rule::all_replaced: return false;
  }
  return false;
}

namespace {

constexpr unsigned shortest_run = 5;
constexpr unsigned longest_run = 20;
constexpr double lowest_p = 0.03;
constexpr std::uint64_t virtual_successes = 40;

double as_real(std::uint64_t n) { return static_cast<double>(n); }

/// A run of `length` counts once it spans two requests; a threshold of one asks for no second request.
bool reached(FailureRun const& run, unsigned length) {
  return run.length() >= length && (run.spans_requests() || length < 2);
}

std::optional<Trip> judge_run(EvidenceSettings const& settings, FailureRun const& run) {
  if (run.length() < shortest_run) return std::nullopt;  // spares the logarithms
  auto const threshold = run_threshold(settings, run);
  if (!reached(run, threshold.length)) return std::nullopt;
  return Trip{.rule = Rule::evidence_run,
              .value = static_cast<double>(run.length()),
              .threshold = static_cast<double>(threshold.length),
              .expected_failure_ratio = threshold.p};
}

std::optional<Trip> judge_ratio(EvidenceSettings const& settings, WindowSums const& window) {
  auto const attempts = window.evidence_attempts();
  auto const failures = window.evidence_failures();
  if (attempts < settings.minimum_attempts) return std::nullopt;
  if (as_real(failures) < settings.failure_rate * as_real(attempts))
    return std::nullopt;  // nor can its bound
  double const lower = wilson(as_real(failures), as_real(attempts)).lower;
  if (lower < settings.failure_rate) return std::nullopt;
  return Trip{.rule = Rule::evidence_ratio, .value = lower, .threshold = settings.failure_rate};
}

std::optional<Trip> judge_share(Rule rule, double threshold, unsigned minimum, std::uint64_t part,
                                std::uint64_t whole) {
  if (whole == 0 || whole < minimum) return std::nullopt;
  double const share = as_real(part) / as_real(whole);
  if (share < threshold) return std::nullopt;
  return Trip{.rule = rule, .value = share, .threshold = threshold};
}

std::optional<Trip> first_that_holds(TripSettings const& settings, WindowSums const& window,
                                     FailureRun const& run, FailureRun const& failures, Asked asked) {
  if (settings.evidence && asked == Asked::all) {
    if (auto trip = judge_run(*settings.evidence, run)) return trip;
    if (auto trip = judge_ratio(*settings.evidence, window)) return trip;
  }
  if (settings.consecutive_failures && reached(failures, *settings.consecutive_failures)) {
    return Trip{.rule = Rule::consecutive_failures,
                .value = static_cast<double>(failures.length()),
                .threshold = static_cast<double>(*settings.consecutive_failures)};
  }
  if (auto const& rate = settings.failure_rate) {
    if (auto trip = judge_share(Rule::failure_rate, rate->ratio, rate->minimum_attempts, window.failed,
                                window.settled))
      return trip;
  }
  if (auto const& rate = settings.slow_rate) {
    if (auto trip = judge_share(Rule::slow_rate, rate->ratio, rate->minimum_attempts, window.marked,
                                window.attempts()))
      return trip;
  }
  if (auto const& rate = settings.strain_rate) {
    if (auto trip = judge_share(Rule::strain_rate, rate->ratio, rate->minimum_requests, window.strained,
                                window.answered))
      return trip;
  }
  return std::nullopt;
}

}  // namespace

RunThreshold run_threshold(EvidenceSettings const& settings, FailureRun const& run) {
  auto const trials = std::max(run.before_attempts(), virtual_successes);
  double const p = std::max(wilson(as_real(run.before_failures()), as_real(trials)).upper, lowest_p);
  if (p >= 1) return {longest_run, p};
  double const length = std::ceil(std::log(settings.false_trip) / std::log(p));
  return {static_cast<unsigned>(std::clamp(length, double{shortest_run}, double{longest_run})), p};
}

std::optional<Trip> judge(TripSettings const& settings, WindowSums const& window, FailureRun const& run,
                          FailureRun const& failures, Asked asked) {
  if (asked == Asked::none) return std::nullopt;
  auto trip = first_that_holds(settings, window, run, failures, asked);
  if (trip) {
    trip->window = window;
    trip->run = run.length();
  }
  return trip;
}

std::optional<Trip> judge(TripSettings const& settings, WindowSums const& window, FailureRun const& run) {
  return judge(settings, window, run, run);
}

}  // namespace candor
