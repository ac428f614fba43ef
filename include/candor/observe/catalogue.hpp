// Every metric, declared once: the exposition, its help texts and the reference page all come from these
// rows. Immutable.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace candor::observe {

/// In the order of the catalogue.
enum class Metric : std::uint8_t {
  requests,
  requests_in_flight,
  requests_refused,
  request_duration,
  answers_by_attempt,
  own_answers,
  rejected,
  request_body_bytes,
  answer_body_bytes,
  deadlines_ignored,
  fallbacks,
  attempts_started,
  attempts_in_flight,
  attempts,
  attempt_duration,
  slow_attempts,
  stale_outcomes,
  late_breaks,
  retries,
  retries_denied,
  hedges,
  budget_tokens,
  circuit_state,
  circuit_held,
  circuit_transitions,
  circuit_refusals,
  circuit_admitted,
  endpoints,
  endpoint_state,
  endpoint_held,
  ejections,
  checks,
  check_standing,
  probes,
  failure_ratio,
  strain_ratio,
  failure_run,
  window_attempts,
  limit_attempts,
  limit_in_use,
  limit_usual_latency,
  limit_queued,
  limit_queue_wait,
  limit_refusals,
  throttle_refused_share,
  throttle_refusals,
  shadow_state,
  shadow_transitions,
  shadow_refusals,
  shadow_retries_added,
  shadow_retries_spared,
  caller_connections,
  caller_connections_accepted,
  caller_connections_refused,
  connections_open,
  connections_opened,
  connections_closed,
  pool_idle,
  pool_reused,
  pool_kept,
  pool_dropped,
  endpoint_changes,
  discovery_updates,
  discovery_answer_age,
  dns_look_ups,
  dns_answer_age,
  access_log_dropped,
  build_info,
  process_cpu,
  process_resident,
  process_virtual,
  process_open_fds,
  process_max_fds,
  process_start_time,
};
inline constexpr std::size_t metric_count = 74;

enum class MetricKind : std::uint8_t { counter, gauge, histogram };

[[nodiscard]] std::string_view name(MetricKind kind);

struct MetricRow {
  static constexpr std::size_t most_labels = 5;

  Metric id;
  std::string_view name;
  MetricKind kind;
  std::string_view unit;                             ///< base unit; empty: a plain count
  std::array<std::string_view, most_labels> labels;  ///< empty ones at the end
  std::string_view help;

  [[nodiscard]] constexpr std::size_t label_count() const {
    std::size_t count = 0;
    while (count < labels.size() && !labels[count].empty()) ++count;
    return count;
  }
};

[[nodiscard]] std::span<MetricRow const> catalogue();
[[nodiscard]] MetricRow const& describe(Metric metric);

/// The reference page, docs/metrics.md, as Markdown.
[[nodiscard]] std::string metrics_reference();

}  // namespace candor::observe
