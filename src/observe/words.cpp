#include "candor/observe/words.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace candor::observe {

namespace {

/// With one decimal, unless that is 0.
std::string one_decimal(double value) {
  std::array<char, 32> text{};
  auto* const end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, 1).ptr;
  std::string out{text.data(), end};
  if (out.ends_with(".0")) out.resize(out.size() - 2);
  return out;
}

std::string whole(double value) { return std::to_string(std::llround(value)); }

std::string two_units(std::int64_t large, char const* large_unit, std::int64_t small,
                      char const* small_unit) {
  std::string out = std::to_string(large) + large_unit;
  if (small > 0) out += ' ' + std::to_string(small) + small_unit;
  return out;
}

/// "1 in ..." of a small probability, in numbers that one can say: 41 million, 27,000.
std::string odds(double probability) {
  double const trials = 1 / probability;
  if (trials >= 1e12) return "over a trillion";
  if (trials >= 1e9) return whole(trials / 1e9) + " billion";
  if (trials >= 1e6) return whole(trials / 1e6) + " million";
  if (trials >= 1e3) return grouped(static_cast<std::uint64_t>(std::llround(trials / 1e3)) * 1000);
  return whole(trials);
}

/// "12 of 20 attempts in 10s"
std::string share(std::uint64_t part, std::uint64_t all, std::string_view noun,
                  BreakerSettings const& settings) {
  return grouped(part) + " of " + counted(all, noun) + " in " + in_words(settings.window);
}

double ratio(std::uint64_t part, std::uint64_t all) {
  return all == 0 ? 0 : static_cast<double>(part) / static_cast<double>(all);
}

std::string threshold_words(double threshold, unsigned minimum) {
  return "The circuit opens at " + percent(threshold) +
         (minimum > 1 ? ", of " + grouped(minimum) + " or more." : ".");
}

std::string_view bad(WindowSums const& window) { return window.marked > 0 ? "failed or slow" : "failed"; }

std::string of_run(Trip const& why) {
  auto const length = grouped(static_cast<std::uint64_t>(why.value));
  std::string out = "A run of " + length + ' ' + std::string(bad(why.window)) +
                    " attempts. As far as the attempts before it tell, no more than " +
                    percent(why.expected_failure_ratio) + " fail normally";
  double const chance = std::pow(why.expected_failure_ratio, why.value);
  if (chance > 1e-3) return out + ", but " + length + " in a row is as long as any run may get.";
  return out + "; at that rate " + length + " in a row happen by chance once in " + odds(chance) + " times.";
}

std::string of_ratio(Trip const& why, BreakerSettings const& settings) {
  auto const failures = why.window.evidence_failures();
  auto const attempts = why.window.evidence_attempts();
  return share(failures, attempts, "attempt", settings) + ' ' + std::string(bad(why.window)) + ": " +
         percent(ratio(failures, attempts)) + ". Allowing for chance that is still " + percent(why.value) +
         " or more (95% confidence), and the circuit opens at " + percent(why.threshold) + '.';
}

}  // namespace

std::string in_words(Duration d) {
  using std::chrono::days;
  using std::chrono::hours;
  using std::chrono::minutes;
  double const s = std::max(0.0, seconds(d));
  if (s > 0 && s < 0.0001) return "under 0.1ms";
  if (s < 0.00995) return one_decimal(s * 1e3) + "ms";
  if (s < 0.9995) return whole(s * 1e3) + "ms";
  if (s < 9.95) return one_decimal(s) + "s";
  if (s < 59.5) return whole(s) + "s";
  auto const rounded = std::chrono::round<std::chrono::seconds>(d);
  if (rounded < hours{1}) return two_units(rounded / minutes{1}, "min", (rounded % minutes{1}).count(), "s");
  auto const whole_minutes = std::chrono::floor<minutes>(rounded);
  if (whole_minutes < days{1})
    return two_units(whole_minutes / hours{1}, "h", (whole_minutes % hours{1}).count(), "min");
  auto const whole_hours = std::chrono::floor<hours>(rounded);
  return two_units(whole_hours / days{1}, "d", (whole_hours % days{1}).count(), "h");
}

std::string percent(double ratio) {
  double const value = ratio * 100;
  if (value <= 0) return "0%";
  if (value < 0.1) return "under 0.1%";
  if (value >= 100) return "100%";
  if (value > 99.9) return "over 99.9%";
  bool const decimal = value < 9.95 || value >= 99.5;
  return (decimal ? one_decimal(value) : whole(value)) + '%';
}

std::string grouped(std::uint64_t n) {
  std::string out = std::to_string(n);
  for (auto place = static_cast<std::int64_t>(out.size()) - 3; place > 0; place -= 3) {
    out.insert(static_cast<std::size_t>(place), 1, ',');
  }
  return out;
}

std::string counted(std::uint64_t n, std::string_view noun) {
  return grouped(n) + ' ' + std::string(noun) + (n == 1 ? "" : "s");
}

std::string in_words(Trip const& why, BreakerSettings const& settings) {
  auto const& window = why.window;
  switch (why.rule) {
    case Rule::evidence_run: return of_run(why);
    case Rule::evidence_ratio: return of_ratio(why, settings);
    case Rule::consecutive_failures:
      return "A run of " + grouped(static_cast<std::uint64_t>(why.value)) +
             " failed attempts. The circuit opens at " + grouped(static_cast<std::uint64_t>(why.threshold)) +
             '.';
    case Rule::failure_rate: {
      auto const minimum = settings.trip.failure_rate ? settings.trip.failure_rate->minimum_attempts : 0;
      return share(window.failed, window.settled, "attempt", settings) + " failed: " + percent(why.value) +
             ". " + threshold_words(why.threshold, minimum);
    }
    case Rule::slow_rate: {
      auto const minimum = settings.trip.slow_rate ? settings.trip.slow_rate->minimum_attempts : 0;
      auto const after = settings.slow_after ? ", unanswered after " + in_words(*settings.slow_after) : "";
      return share(window.marked, window.attempts(), "attempt", settings) + " were slow" + after + ": " +
             percent(why.value) + ". " + threshold_words(why.threshold, minimum);
    }
    case Rule::strain_rate: {
      auto const minimum = settings.trip.strain_rate ? settings.trip.strain_rate->minimum_requests : 0;
      return share(window.strained, window.answered, "answered request", settings) +
             " needed more than one attempt: " + percent(why.value) + ". " +
             threshold_words(why.threshold, minimum);
    }
    case Rule::window_elapsed: return "The wait is over; a request may probe.";
    case Rule::probe_success:
      return why.value > 1 ? grouped(static_cast<std::uint64_t>(why.value)) +
                                 " probes in a row succeeded; requests come back step by step."
                           : "The probe succeeded; requests come back step by step.";
    case Rule::probe_failure: return "The probe failed.";
    case Rule::ramp_complete: return "The upstream has recovered; every request is admitted again.";
    case Rule::check_success: return "Checks found it well again; a request may probe.";
    case Rule::check_failure:
      return counted(static_cast<std::uint64_t>(why.value), "check") +
             " in a row failed. It is found ill at " + grouped(static_cast<std::uint64_t>(why.threshold)) +
             '.';
    case Rule::held_open: return "An operator holds it open.";
    case Rule::held_closed: return "An operator holds it closed.";
    case Rule::given_back: return "The operator holds it no longer.";
    case Rule::too_few_left: return "Too few other endpoints were left.";
    case Rule::all_replaced: return "All of its endpoints are others now; a request may probe.";
  }
  return {};
}

}  // namespace candor::observe
