// What threads see of the account at the same time is what they would see one after the other.
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "../../src/resilience/account.hpp"
#include "resilience/driver.hpp"
#include "resilience/interleaving.hpp"

namespace candor {
namespace {

using test::expect_possible_orders;
using test::start;
using test::threads;

std::string told(EndpointId endpoint) {
  return std::to_string(endpoint.value) + "." + std::to_string(endpoint.incarnation);
}

std::string told(Transition const& transition) {
  return std::string(name(transition.from)) + ">" + std::string(name(transition.to)) + "/" +
         std::string(name(transition.why.rule)) + "/" + std::to_string(transition.generation) +
         (transition.endpoint ? "@" + told(*transition.endpoint) : "") + " ";
}

std::string told(Admission const& admission) {
  return "/" + std::to_string(admission.generation) + (admission.probe ? " probe" : "");
}

/// What of a circuit can be seen from outside, alike for an upstream and an endpoint.
template <class Snapshot>
std::string told_of_circuit(Snapshot const& of) {
  auto const& ledger = of.ledger;
  std::string text = std::string(name(of.state)) + (of.held ? " held " + std::string(name(*of.held)) : "") +
                     (of.awaits_checks ? " awaits checks" : "");
  for (auto const number :
       {static_cast<std::uint64_t>(of.retry_after.count()), ledger.started, ledger.success, ledger.failed(),
        ledger.stale, ledger.slow, of.window.settled, of.window.failed, of.window.marked}) {
    text += " " + std::to_string(number);
  }
  return text;
}

std::string told(HealthSnapshot const& snapshot, std::optional<Instant> next_check,
                 std::vector<AttemptNote> const& recent) {
  std::string text = told_of_circuit(snapshot);
  for (auto const number : {snapshot.generation, std::uint64_t{snapshot.run}, snapshot.refusals,
                            std::uint64_t{snapshot.probes_in_flight}, snapshot.departed.ledger.started}) {
    text += " " + std::to_string(number);
  }
  if (next_check) text += " check at " + std::to_string(next_check->time_since_epoch().count());
  for (auto const& endpoint : snapshot.endpoints) {
    text += "; " + told(endpoint.id) + " " + told_of_circuit(endpoint);
    if (endpoint.standing) text += " " + std::string(name(*endpoint.standing));
    for (auto const number : {endpoint.checks.good, endpoint.checks.bad, endpoint.ejections}) {
      text += " " + std::to_string(number);
    }
  }
  text += ":";
  for (std::size_t i = recent.size() > 40 ? recent.size() - 40 : 0; i < recent.size(); ++i) {
    text += " " + std::to_string(recent[i].request.value);
  }
  return text;
}

std::string told(std::optional<EndpointId> const& checked) { return checked ? told(*checked) : "none"; }

struct AccountStep {
  enum class Kind : std::uint8_t {
    admit,
    settle,
    mark,
    ask,
    hold,
    hold_endpoint,
    set_endpoints,
    report,  // of the upstream's `check`
    take_check,
    settle_check,
  };
  Kind kind = Kind::ask;
  unsigned thread = 0;
  std::uint64_t request = 0;
  Outcome outcome = Outcome::success();
  EndpointId endpoint{};
  bool good = true;  // what is checked
  std::optional<Hold> hold{};
  std::vector<EndpointMember> members{};
};

std::string told(AccountStep const& what) {
  static constexpr std::string_view names[] = {"admit",      "settle",        "mark", "ask",
                                               "hold",       "hold endpoint", "set",  "report",
                                               "take check", "settle check"};
  std::string text{names[static_cast<std::size_t>(what.kind)]};
  text += " " + std::to_string(what.request) + " " + std::string(name(what.outcome.kind())) + " " +
          told(what.endpoint) + (what.good ? " good " : " bad ") +
          (what.hold ? std::string(name(*what.hold)) : "not held");
  for (auto const& member : what.members) text += " " + told(member.id);
  return text;
}

CheckReport report_of(AccountStep const& what, Instant now) {
  auto const standing = what.good ? Standing::well : Standing::ill;
  return {.good = what.good, .standing = standing, .at = now, .next = now + 50ms, .timeout = 20ms};
}

Health::Settings several() {
  Health::Settings settings;
  settings.breaker.trip = {.evidence = std::nullopt, .consecutive_failures = 3};
  settings.breaker.open.cap = 1s;
  settings.breaker.ramp.cap = 200ms;
  settings.endpoints.resize(3);
  settings.limit.attempts = 20;
  return settings;
}

template <class Map>
auto const& any_of(Map const& map, Rng& rng) {
  return *std::next(map.begin(), static_cast<std::ptrdiff_t>(rng.below(map.size())));
}

class RealAccount {
 public:
  RealAccount() {
    health.sense();
    health.listen([](Transition const& transition) { heard() += told(transition); });
  }

  AccountStep choose(unsigned thread, Rng& rng) {
    auto step = rng.chance(0.03) ? of_others(thread, rng) : of_attempts(thread, rng);
    step.thread = thread;
    return step;
  }

  AccountStep of_attempts(unsigned thread, Rng& rng) {
    auto& held = permits_[thread];
    if (held.empty() || (held.size() < 4 && rng.chance(0.5))) {
      return {.kind = AccountStep::Kind::admit,
              .request = (std::uint64_t{thread} + 1) * 1'000'000 + ++requests_[thread]};
    }
    auto const which = any_of(held, rng).first;
    if (rng.chance(0.1)) return {.kind = AccountStep::Kind::mark, .request = which};
    if (rng.chance(0.1)) return {.kind = AccountStep::Kind::ask, .request = which};
    Outcome const outcomes[] = {Outcome::success(), Outcome::failed(FailureKind::status),
                                Outcome::abandoned(), Outcome::failed(FailureKind::connect)};
    return {.kind = AccountStep::Kind::settle, .request = which, .outcome = outcomes[rng.below(4)]};
  }

  /// Of discovery, which is one thread; of checks, and of operators.
  AccountStep of_others(unsigned thread, Rng& rng) {
    if (thread == 0 && rng.chance(0.3)) {
      return {.kind = AccountStep::Kind::set_endpoints, .members = other_members(rng)};
    }
    if (checks_[thread]) return {.kind = AccountStep::Kind::settle_check, .good = rng.chance(0.5)};
    if (rng.chance(0.4)) return {.kind = AccountStep::Kind::take_check};
    // Held for a short time only, or little else would be seen.
    auto const holds = [&rng]() -> std::optional<Hold> {
      if (rng.chance(0.75)) return std::nullopt;
      return rng.chance(0.5) ? Hold::open : Hold::closed;
    };
    auto const& held = permits_[thread];
    if (held.empty() || rng.chance(0.2)) return {.kind = AccountStep::Kind::hold, .hold = holds()};
    // Where its attempt went: it may have left.
    auto const endpoint = any_of(held, rng).second->endpoint();
    if (rng.chance(0.3)) {
      return {.kind = AccountStep::Kind::hold_endpoint, .endpoint = endpoint, .hold = holds()};
    }
    return {.kind = AccountStep::Kind::report, .endpoint = endpoint, .good = rng.chance(0.7)};
  }

  std::string make(unsigned thread, AccountStep const& what) {
    heard().clear();
    auto& held = permits_[thread];
    switch (what.kind) {
      case AccountStep::Kind::admit: {
        auto permit = health.admit({.request = {what.request}}, now);
        if (!permit) return heard() + std::string(name(*permit.error().get<Refusal>()));
        auto const shown = (permit->probe() ? "probe " : "permit ") + told(permit->endpoint());
        held.emplace(what.request, std::make_unique<Permit>(std::move(*permit)));
        return heard() + shown;
      }
      case AccountStep::Kind::settle:
        std::move(*held.at(what.request)).settle(what.outcome, now);
        held.erase(what.request);
        return heard();
      case AccountStep::Kind::mark: held.at(what.request)->mark_slow(now); return heard();
      case AccountStep::Kind::ask: return std::to_string(health.retry_after(now).count());
      case AccountStep::Kind::hold: health.hold(what.hold, now); return heard();
      case AccountStep::Kind::hold_endpoint: health.hold(what.endpoint, what.hold, now); return heard();
      case AccountStep::Kind::set_endpoints: health.set_endpoints(what.members, now); return heard();
      case AccountStep::Kind::report:
        health.checked(what.endpoint, report_of(what, now), now);
        return heard();
      case AccountStep::Kind::take_check: {
        auto check = health.take_check(now);
        auto shown = told(check ? std::optional{check->endpoint()} : std::nullopt);
        if (check) checks_[thread].emplace(std::move(*check));
        return shown;
      }
      case AccountStep::Kind::settle_check:
        std::move(*checks_[thread]).settle(what.good, now);
        checks_[thread].reset();
        return heard();
    }
    return {};
  }

  void pass(Rng& rng) { now += rng.chance(0.1) ? rng.between({}, 500ms) : rng.between({}, 5ms); }

  [[nodiscard]] std::string end() const {
    return told(health.snapshot(now), health.next_check(), health.recent_attempts());
  }

  Health health{several(), 1};
  Instant now = start;

 private:
  static std::string& heard() {
    thread_local std::string text;
    return text;
  }

  /// One is replaced, or leaves, or comes back as another; seldom all are.
  std::vector<EndpointMember> other_members(Rng& rng) {
    bool const all = rng.chance(0.1);
    auto const which = rng.below(members_.size());
    for (std::size_t place = 0; place < members_.size(); ++place) {
      if (all || place == which) members_[place] = {members_[place].value, members_[place].incarnation + 1};
    }
    std::vector<EndpointMember> members;
    bool const leaves = !all && rng.chance(0.3);
    for (std::size_t place = 0; place < members_.size(); ++place) {
      if (!leaves || place != which) members.push_back({.id = members_[place]});
    }
    return members;
  }

  std::map<std::uint64_t, std::unique_ptr<Permit>> permits_[threads];
  std::optional<CheckPermit> checks_[threads];
  std::vector<EndpointId> members_{{0}, {1}, {2}};  // the first thread's
  std::uint64_t requests_[threads] = {};
};

/// The same, with nobody else there.
class ModelAccount {
 public:
  using What = AccountStep;

  explicit ModelAccount(Health::Settings const& settings) : settings_(&settings), account_(settings, 1) {
    account_.sense();
  }

  std::string make(AccountStep const& what) {
    switch (what.kind) {
      case AccountStep::Kind::admit: {
        auto const answer = account_.admit({.request = {what.request}}, now);
        auto const heard = of(answer.transitions);
        if (answer.refusal) return heard + std::string(name(*answer.refusal));
        held_[what.request] = {{.request = {what.request},
                                .endpoint = answer.endpoint,
                                .started = now,
                                .probe = answer.admissions.upstream.probe,
                                .route = {}},
                               answer.admissions};
        return heard + (answer.admissions.upstream.probe ? "probe " : "permit ") + told(answer.endpoint);
      }
      case AccountStep::Kind::settle: {
        auto held = held_.at(what.request);
        held_.erase(what.request);
        held.note.settled = now;
        held.note.outcome = what.outcome;
        return of(account_.settle(held.note, held.admissions));
      }
      case AccountStep::Kind::mark: {
        auto& held = held_.at(what.request);
        if (held.note.slow) return {};
        return of(account_.mark_slow(held.note, held.admissions, now));
      }
      case AccountStep::Kind::ask: return std::to_string(account_.retry_after(now).count());
      case AccountStep::Kind::hold: return of(account_.hold(what.hold, now));
      case AccountStep::Kind::hold_endpoint: return of(account_.hold(what.endpoint, what.hold, now));
      case AccountStep::Kind::set_endpoints: {
        if (account_.endpoints().are(what.members)) return {};
        Succession succession{what.members, account_.endpoints().ids(), *settings_};
        std::string heard;
        for (auto const& transition : account_.set_endpoints(succession, now)) heard += told(transition);
        return heard;
      }
      case AccountStep::Kind::report: return of(account_.checked(what.endpoint, report_of(what, now), now));
      case AccountStep::Kind::take_check: return told(checks_[what.thread] = account_.take_check(now));
      case AccountStep::Kind::settle_check:
        account_.settle_check(*checks_[what.thread], what.good, now);
        checks_[what.thread].reset();
        return {};
    }
    return {};
  }

  [[nodiscard]] std::string end() const {
    HealthSnapshot snapshot;
    account_.read(snapshot, now);
    return told(snapshot, account_.next_check(), account_.recent_attempts());
  }

  /// Whether it may still come to that: attempts have settled in the same order so far. Those that show
  /// nothing else could be put in too many orders.
  [[nodiscard]] bool may_end(std::string const& end) const {
    constexpr std::size_t some = 3;
    auto const recent = account_.recent_attempts();
    std::string text;
    for (std::size_t i = recent.size() - std::min(recent.size(), some); i < recent.size(); ++i) {
      text += " " + std::to_string(recent[i].request.value);
    }
    return end.find(text) != std::string::npos;
  }

  /// What it does from now on: what end() hides shows in that. Once in long steps, for windows and what comes
  /// after them; and by chance, as the threads go on. And what is in flight: the generation that a permit
  /// belongs to says whether its outcome, which may be a failure later, will have a vote.
  [[nodiscard]] std::string behaviour() const {
    return in_flight() + goes_on() + wanders(1, 0.5) + wanders(2, 0.9);
  }

  Instant now = start;

 private:
  static constexpr unsigned nobody = threads;  // a thread that there is not

  struct Held {
    AttemptNote note{};
    Admissions admissions{};
  };

  [[nodiscard]] std::string in_flight() const {
    std::string text;
    for (auto const& [request, held] : held_) {
      text += std::to_string(request) + told(held.admissions.upstream);
      text += "@" + told(held.note.endpoint);
      if (held.admissions.endpoint) text += told(*held.admissions.endpoint);
      text += held.note.slow ? " slow\n" : "\n";
    }
    return text;
  }

  /// If nobody holds anything and all that is in flight succeeds, then some attempts do, some fail, and it
  /// recovers; and checks with them.
  [[nodiscard]] std::string goes_on() const {
    constexpr Duration step = 300ms;
    ModelAccount copy{*this};
    std::string text = copy.make({.kind = AccountStep::Kind::hold});
    auto const endpoints = copy.account_.endpoints().ids();
    for (auto const endpoint : endpoints) {
      text += copy.make({.kind = AccountStep::Kind::hold_endpoint, .endpoint = endpoint});
    }
    for (auto const& [request, held] : held_) {
      text += copy.make({.kind = AccountStep::Kind::settle, .request = request});
    }
    std::uint64_t request = 0;
    for (unsigned phase = 0; phase < 18; ++phase, copy.now += step) {
      bool const fails = phase >= 3 && phase < 7;
      auto const outcome = fails ? Outcome::failed(FailureKind::status) : Outcome::success();
      auto const first = request + 1;
      while (++request < first + 6)
        text += copy.make({.kind = AccountStep::Kind::admit, .request = request}) + " ";
      for (auto each = first; each < request; ++each) {
        if (!copy.held_.contains(each)) continue;
        text += copy.make({.kind = AccountStep::Kind::settle, .request = each, .outcome = outcome});
      }
      auto const checked = copy.make({.kind = AccountStep::Kind::take_check, .thread = nobody});
      text += checked + copy.make({.kind = AccountStep::Kind::ask}) + "\n";
      if (!copy.checks_[nobody]) continue;
      text += copy.make({.kind = AccountStep::Kind::settle_check, .thread = nobody, .good = phase % 2 == 0});
    }
    for (auto const endpoint : endpoints) {
      text += copy.make({.kind = AccountStep::Kind::report, .endpoint = endpoint, .good = false});
      text += copy.make({.kind = AccountStep::Kind::ask}) + "\n";
    }
    return text;
  }

  /// Attempts by chance, of which that many succeed.
  [[nodiscard]] std::string wanders(std::uint64_t seed, double well) const {
    constexpr int steps = 200;
    ModelAccount copy{*this};
    Rng rng{seed};
    std::string text;
    std::uint64_t request = 0;
    for (int i = 0; i < steps; ++i, copy.now += rng.between({}, 2ms)) {
      if (copy.held_.empty() || (copy.held_.size() < 16 && rng.chance(0.5))) {
        text += copy.make({.kind = AccountStep::Kind::admit, .request = ++request}) + " ";
        continue;
      }
      auto const which = any_of(copy.held_, rng).first;
      auto const kind = rng.chance(0.05) ? AccountStep::Kind::mark : AccountStep::Kind::settle;
      auto const outcome = rng.chance(well) ? Outcome::success() : Outcome::failed(FailureKind::status);
      text += copy.make({.kind = kind, .request = which, .outcome = outcome});
      text += copy.make({.kind = AccountStep::Kind::ask}) + "\n";
    }
    return text;
  }

  static std::string of(Transitions const& transitions) {
    std::string text;
    if (transitions.endpoint) text += told(*transitions.endpoint);
    if (transitions.upstream) text += told(*transitions.upstream);
    return text;
  }

  Health::Settings const* settings_;
  Account account_;
  std::map<std::uint64_t, Held> held_;
  std::array<std::optional<EndpointId>, threads + 1> checks_{};
};

TEST(ThreadsInterleaved, SeeOfTheAccountWhatTheyWouldOneAfterTheOther) {
  RealAccount real;
  auto const settings = several();
  expect_possible_orders(real, std::make_unique<ModelAccount>(settings));
  auto const snapshot = real.health.snapshot(real.now);
  EXPECT_GT(snapshot.generation, 10U) << "the circuit moved";
  EXPECT_GT(snapshot.ledger.stale, 0U);
}

}  // namespace
}  // namespace candor
