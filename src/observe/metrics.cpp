#include "candor/observe/metrics.hpp"

#include <algorithm>
#include <map>

#include "candor/observe/refusal_counts.hpp"
#include "discovery_scrape.hpp"
#include "families.hpp"
#include "process.hpp"

namespace candor::observe {

namespace {

constexpr std::array all_states{CircuitState::closed, CircuitState::open, CircuitState::half_open,
                                CircuitState::ramping};
constexpr std::array all_standings{Standing::well, Standing::doubted, Standing::ill};
constexpr std::array all_holds{Hold::open, Hold::closed};
constexpr std::array all_outcomes{Outcome::Kind::success, Outcome::Kind::failure, Outcome::Kind::excluded,
                                  Outcome::Kind::abandoned};
constexpr std::array all_rules{
    Rule::evidence_ratio, Rule::evidence_run,  Rule::consecutive_failures, Rule::failure_rate,
    Rule::slow_rate,      Rule::strain_rate,   Rule::window_elapsed,       Rule::probe_success,
    Rule::probe_failure,  Rule::ramp_complete, Rule::check_success,        Rule::check_failure,
    Rule::held_open,      Rule::held_closed,   Rule::given_back,           Rule::too_few_left};
static_assert(all_rules.size() == TransitionCounts::rules);

constexpr std::array<std::string_view, RouteShard::status_classes> status_classes{"none", "1xx", "2xx",
                                                                                  "3xx",  "4xx", "5xx"};
constexpr std::array<std::string_view, RouteShard::attempt_numbers> attempt_numbers{"1", "2", "3", "4", "5+"};

/// The `endpoint` of what those did that have left: no address looks so.
constexpr std::string_view departed_label = "departed";

/// What an upstream's shards hold together. Reads are cheap, and each number is read once.
template <class Read>
std::uint64_t sum(std::vector<std::shared_ptr<WorkerMetrics const>> const& workers, Read read) {
  std::uint64_t total = 0;
  for (auto const& worker : workers) total += read(*worker).value();
  return total;
}

double difference(std::uint64_t more, std::uint64_t less) {
  // The two are read one after the other, while the workers go on.
  return more > less ? static_cast<double>(more - less) : 0.0;
}

/// Worth a series from the start, so that a rate sees the first event.
bool expected(RequestResult result, std::size_t status_class) {
  switch (result) {
    case RequestResult::answered: return status_class == 2 || status_class == 4 || status_class == 5;
    case RequestResult::failed:
    case RequestResult::refused: return status_class == 5;
    case RequestResult::broken:
    case RequestResult::abandoned: return false;
  }
  return false;
}

bool expected(CircuitState from, CircuitState to, Rule rule) {
  switch (rule) {
    case Rule::window_elapsed: return from == CircuitState::open && to == CircuitState::half_open;
    case Rule::probe_success: return from == CircuitState::half_open && to == CircuitState::ramping;
    case Rule::probe_failure: return from == CircuitState::half_open && to == CircuitState::open;
    case Rule::ramp_complete: return from == CircuitState::ramping && to == CircuitState::closed;
    case Rule::check_success: return from == CircuitState::open && to == CircuitState::half_open;
    case Rule::check_failure:
    case Rule::held_open:
    case Rule::held_closed:
    case Rule::given_back:
    case Rule::too_few_left: return false;
    case Rule::evidence_ratio:
    case Rule::evidence_run:
    case Rule::consecutive_failures:
    case Rule::failure_rate:
    case Rule::slow_rate:
    case Rule::strain_rate:
      return to == CircuitState::open && (from == CircuitState::closed || from == CircuitState::ramping);
  }
  return false;
}

/// What the shards of one route hold.
class RouteScrape {
 public:
  RouteScrape(Families& families, MetricsSources const& sources, Route const& route)
      : families_(families),
        sources_(sources),
        route_(route),
        name_(route.upstream.name()),
        label_(route.name) {}

  void requests() {
    constexpr std::array all_results{RequestResult::answered, RequestResult::failed, RequestResult::refused,
                                     RequestResult::broken, RequestResult::abandoned};
    static_assert(all_results.size() == request_results);
    std::uint64_t ended = 0;
    for (auto const result : all_results) {
      for (std::size_t i = 0; i < status_classes.size(); ++i) {
        auto const n =
            total([&](auto const& s) -> auto& { return s.requests[static_cast<std::size_t>(result)][i]; });
        ended += n;
        if (n > 0 || expected(result, i)) {
          families_.count(Metric::requests, {name_, label_, candor::name(result), status_classes[i]}, n);
        }
      }
    }
    // What takes away has been read before what adds.
    auto const begun = total([](auto const& s) -> auto& { return s.requests_begun; });
    families_.gauge(Metric::requests_in_flight, {name_, label_}, difference(begun, ended));
    auto const counts = read_refusals(sources_.workers, route_);
    for (std::size_t i = 0; i < counts.refused.size(); ++i) {
      families_.count(Metric::requests_refused, {name_, label_, refusal_name(i)}, counts.refused[i]);
    }
    DurationSums durations;
    for (auto const& worker : sources_.workers) shard(*worker).request_duration.add_to(durations);
    families_.durations(Metric::request_duration, {name_, label_}, durations);
    for (std::size_t i = 0; i < attempt_numbers.size(); ++i) {
      families_.count(Metric::answers_by_attempt, {name_, label_, attempt_numbers[i]},
                      total([i](auto const& s) -> auto& { return s.answers_by_attempt[i]; }));
    }
    for (std::size_t i = 0; i < http::proxy_errors; ++i) {
      auto const n = total([i](auto const& s) -> auto& { return s.own_answers[i]; });
      if (n > 0)
        families_.count(Metric::own_answers, {name_, label_, name(static_cast<http::ProxyError>(i))}, n);
    }
    families_.count(Metric::request_body_bytes, {name_, label_},
                    total([](auto const& s) -> auto& { return s.request_body_bytes; }));
    families_.count(Metric::answer_body_bytes, {name_, label_},
                    total([](auto const& s) -> auto& { return s.answer_body_bytes; }));
    families_.count(Metric::deadlines_ignored, {name_, label_},
                    total([](auto const& s) -> auto& { return s.deadlines_ignored; }));
    fallbacks();
  }

  void fallbacks() {
    for (std::size_t i = 0; i < fallback_kinds; ++i) {
      families_.count(Metric::fallbacks, {name_, label_, candor::name(static_cast<FallbackKind>(i))},
                      total([i](auto const& s) -> auto& { return s.fallbacks[i]; }));
    }
  }

  void retries() {
    for (std::size_t i = 0; i < failure_kinds; ++i) {
      families_.count(Metric::retries, {name_, label_, candor::name(all_failure_kinds[i])},
                      total([i](auto const& s) -> auto& { return s.retries[i]; }));
    }
    auto const other = total([](auto const& s) -> auto& { return s.retries.back(); });
    if (other > 0) families_.count(Metric::retries, {name_, label_, "other"}, other);
    for (std::size_t i = 0; i < retry_denials; ++i) {
      families_.count(Metric::retries_denied, {name_, label_, candor::name(static_cast<RetryDenied>(i))},
                      total([i](auto const& s) -> auto& { return s.retries_denied[i]; }));
    }
    hedges();
    if (route_.retry_shadow) shadow(*route_.retry_shadow);
  }

  void shadow(RetryShadow const& shadow) {
    families_.count(Metric::shadow_retries_added, {name_, label_}, shadow.added());
    for (std::size_t i = 0; i < retry_denials; ++i) {
      auto const reason = static_cast<RetryDenied>(i);
      families_.count(Metric::shadow_retries_spared, {name_, label_, candor::name(reason)},
                      shadow.spared(reason));
    }
  }

  void hedges() {
    for (std::size_t i = 0; i < hedge_results; ++i) {
      families_.count(Metric::hedges, {name_, label_, candor::name(static_cast<HedgeResult>(i))},
                      total([i](auto const& s) -> auto& { return s.hedges[i]; }));
    }
  }

 private:
  [[nodiscard]] RouteShard const& shard(WorkerMetrics const& worker) const {
    return worker.upstream(route_.upstream.index).routes[route_.place];
  }
  template <class Read>
  std::uint64_t total(Read read) const {
    return sum(sources_.workers, [&](WorkerMetrics const& worker) -> auto& { return read(shard(worker)); });
  }

  Families& families_;
  MetricsSources const& sources_;
  Route const& route_;
  std::string_view name_;
  std::string_view label_;
};

/// One account: the ledgers, and the circuits that read it.
class AccountScrape {
 public:
  AccountScrape(Families& families, MetricsSources const& sources, Route const& account)
      : families_(families),
        sources_(sources),
        account_(account),
        upstream_(account.upstream),
        name_(upstream_.name()),
        label_(account.name) {}

  /// How long attempts took, of each endpoint that a worker has met. To be read before it is known who is
  /// there: whoever isn't then, has left.
  struct Durations {
    std::map<EndpointId, DurationSums> of{};
    DurationSums of_departed{};
  };
  [[nodiscard]] Durations attempt_durations() const {
    Durations durations;
    each_shard([&](RouteShard const& shard) {
      shard.attempt_durations.add_to(durations.of, durations.of_departed);
    });
    return durations;
  }

  void endpoints(HealthSnapshot const& health, Durations durations) {
    for (auto const& endpoint : health.endpoints) {
      auto const entry = upstream_.endpoints.find(endpoint.id);
      std::string_view const address = entry->settings.address;
      attempts(address, endpoint.ledger);
      if (health.endpoints.size() > 1) {
        for (auto const state : all_states) {
          families_.gauge(Metric::endpoint_state, {name_, label_, address, candor::name(state)},
                          state == endpoint.state ? 1.0 : 0.0);
        }
        families_.count(Metric::ejections, {name_, label_, address}, endpoint.ejections);
      }
      for (auto const hold : all_holds) {
        families_.gauge(Metric::endpoint_held, {name_, label_, address, candor::name(hold)},
                        endpoint.held == hold ? 1.0 : 0.0);
      }
      checks(address, endpoint.checks);
      if (endpoint.standing) standing(address, *endpoint.standing);
      families_.durations(Metric::attempt_duration, {name_, label_, address}, durations.of[endpoint.id]);
      durations.of.erase(endpoint.id);
    }
    for (auto const& [id, left] : durations.of) durations.of_departed.add(left);
    if (health.departed.endpoints > 0) departed(health.departed, durations.of_departed);
  }

  void health(HealthSnapshot const& health) {
    families_.count(Metric::late_breaks, {name_, label_}, health.late_breaks);
    for (auto const state : all_states) {
      families_.gauge(Metric::circuit_state, {name_, label_, candor::name(state)},
                      state == health.state ? 1.0 : 0.0);
    }
    for (auto const hold : all_holds) {
      families_.gauge(Metric::circuit_held, {name_, label_, candor::name(hold)},
                      health.held == hold ? 1.0 : 0.0);
    }
    families_.count(Metric::circuit_refusals, {name_, label_}, health.refusals);
    families_.gauge(Metric::circuit_admitted, {name_, label_}, health.admitted_share);
    for (auto const outcome : all_outcomes) {
      families_.count(Metric::probes, {name_, label_, candor::name(outcome)},
                      health.probes[static_cast<std::size_t>(outcome)]);
    }
    families_.gauge(Metric::failure_ratio, {name_, label_}, health.window.failure_ratio());
    families_.gauge(Metric::strain_ratio, {name_, label_}, health.window.strain_ratio());
    families_.gauge(Metric::failure_run, {name_, label_}, static_cast<double>(health.run));
    families_.gauge(Metric::window_attempts, {name_, label_}, static_cast<double>(health.window.attempts()));
    if (health.shadow) shadow(*health.shadow);
  }

  void load(HealthSnapshot const& health) {
    families_.gauge(Metric::limit_attempts, {name_, label_}, static_cast<double>(health.limit.attempts));
    families_.gauge(Metric::limit_in_use, {name_, label_}, static_cast<double>(health.ledger.in_flight));
    if (auto const usual = health.limit.usual_latency) {
      families_.gauge(Metric::limit_usual_latency, {name_, label_}, seconds(*usual));
    }
    families_.count(Metric::limit_refusals, {name_, label_, candor::name(Refusal::limit)},
                    health.limit.refusals);
    if (account_.queue != nullptr) queue(account_.queue->snapshot());
    if (!health.throttle) return;
    families_.gauge(Metric::throttle_refused_share, {name_, label_}, health.throttle->refused_share);
    families_.count(Metric::throttle_refusals, {name_, label_}, health.throttle->refusals);
  }

  void queue(AttemptQueueSnapshot const& queue) {
    families_.gauge(Metric::limit_queued, {name_, label_}, static_cast<double>(queue.waiting));
    auto const refused = [this](Refusal reason, std::uint64_t n) {
      families_.count(Metric::limit_refusals, {name_, label_, candor::name(reason)}, n);
    };
    refused(Refusal::queue_full, queue.refused_full);
    refused(Refusal::queue_timeout, queue.refused_timeout);
    DurationSums waits;
    each_shard([&](RouteShard const& shard) { shard.queue_wait.add_to(waits); });
    families_.durations(Metric::limit_queue_wait, {name_, label_}, waits);
  }

  void transitions(TransitionCounts const& counts) {
    transitions(Metric::circuit_transitions, [&](CircuitState from, CircuitState to, Rule rule) {
      return counts.value(account_, from, to, rule);
    });
    if (!account_.health.shadow_state()) return;
    transitions(Metric::shadow_transitions, [&](CircuitState from, CircuitState to, Rule rule) {
      return counts.shadow_value(account_, from, to, rule);
    });
  }

 private:
  /// `address`: of an endpoint, or what those are called that have left.
  void attempts(std::string_view address, Ledger const& ledger) {
    families_.count(Metric::attempts_started, {name_, label_, address}, ledger.started);
    families_.gauge(Metric::attempts_in_flight, {name_, label_, address},
                    static_cast<double>(ledger.in_flight));
    auto const settled = [&](Outcome::Kind outcome, std::string_view kind, std::uint64_t n) {
      families_.count(Metric::attempts, {name_, label_, address, candor::name(outcome), kind}, n);
    };
    settled(Outcome::Kind::success, {}, ledger.success);
    for (auto const kind : all_failure_kinds) {
      settled(Outcome::Kind::failure, candor::name(kind), ledger.failures[static_cast<std::size_t>(kind)]);
    }
    settled(Outcome::Kind::excluded, {}, ledger.excluded);
    settled(Outcome::Kind::abandoned, {}, ledger.abandoned);
    families_.count(Metric::slow_attempts, {name_, label_, address}, ledger.slow);
    families_.count(Metric::stale_outcomes, {name_, label_, address}, ledger.stale);
  }

  void checks(std::string_view address, CheckCounts const& checks) {
    families_.count(Metric::checks, {name_, label_, address, "good"}, checks.good);
    families_.count(Metric::checks, {name_, label_, address, "bad"}, checks.bad);
    families_.count(Metric::checks, {name_, label_, address, "abandoned"}, checks.abandoned);
  }

  void standing(std::string_view address, Standing of_checks) {
    for (auto const standing : all_standings) {
      families_.gauge(Metric::check_standing, {name_, label_, address, candor::name(standing)},
                      standing == of_checks ? 1.0 : 0.0);
    }
  }

  // In one series: else the sum of an upstream's attempts would fall when an endpoint leaves.
  void departed(DepartedSnapshot const& departed, DurationSums const& durations) {
    attempts(departed_label, departed.ledger);
    families_.count(Metric::ejections, {name_, label_, departed_label}, departed.ejections);
    checks(departed_label, departed.checks);
    families_.durations(Metric::attempt_duration, {name_, label_, departed_label}, durations);
  }

  void shadow(ShadowSnapshot const& shadow) {
    for (auto const state : all_states) {
      families_.gauge(Metric::shadow_state, {name_, label_, candor::name(state)},
                      state == shadow.state ? 1.0 : 0.0);
    }
    for (auto const outcome : all_outcomes) {
      families_.count(Metric::shadow_refusals, {name_, label_, candor::name(outcome)},
                      shadow.refused[static_cast<std::size_t>(outcome)]);
    }
  }

  template <class Count>
  void transitions(Metric metric, Count count) {
    for (auto const from : all_states) {
      for (auto const to : all_states) {
        for (auto const rule : all_rules) {
          auto const n = count(from, to, rule);
          if (n == 0 && !expected(from, to, rule)) continue;
          families_.count(metric, {name_, label_, candor::name(from), candor::name(to), candor::name(rule)},
                          n);
        }
      }
    }
  }

  /// Of the routes that read this account, in each worker.
  template <class Visit>
  void each_shard(Visit const& visit) const {
    for (auto const& route : upstream_.routes()) {
      if (&route.health != &account_.health) continue;
      for (auto const& worker : sources_.workers)
        visit(worker->upstream(upstream_.index).routes[route.place]);
    }
  }

  Families& families_;
  MetricsSources const& sources_;
  Route const& account_;
  Upstream const& upstream_;
  std::string_view name_;
  std::string_view label_;
};

/// What routes have in common: the connections and the budget.
class UpstreamScrape {
 public:
  UpstreamScrape(Families& families, MetricsSources const& sources, Upstream const& upstream)
      : families_(families), sources_(sources), upstream_(upstream), name_(upstream.name()) {}

  void budget(double tokens) { families_.gauge(Metric::budget_tokens, {name_}, tokens); }

  void endpoints() {
    families_.gauge(Metric::endpoints, {name_}, static_cast<double>(upstream_.endpoints.all().size()));
  }

  void connections() {
    auto const pool = [this](PoolEvent event) {
      return total([event](auto const& s) -> auto& { return s.pool[static_cast<std::size_t>(event)]; });
    };
    // What takes away is read before what adds.
    auto const closed = pool(PoolEvent::closed);
    auto const opened = pool(PoolEvent::opened);
    auto const reused = pool(PoolEvent::reused);
    auto const dropped = pool(PoolEvent::dropped);
    auto const kept = pool(PoolEvent::kept);
    families_.gauge(Metric::connections_open, {name_}, difference(opened, closed));
    families_.count(Metric::connections_opened, {name_}, opened);
    families_.count(Metric::connections_closed, {name_}, closed);
    families_.gauge(Metric::pool_idle, {name_}, difference(kept, reused + dropped));
    families_.count(Metric::pool_reused, {name_}, reused);
    families_.count(Metric::pool_kept, {name_}, kept);
    families_.count(Metric::pool_dropped, {name_}, dropped);
  }

 private:
  template <class Read>
  std::uint64_t total(Read read) const {
    return sum(sources_.workers,
               [&](WorkerMetrics const& worker) -> auto& { return read(worker.upstream(upstream_.index)); });
  }

  Families& families_;
  MetricsSources const& sources_;
  Upstream const& upstream_;
  std::string_view name_;
};

void scrape_workers(Families& families, std::vector<std::shared_ptr<WorkerMetrics const>> const& workers) {
  auto const gone = sum(workers, [](auto const& w) -> auto& { return w.worker().callers_disconnected; });
  auto const came = sum(workers, [](auto const& w) -> auto& { return w.worker().callers_connected; });
  families.gauge(Metric::caller_connections, {}, difference(came, gone));
  families.count(Metric::caller_connections_accepted, {}, came);
  families.count(Metric::caller_connections_refused, {},
                 sum(workers, [](auto const& w) -> auto& { return w.worker().callers_refused; }));
  for (std::size_t i = 0; i <= rejected_statuses.size(); ++i) {
    std::string const status = i < rejected_statuses.size() ? std::to_string(rejected_statuses[i]) : "other";
    for (std::size_t e = 0; e <= http::proxy_errors; ++e) {
      auto const n = sum(workers, [i, e](auto const& w) -> auto& { return w.worker().rejected[i][e]; });
      std::string_view const error = e < http::proxy_errors ? name(static_cast<http::ProxyError>(e)) : "";
      if (n > 0) families.count(Metric::rejected, {status, error}, n);
    }
  }
}

void scrape_process(Families& families) {
  auto const numbers = read_process_numbers();
  auto const gauge = [&families](Metric metric, auto const& value) {
    if (value) families.gauge(metric, {}, static_cast<double>(*value));
  };
  if (numbers.cpu_seconds) families.count(Metric::process_cpu, {}, *numbers.cpu_seconds);
  gauge(Metric::process_resident, numbers.resident_bytes);
  gauge(Metric::process_virtual, numbers.virtual_bytes);
  gauge(Metric::process_open_fds, numbers.open_fds);
  gauge(Metric::process_max_fds, numbers.max_fds);
  gauge(Metric::process_start_time, numbers.start_time_seconds);
}

}  // namespace

std::vector<prometheus::MetricFamily> MetricsCollectable::Collect() const {
  Families families;
  auto const now = sources_.now();
  for (auto const& upstream : sources_.upstreams) {
    for (auto const& route : upstream->routes()) {
      RouteScrape scrape{families, sources_, route};
      scrape.requests();
      scrape.retries();
    }
    upstream->each_account([&](Route const& account) {
      AccountScrape scrape{families, sources_, account};
      auto durations = scrape.attempt_durations();
      auto const health = account.health.snapshot(now);
      scrape.endpoints(health, std::move(durations));
      scrape.health(health);
      scrape.load(health);
      if (sources_.transitions) scrape.transitions(*sources_.transitions);
    });
    UpstreamScrape scrape{families, sources_, *upstream};
    scrape.budget(upstream->budget.available(now));
    scrape.endpoints();
    scrape.connections();
    scrape_discovery(families, *upstream, now);
  }
  scrape_workers(families, sources_.workers);
  if (sources_.names) scrape_names(families, *sources_.names, now);
  if (sources_.access_log_dropped)
    families.count(Metric::access_log_dropped, {}, sources_.access_log_dropped());
  families.gauge(Metric::build_info, {sources_.build.version, sources_.build.revision}, 1);
  scrape_process(families);
  return families.take();
}

}  // namespace candor::observe
