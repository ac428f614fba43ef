#include "account_json.hpp"

#include <array>
#include <charconv>

#include "candor/observe/deciding.hpp"
#include "candor/observe/text.hpp"
#include "candor/observe/words.hpp"

namespace candor::admin {

namespace {

constexpr std::array all_outcomes{Outcome::Kind::success, Outcome::Kind::failure, Outcome::Kind::excluded,
                                  Outcome::Kind::abandoned};

Json ledger_json(Ledger const& ledger) {
  Json failures = Json::object();
  for (auto const kind : all_failure_kinds) {
    failures[std::string(name(kind))] = ledger.failures[static_cast<std::size_t>(kind)];
  }
  return {{"started", ledger.started},     {"in_flight", ledger.in_flight}, {"success", ledger.success},
          {"failure", ledger.failed()},    {"failures", failures},          {"excluded", ledger.excluded},
          {"abandoned", ledger.abandoned}, {"slow", ledger.slow},           {"stale", ledger.stale}};
}

Json window_json(WindowSums const& window) {
  return {{"attempts", window.attempts()},
          {"settled", window.settled},
          {"failed", window.failed},
          {"slow", window.marked},
          {"failure_ratio", window.failure_ratio()},
          {"answered", window.answered},
          {"strained", window.strained},
          {"strain_ratio", window.strain_ratio()}};
}

class Writer {
 public:
  explicit Writer(Account const& account) : account_(account) {}

  [[nodiscard]] Json circuit() const {
    auto const& health = account_.health;
    Json json{{"state", name(health.state)}, {"generation", health.generation}};
    auto const* latest = account_.latest();
    json["since"] = latest ? time(latest->transition.at) : Json(nullptr);
    json["since_seconds"] = latest ? Json(seconds(account_.now - latest->transition.at)) : Json(nullptr);
    json["held"] = health.held ? Json(name(*health.held)) : Json(nullptr);
    json["awaits_checks"] = health.awaits_checks;
    json["admitted_share"] = health.admitted_share;
    json["retry_after_seconds"] = seconds(health.retry_after);
    json["probes_in_flight"] = health.probes_in_flight;
    json["refusals"] = health.refusals;
    for (auto const kind : all_outcomes) {
      json["probes"][std::string(name(kind))] = health.probes[static_cast<std::size_t>(kind)];
    }
    return json;
  }

  [[nodiscard]] Json limit() const {
    auto const& limit = account_.health.limit;
    auto const& usual = limit.usual_latency;
    Json json{{"attempts", limit.attempts},
              {"in_use", account_.health.ledger.in_flight},
              {"usual_latency_seconds", usual ? Json(seconds(*usual)) : Json(nullptr)},
              {"queued", account_.queue ? Json(account_.queue->waiting) : Json(nullptr)},
              {"refusals", {{"limit", limit.refusals}}}};
    if (!account_.queue) return json;
    json["refusals"]["queue_full"] = account_.queue->refused_full;
    json["refusals"]["queue_timeout"] = account_.queue->refused_timeout;
    return json;
  }

  [[nodiscard]] Json throttle() const {
    auto const& throttle = account_.health.throttle;
    if (!throttle) return nullptr;
    return {{"refused_share", throttle->refused_share}, {"refusals", throttle->refusals}};
  }

  [[nodiscard]] Json endpoint(EndpointSnapshot const& endpoint) const {
    auto const& entry = *account_.endpoints.at(endpoint.id);
    return {{"address", entry.settings.address},
            {"weight", entry.settings.weight},
            {"priority", entry.settings.priority},
            {"source", entry.source.empty() ? "configuration" : entry.source},
            {"since", entry.since ? time(*entry.since) : Json(nullptr)},
            {"state", name(endpoint.state)},
            {"held", endpoint.held ? Json(name(*endpoint.held)) : Json(nullptr)},
            {"ejections", endpoint.ejections},
            {"awaits_checks", endpoint.awaits_checks},
            {"standing", endpoint.standing ? Json(name(*endpoint.standing)) : Json(nullptr)},
            {"checks",
             {{"good", endpoint.checks.good},
              {"bad", endpoint.checks.bad},
              {"abandoned", endpoint.checks.abandoned}}},
            {"ledger", ledger_json(endpoint.ledger)}};
  }

  [[nodiscard]] Json discovery() const {
    auto const& reading = account_.discovery;
    if (reading.source.empty()) return nullptr;
    auto const when = [this](std::optional<Instant> at) { return at ? time(*at) : Json(nullptr); };
    Json json{{"source", reading.source},
              {"answered", when(reading.answered)},
              {"changed", when(reading.changed)},
              {"failing_since", when(reading.failing_since)},
              {"why", reading.why.empty() ? Json(nullptr) : Json(reading.why)},
              {"came", reading.came},
              {"left", reading.left}};
    for (std::size_t i = 0; i < update_results; ++i) {
      json["updates"][std::string(name(static_cast<UpdateResult>(i)))] = reading.updates[i];
    }
    return json;
  }

  /// `rules`: that decided.
  [[nodiscard]] Json transition(TransitionRecord const& record, BreakerSettings const& rules) const {
    auto const& why = record.transition.why;
    Json json{{"at", time(record.transition.at)},
              {"age_seconds", seconds(account_.now - record.transition.at)},
              {"from", name(record.transition.from)},
              {"to", name(record.transition.to)},
              {"generation", record.transition.generation},
              {"rule", name(why.rule)},
              {"value", why.value},
              {"threshold", why.threshold},
              {"in_words", observe::in_words(why, rules)},
              {"window", window_json(why.window)},
              {"run", why.run}};
    if (why.rule == Rule::evidence_run) json["expected_failure_ratio"] = why.expected_failure_ratio;
    if (auto const endpoint = record.transition.endpoint) {
      json["endpoint"] = account_.address(*endpoint);
    }
    return json;
  }

  /// The same of the acting rules, with the attempts behind it.
  [[nodiscard]] Json evidence(TransitionRecord const& record) const {
    auto json = transition(record, account_.breaker);
    json["attempts"] = attempts(observe::with_a_vote(record));
    return json;
  }

  [[nodiscard]] Json attempts(std::vector<AttemptNote> const& notes) const {
    Json list = Json::array();
    for (auto const& note : notes) list.push_back(attempt(note));
    return list;
  }

 private:
  [[nodiscard]] Json time(Instant when) const { return observe::time_text(account_.wall(when)); }

  [[nodiscard]] Json attempt(AttemptNote const& note) const {
    std::array<char, 16> id{};
    auto const end = std::to_chars(id.data(), id.data() + id.size(), note.request.value, 16).ptr;
    Json json{{"request_id", std::string(id.data(), end)},
              {"n", note.number},
              {"route", note.route.view()},
              {"endpoint", account_.address(note.endpoint)},
              {"started", time(note.started)},
              {"age_seconds", seconds(account_.now - note.settled)}};
    json["duration_seconds"] = note.in_flight ? Json(nullptr) : Json(seconds(note.settled - note.started));
    json["outcome"] = note.in_flight ? "open" : name(note.outcome.kind());
    if (!note.in_flight && note.outcome.is_failure()) json["kind"] = name(note.outcome.failure());
    json["status"] = note.status == 0 ? Json(nullptr) : Json(note.status);
    json["probe"] = note.probe;
    json["slow"] = note.slow;
    return json;
  }

  Account const& account_;
};

/// What other rules would have done: null where none look on.
Json shadow_json(Account const& account) {
  if (!account.shadow) return nullptr;
  auto const& shadow = *account.shadow;
  Json json{{"circuit", nullptr}, {"retries", nullptr}};
  if (shadow.circuit) {
    auto const& circuit = *shadow.circuit;
    json["circuit"] = {{"state", name(circuit.state)},          {"generation", circuit.generation},
                       {"openings", circuit.openings},          {"admitted_share", circuit.admitted_share},
                       {"window", window_json(circuit.window)}, {"run", circuit.run}};
    for (auto const kind : all_outcomes) {
      json["circuit"]["would_have_refused"][std::string(name(kind))] =
          circuit.refused[static_cast<std::size_t>(kind)];
    }
  }
  if (shadow.retries) {
    json["retries"] = {{"added", shadow.added}};
    for (std::size_t i = 0; i < retry_denials; ++i) {
      json["retries"]["spared"][std::string(name(static_cast<RetryDenied>(i)))] = shadow.spared[i];
    }
  }
  return json;
}

Json summary(Account const& account) {
  return {{"name", account.upstream},
          {"time", observe::time_text(account.wall(account.now))},
          {"circuit", Writer{account}.circuit()},
          {"window_seconds", seconds(account.breaker.window)},
          {"window", window_json(account.health.window)},
          {"run", account.health.run},
          {"budget_tokens", account.budget_tokens},
          {"limit", Writer{account}.limit()},
          {"throttle", Writer{account}.throttle()},
          {"late_breaks", account.health.late_breaks},
          {"ledger", ledger_json(account.health.ledger)},
          {"shadow", shadow_json(account)}};
}

Json with_endpoints(Account const& account) {
  auto json = summary(account);
  for (std::size_t i = 0; i < account.refusals.refused.size(); ++i) {
    json["refused"][std::string(observe::refusal_name(i))] = account.refusals.refused[i];
  }
  for (std::size_t i = 0; i < account.refusals.denied.size(); ++i) {
    json["retries_denied"][std::string(name(static_cast<RetryDenied>(i)))] = account.refusals.denied[i];
  }
  json["endpoints"] = Json::array();
  Writer const writer{account};
  json["discovery"] = writer.discovery();
  for (auto const& endpoint : account.health.endpoints)
    json["endpoints"].push_back(writer.endpoint(endpoint));
  auto const& departed = account.health.departed;
  json["departed"] = {{"endpoints", departed.endpoints}, {"ledger", ledger_json(departed.ledger)}};
  return json;
}

Json with_evidence(Account const& account) {
  Writer const writer{account};
  auto json = with_endpoints(account);
  json["transitions"] = Json::array();
  for (auto const& record : account.transitions) json["transitions"].push_back(writer.evidence(record));
  json["ejections"] = Json::array();
  for (auto const& endpoint : account.health.endpoints) {
    auto const own = of_endpoint(account, endpoint.id);
    for (auto const& record : own.transitions) json["ejections"].push_back(Writer{own}.evidence(record));
  }
  if (account.shadow && account.shadow->circuit) {
    json["shadow"]["transitions"] = Json::array();
    for (auto const& record : account.shadow->transitions) {
      json["shadow"]["transitions"].push_back(writer.transition(record, account.shadow->breaker));
    }
  }
  json["recent_attempts"] = writer.attempts(account.recent);
  return json;
}

/// The shared account, and in it those of routes.
Json nested(std::vector<Account> const& accounts, Json (*write)(Account const&)) {
  auto json = write(accounts.front());
  auto routes = Json::array();
  for (std::size_t i = 1; i < accounts.size(); ++i) {
    auto of_route = write(accounts[i]);
    of_route["name"] = accounts[i].route;
    for (auto const* common : {"time", "budget_tokens", "refused", "retries_denied"}) of_route.erase(common);
    routes.push_back(std::move(of_route));
  }
  json["routes"] = std::move(routes);
  return json;
}

}  // namespace

Json summary_json(std::vector<Account> const& accounts) { return nested(accounts, summary); }
Json upstream_json(std::vector<Account> const& accounts) { return nested(accounts, with_endpoints); }
Json evidence_json(std::vector<Account> const& accounts) { return nested(accounts, with_evidence); }

std::string text_of(Json const& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace candor::admin
