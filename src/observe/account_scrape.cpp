#include "account_scrape.hpp"

#include <map>

namespace candor::observe {

namespace {

constexpr std::array all_states{CircuitState::closed, CircuitState::open, CircuitState::half_open,
                                CircuitState::ramping};
constexpr std::array all_standings{Standing::well, Standing::doubted, Standing::ill};
constexpr std::array all_holds{Hold::open, Hold::closed};
constexpr std::array all_outcomes{Outcome::Kind::success, Outcome::Kind::failure, Outcome::Kind::excluded,
                                  Outcome::Kind::abandoned};
constexpr std::array all_rules{Rule::evidence_ratio, Rule::evidence_run,  Rule::consecutive_failures,
                               Rule::failure_rate,   Rule::slow_rate,     Rule::strain_rate,
                               Rule::window_elapsed, Rule::probe_success, Rule::probe_failure,
                               Rule::ramp_complete,  Rule::check_success, Rule::check_failure,
                               Rule::held_open,      Rule::held_closed,   Rule::given_back,
                               Rule::too_few_left,   Rule::all_replaced};
static_assert(all_rules.size() == TransitionCounts::rules);

/// The `endpoint` of what those did that have left: no address looks so.
constexpr std::string_view departed_label = "departed";

/// Worth a series from the start, so that a rate sees the first event.
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
    case Rule::too_few_left:
    case Rule::all_replaced: return false;
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

}  // namespace

void scrape_account(Families& families, MetricsSources const& sources, Route const& account, Instant now) {
  AccountScrape scrape{families, sources, account};
  auto durations = scrape.attempt_durations();
  auto const health = account.health.snapshot(now);
  scrape.endpoints(health, std::move(durations));
  scrape.health(health);
  scrape.load(health);
  if (sources.transitions) scrape.transitions(*sources.transitions);
}

}  // namespace candor::observe
