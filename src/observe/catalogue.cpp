#include "candor/observe/catalogue.hpp"

#include <algorithm>

#include "candor/observe/shard.hpp"
#include "candor/observe/text.hpp"
#include "candor/observe/words.hpp"

namespace candor::observe {

namespace {

using enum MetricKind;
using M = Metric;

// clang-format off
constexpr std::array<MetricRow, metric_count> rows{{
    // Requests: what callers asked for, each counted once, when it ends.
    {M::requests, "candor_requests_total", counter, "", {"upstream", "route", "result", "status_class"},
     "Requests that ended: how (answered, failed, refused, broken, abandoned), and the class of the "
     "status sent."},
    {M::requests_in_flight, "candor_requests_in_flight", gauge, "", {"upstream", "route"},
     "Requests begun and not yet ended; 0 once a drain is through."},
    {M::requests_refused, "candor_requests_refused_total", counter, "", {"upstream", "route", "reason"},
     "Requests refused without an attempt, by the reason in their Proxy-Status details; other: a bound of "
     "Candor's own was reached."},
    {M::request_duration, "candor_request_duration_seconds", histogram, "seconds", {"upstream", "route"},
     "From a request's head to the end of its answer, waits and retries included."},
    {M::answers_by_attempt, "candor_answers_by_attempt_total", counter, "", {"upstream", "route", "attempt"},
     "Requests answered by a successful attempt, by which attempt it was; 5+ is the fifth or a later one."},
    {M::own_answers, "candor_own_answers_total", counter, "", {"upstream", "route", "error"},
     "Answers that Candor gave itself, by the error type of their Proxy-Status (RFC 9209)."},
    {M::rejected, "candor_rejected_total", counter, "", {"status", "error"},
     "Messages that never became a request: malformed, too large, too slow, or for no upstream."},
    {M::request_body_bytes, "candor_request_body_bytes_total", counter, "bytes", {"upstream", "route"},
     "Bytes of request bodies read from callers."},
    {M::answer_body_bytes, "candor_answer_body_bytes_total", counter, "bytes", {"upstream", "route"},
     "Bytes of answer bodies sent to callers."},
    {M::deadlines_ignored, "candor_deadlines_ignored_total", counter, "", {"upstream", "route"},
     "Requests whose timeouts.deadline_header could not be read: malformed, or there more than once."},
    {M::fallbacks, "candor_fallbacks_total", counter, "", {"upstream", "route", "kind"},
     "Requests that got something else in the place of an answer: fixed, another upstream's, or stale. Only "
     "the second counts as answered."},

    // Attempts: the health model's own ledger. What endpoints did that have left stays in the sums, under one
    // name for all.
    {M::attempts_started, "candor_attempts_started_total", counter, "", {"upstream", "route", "endpoint"},
     "Attempts begun. Equals the attempts in flight plus those of every outcome, always."},
    {M::attempts_in_flight, "candor_attempts_in_flight", gauge, "", {"upstream", "route", "endpoint"},
     "Attempts begun and not yet settled."},
    {M::attempts, "candor_attempts_total", counter, "", {"upstream", "route", "endpoint", "outcome", "kind"},
     "Attempts settled, by outcome (success, failure, excluded, abandoned); kind says how a failure "
     "failed."},
    {M::attempt_duration, "candor_attempt_duration_seconds", histogram, "seconds", {"upstream", "route", "endpoint"},
     "From an attempt's permit to its verdict, of successes and failures; a body that streams on settles "
     "1s after its head."},
    {M::slow_attempts, "candor_slow_attempts_total", counter, "", {"upstream", "route", "endpoint"},
     "Attempts marked slow: no head by the slow threshold."},
    {M::stale_outcomes, "candor_stale_outcomes_total", counter, "", {"upstream", "route", "endpoint"},
     "Outcomes of attempts admitted in an older generation of the circuit: in the ledger, without a vote."},
    {M::late_breaks, "candor_late_breaks_total", counter, "", {"upstream", "route"},
     "Answers that broke off after their attempt had settled as a success, because their body streamed on."},

    // Retries.
    {M::retries, "candor_retries_total", counter, "", {"upstream", "route", "reason"},
     "Retries sent, by how the attempt before them failed."},
    {M::retries_denied, "candor_retries_denied_total", counter, "", {"upstream", "route", "reason"},
     "Failed attempts that were not retried, by the first reason against it."},
    {M::hedges, "candor_hedges_total", counter, "", {"upstream", "route", "result"},
     "Attempts made beside one that took long: won (its answer was given), lost; and denied, those that were "
     "due and not sent."},
    {M::budget_tokens, "candor_budget_tokens", gauge, "", {"upstream"},
     "Retries that the budget would pay for now."},

    // The circuit.
    {M::circuit_state, "candor_circuit_state", gauge, "", {"upstream", "route", "state"},
     "1 for the state that the circuit is in (closed, open, half_open, ramping), 0 for the others."},
    {M::circuit_held, "candor_circuit_held", gauge, "", {"upstream", "route", "hold"},
     "1 while an operator holds the circuit so (open, closed) by hand, else 0."},
    {M::circuit_transitions, "candor_circuit_transitions_total", counter, "",
     {"upstream", "route", "from", "to", "rule"},
     "Changes of the circuit's state, by the rule that decided."},
    {M::circuit_refusals, "candor_circuit_refusals_total", counter, "", {"upstream", "route"},
     "Attempts that the circuit did not admit: open, probe slots taken, or outside the ramp's share."},
    {M::circuit_admitted, "candor_circuit_admitted_ratio", gauge, "ratio", {"upstream", "route"},
     "Share of the attempts that the circuit admits: 1 closed, 0 open, between the two while ramping."},
    {M::endpoints, "candor_endpoints", gauge, "", {"upstream"},
     "Endpoints that attempts may go to; ejected ones are among them."},
    {M::endpoint_state, "candor_endpoint_state", gauge, "", {"upstream", "route", "endpoint", "state"},
     "The same of an endpoint's own circuit, where there are several: open means ejected."},
    {M::endpoint_held, "candor_endpoint_held", gauge, "", {"upstream", "route", "endpoint", "hold"},
     "The same of an endpoint's own circuit."},
    {M::ejections, "candor_ejections_total", counter, "", {"upstream", "route", "endpoint"},
     "How often the endpoint's own circuit has opened."},
    {M::checks, "candor_checks_total", counter, "", {"upstream", "route", "endpoint", "result"},
     "Checks that Candor made of its own accord, by what they showed (good, bad, abandoned): those that an "
     "upstream's check asks for, and the connects that find out whether an endpoint is back. They are no "
     "attempts."},
    {M::check_standing, "candor_check_standing", gauge, "", {"upstream", "route", "endpoint", "standing"},
     "1 for what the checks of an upstream's check section say of the endpoint (well, doubted, ill), 0 for the "
     "rest; nothing before the first."},
    {M::probes, "candor_probes_total", counter, "", {"upstream", "route", "outcome"},
     "Probes settled, by outcome."},
    {M::failure_ratio, "candor_failure_ratio", gauge, "ratio", {"upstream", "route"},
     "Failed attempts over settled ones in the breaker's window; 0 without any."},
    {M::strain_ratio, "candor_strain_ratio", gauge, "ratio", {"upstream", "route"},
     "Answered requests that needed more than one attempt, over all answered ones, in the breaker's "
     "window."},
    {M::failure_run, "candor_failure_run", gauge, "", {"upstream", "route"},
     "Length of the unbroken run of failures that the breaker sees now."},
    {M::window_attempts, "candor_window_attempts", gauge, "", {"upstream", "route"},
     "Attempts that settled, or were marked slow, in the breaker's window: what the ratios stand on."},

    // Load.
    {M::limit_attempts, "candor_limit_attempts", gauge, "", {"upstream", "route"},
     "Attempts that may be in flight at the same time now; a fixed number, unless limit.adaptive is set."},
    {M::limit_in_use, "candor_limit_in_use", gauge, "", {"upstream", "route"},
     "Attempts in flight, as the limit sees them."},
    {M::limit_usual_latency, "candor_limit_usual_latency_seconds", gauge, "seconds", {"upstream", "route"},
     "What attempts usually take, to the head, as an adaptive limit has learnt it; absent until it has."},
    {M::limit_queued, "candor_limit_queued", gauge, "", {"upstream", "route"},
     "Attempts that wait for room; absent where none may."},
    {M::limit_queue_wait, "candor_limit_queue_wait_seconds", histogram, "seconds", {"upstream", "route"},
     "How long attempts waited for room, of those that got it; absent where none may wait."},
    {M::limit_refusals, "candor_limit_refusals_total", counter, "", {"upstream", "route", "reason"},
     "Attempts for which there was no room under the limit: limit; or where they may wait for it: queue_full, "
     "queue_timeout."},
    {M::throttle_refused_share, "candor_throttle_refused_ratio", gauge, "ratio", {"upstream", "route"},
     "Share of the attempts that the throttle refuses now; absent where there is none."},
    {M::throttle_refusals, "candor_throttle_refusals_total", counter, "", {"upstream", "route"},
     "Attempts that the throttle refused."},

    // What other rules would have done: shadow.
    {M::shadow_state, "candor_shadow_circuit_state", gauge, "", {"upstream", "route", "state"},
     "1 for the state that the circuit would be in by the shadow's rules, 0 for the others."},
    {M::shadow_transitions, "candor_shadow_circuit_transitions_total", counter, "",
     {"upstream", "route", "from", "to", "rule"},
     "Changes of state that the circuit would have made by the shadow's rules."},
    {M::shadow_refusals, "candor_shadow_refusals_total", counter, "", {"upstream", "route", "outcome"},
     "Attempts that were made and that the shadow's circuit would have refused, by what they showed: a success "
     "is an answer that it would have cost."},
    {M::shadow_retries_added, "candor_shadow_retries_added_total", counter, "", {"upstream", "route"},
     "Failed attempts that were not retried and would have been by the shadow's rules."},
    {M::shadow_retries_spared, "candor_shadow_retries_spared_total", counter, "",
     {"upstream", "route", "reason"},
     "Failed attempts that were retried and would not have been by the shadow's rules, by its first reason "
     "against it."},

    // Connections.
    {M::caller_connections, "candor_caller_connections", gauge, "", {},
     "Connections of callers that are open."},
    {M::caller_connections_accepted, "candor_caller_connections_accepted_total", counter, "", {},
     "Connections of callers that were accepted."},
    {M::caller_connections_refused, "candor_caller_connections_refused_total", counter, "", {},
     "Connections of callers that were turned away: too many, or no descriptor left."},
    {M::connections_open, "candor_connections_open", gauge, "", {"upstream"},
     "Connections to endpoints that are open, in use or idle."},
    {M::connections_opened, "candor_connections_opened_total", counter, "", {"upstream"},
     "Connections made to endpoints."},
    {M::connections_closed, "candor_connections_closed_total", counter, "", {"upstream"},
     "Connections to endpoints that were closed, by either side."},
    {M::pool_idle, "candor_pool_idle_connections", gauge, "", {"upstream"},
     "Connections waiting in the pool."},
    {M::pool_reused, "candor_pool_reused_total", counter, "", {"upstream"},
     "Connections taken from the pool for an attempt."},
    {M::pool_kept, "candor_pool_kept_total", counter, "", {"upstream"},
     "Connections given to the pool after an attempt."},
    {M::pool_dropped, "candor_pool_dropped_total", counter, "", {"upstream"},
     "Connections that left the pool unused: too old, too many, or closed by the endpoint."},

    // Where endpoints come from.
    {M::endpoint_changes, "candor_endpoint_changes_total", counter, "", {"upstream", "change"},
     "Endpoints that came and left while Candor ran, of upstreams with a discover."},
    {M::discovery_updates, "candor_discovery_updates_total", counter, "", {"upstream", "result"},
     "What became of what discover said: changed (other endpoints than before), unchanged, failed (no answer, or "
     "one that is not believed: the last good one stays)."},
    {M::discovery_answer_age, "candor_discovery_answer_age_seconds", gauge, "seconds", {"upstream"},
     "Since discover last gave a good answer; absent before the first."},
    {M::dns_look_ups, "candor_dns_look_ups_total", counter, "", {"name", "result"},
     "Look-ups of names that endpoints go by, one a family, by what they came to (answered, empty, "
     "no_such_name, timed_out, failed, malformed)."},
    {M::dns_answer_age, "candor_dns_answer_age_seconds", gauge, "seconds", {"name"},
     "Since the name was last answered; absent before the first time."},

    // Candor itself.
    {M::access_log_dropped, "candor_access_log_dropped_total", counter, "", {},
     "Lines of the access log that were never written: writing fell behind, or failed."},
    {M::build_info, "candor_build_info", gauge, "", {"version", "revision"},
     "Always 1; the labels say what runs."},
    {M::process_cpu, "process_cpu_seconds_total", counter, "seconds", {},
     "User and system time of the process."},
    {M::process_resident, "process_resident_memory_bytes", gauge, "bytes", {},
     "Resident memory of the process."},
    {M::process_virtual, "process_virtual_memory_bytes", gauge, "bytes", {},
     "Virtual memory of the process."},
    {M::process_open_fds, "process_open_fds", gauge, "", {},
     "File descriptors that the process has open."},
    {M::process_max_fds, "process_max_fds", gauge, "", {},
     "File descriptors that the process may have open."},
    {M::process_start_time, "process_start_time_seconds", gauge, "seconds", {},
     "When the process started, in seconds since 1970."},
}};
// clang-format on

static_assert(std::ranges::all_of(rows,
                                  [](MetricRow const& row) {
                                    return &row == &rows[static_cast<std::size_t>(row.id)];
                                  }),
              "a row stands in the place of its id");

void append_labels(std::string& out, MetricRow const& row) {
  for (std::size_t i = 0; i < row.label_count(); ++i) {
    if (i > 0) out += ", ";
    out.append("`").append(row.labels[i]).append("`");
  }
}

}  // namespace

std::string_view name(MetricKind kind) {
  switch (kind) {
    case counter: return "counter";
    case gauge: return "gauge";
    case histogram: return "histogram";
  }
  return {};
}

std::span<MetricRow const> catalogue() { return rows; }

MetricRow const& describe(Metric metric) { return rows[static_cast<std::size_t>(metric)]; }

std::string metrics_reference() {
  std::string page =
      "# Metrics\n\n"
      "Generated from the catalogue in `src/observe/catalogue.cpp`; a test compares the two.\n\n"
      "`GET /metrics` on the admin port gives them in the Prometheus text format. A *request* is what a "
      "caller asked\n"
      "for, once; an *attempt* is one try of it against one endpoint. The numbers of attempts are the health "
      "model's\n"
      "own ledger. Where a label's value would be empty, the label is absent: `kind` of an attempt that "
      "didn't fail,\n"
      "`route` of what no route of the configuration takes. Attempts and circuits have a `route` only where "
      "that "
      "has a\n"
      "circuit of its own: the sum over all series of an upstream is what it has seen itself.\n"
      "Combinations that hardly any upstream ever shows appear with their first event; all others start at "
      "0.\n\n"
      "| metric | kind | labels | meaning |\n| --- | --- | --- | --- |\n";
  for (auto const& row : rows) {
    page.append("| `").append(row.name).append("` | ").append(name(row.kind)).append(" | ");
    append_labels(page, row);
    page.append(row.label_count() == 0 ? "| " : " | ").append(row.help).append(" |\n");
  }
  page += "\nBuckets of the histograms: ";
  for (auto const bound : duration_bounds) page.append(in_words(bound)).append(", ");
  page += "and longer.\n";
  return page;
}

}  // namespace candor::observe
