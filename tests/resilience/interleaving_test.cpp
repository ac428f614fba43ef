// What threads see of the account, or of a budget, at the same time is what they would see one after the
// other: each beside a sequential twin.
#include "resilience/interleaving.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "../../src/resilience/account.hpp"
#include "candor/resilience/budget.hpp"
#include "resilience/driver.hpp"

namespace candor {
namespace {

using test::expect_possible_orders;
using test::start;
using test::threads;

// --- the account ---

std::string told(Transition const& transition) {
  return std::string(name(transition.from)) + ">" + std::string(name(transition.to)) + "/" +
         std::string(name(transition.why.rule)) + "/" + std::to_string(transition.generation) +
         (transition.endpoint ? "@" + std::to_string(transition.endpoint->value) : "") + " ";
}

std::string told(Admission const& admission) {
  return "/" + std::to_string(admission.generation) + (admission.probe ? " probe" : "");
}

std::string told(std::uint64_t started, Ledger const& ledger, std::vector<AttemptNote> const& recent) {
  std::string text = std::to_string(started) + " " + std::to_string(ledger.success) + " " +
                     std::to_string(ledger.failed()) + " " + std::to_string(ledger.stale) + ":";
  for (std::size_t i = recent.size() > 40 ? recent.size() - 40 : 0; i < recent.size(); ++i) {
    text += " " + std::to_string(recent[i].request.value);
  }
  return text;
}

struct AccountStep {
  enum class Kind : std::uint8_t { admit, settle, mark, ask };
  Kind kind = Kind::ask;
  std::uint64_t request = 0;
  Outcome outcome = Outcome::success();
};

std::string told(AccountStep const& what) {
  static constexpr std::string_view names[] = {"admit", "settle", "mark", "ask"};
  return std::string(names[static_cast<std::size_t>(what.kind)]) + " " + std::to_string(what.request) + " " +
         std::string(name(what.outcome.kind()));
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

class RealAccount {
 public:
  RealAccount() {
    health.listen([](Transition const& transition) { heard() += told(transition); });
  }

  AccountStep choose(unsigned thread, Rng& rng) {
    auto& held = permits_[thread];
    if (held.empty() || (held.size() < 4 && rng.chance(0.5))) {
      return {AccountStep::Kind::admit, (std::uint64_t{thread} + 1) * 1'000'000 + ++requests_[thread]};
    }
    auto const which = std::next(held.begin(), static_cast<std::ptrdiff_t>(rng.below(held.size())))->first;
    if (rng.chance(0.1)) return {AccountStep::Kind::mark, which};
    if (rng.chance(0.1)) return {AccountStep::Kind::ask, which};
    Outcome const outcomes[] = {Outcome::success(), Outcome::failed(FailureKind::status),
                                Outcome::abandoned(), Outcome::failed(FailureKind::connect)};
    return {AccountStep::Kind::settle, which, outcomes[rng.below(4)]};
  }

  std::string make(unsigned thread, AccountStep const& what) {
    heard().clear();
    auto& held = permits_[thread];
    switch (what.kind) {
      case AccountStep::Kind::admit: {
        auto permit = health.admit({.request = {what.request}}, now);
        if (!permit) return heard() + std::string(name(*permit.error().get<Refusal>()));
        auto const shown =
            (permit->probe() ? "probe " : "permit ") + std::to_string(permit->endpoint().value);
        held.emplace(what.request, std::make_unique<Permit>(std::move(*permit)));
        return heard() + shown;
      }
      case AccountStep::Kind::settle:
        std::move(*held.at(what.request)).settle(what.outcome, now);
        held.erase(what.request);
        return heard();
      case AccountStep::Kind::mark: held.at(what.request)->mark_slow(now); return heard();
      case AccountStep::Kind::ask: return std::to_string(health.retry_after(now).count());
    }
    return {};
  }

  void pass(Rng& rng) { now += rng.chance(0.1) ? rng.between({}, 500ms) : rng.between({}, 5ms); }

  [[nodiscard]] std::string end() const {
    auto const snapshot = health.snapshot(now);
    return told(snapshot.ledger.started, snapshot.ledger, health.recent_attempts());
  }

  Health health{several(), 1};
  Instant now = start;

 private:
  static std::string& heard() {
    thread_local std::string text;
    return text;
  }

  std::map<std::uint64_t, std::unique_ptr<Permit>> permits_[threads];
  std::uint64_t requests_[threads] = {};
};

/// The same, with nobody else there.
class ModelAccount {
 public:
  using What = AccountStep;

  explicit ModelAccount(Health::Settings const& settings) : account_(settings, 1) {}

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
        return heard + (answer.admissions.upstream.probe ? "probe " : "permit ") +
               std::to_string(answer.endpoint.value);
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
    }
    return {};
  }

  [[nodiscard]] std::string end() const {
    HealthSnapshot snapshot;
    account_.read(snapshot, now);
    return told(snapshot.ledger.started, snapshot.ledger, account_.recent_attempts());
  }

  /// What it does from now on: what end() hides shows in that. Once in long steps, for windows and what comes
  /// after them; once in short ones, for what a ramp has counted so far. And what is in flight: the
  /// generation that a permit belongs to says whether its outcome, which may be a failure later, will have a
  /// vote.
  [[nodiscard]] std::string behaviour() const { return in_flight() + goes_on(300ms) + goes_on(7ms); }

  Instant now = start;

 private:
  struct Held {
    AttemptNote note{};
    Admissions admissions{};
  };

  [[nodiscard]] std::string in_flight() const {
    std::string text;
    for (auto const& [request, held] : held_) {
      text += std::to_string(request) + told(held.admissions.upstream);
      text += "@" + std::to_string(held.note.endpoint.value);
      if (held.admissions.endpoint) text += told(*held.admissions.endpoint);
      text += held.note.slow ? " slow\n" : "\n";
    }
    return text;
  }

  /// If all that is in flight succeeds, then some attempts, then all fail.
  [[nodiscard]] std::string goes_on(Duration step) const {
    ModelAccount copy{*this};
    std::string text;
    for (auto const& [request, held] : held_) text += copy.make({AccountStep::Kind::settle, request});
    std::uint64_t request = 0;
    for (unsigned phase = 0; phase < 10; ++phase, copy.now += step) {
      auto const outcome = phase < 6 ? Outcome::success() : Outcome::failed(FailureKind::status);
      auto const first = request + 1;
      while (++request < first + 6) text += copy.make({AccountStep::Kind::admit, request}) + " ";
      for (auto each = first; each < request; ++each) {
        if (copy.held_.contains(each)) text += copy.make({AccountStep::Kind::settle, each, outcome});
      }
      text += copy.make({AccountStep::Kind::ask}) + "\n";
    }
    return text;
  }

  static std::string of(Transitions const& transitions) {
    std::string text;
    if (transitions.endpoint) text += told(*transitions.endpoint);
    if (transitions.upstream) text += told(*transitions.upstream);
    return text;
  }

  Account account_;
  std::map<std::uint64_t, Held> held_;
};

TEST(ThreadsInterleaved, SeeOfTheAccountWhatTheyWouldOneAfterTheOther) {
  RealAccount real;
  auto const settings = several();
  expect_possible_orders(real, std::make_unique<ModelAccount>(settings));
  auto const snapshot = real.health.snapshot(real.now);
  EXPECT_GT(snapshot.generation, 10U) << "the circuit moved";
  EXPECT_GT(snapshot.ledger.stale, 0U);
}

// --- the budget ---

struct BudgetStep {
  enum class Kind : std::uint8_t { request, take, spend, give_back };
  Kind kind = Kind::request;
};

std::string told(BudgetStep const& what) {
  static constexpr std::string_view names[] = {"request", "take", "spend", "give back"};
  return std::string(names[static_cast<std::size_t>(what.kind)]);
}

constexpr BudgetSettings small{.ratio = 0.5, .per_second = 2, .over = 1s};

class RealBudget {
 public:
  BudgetStep choose(unsigned thread, Rng& rng) {
    auto const& held = tokens_[thread];
    if (rng.chance(0.3)) return {BudgetStep::Kind::request};
    if (held.empty() || rng.chance(0.4)) return {BudgetStep::Kind::take};
    return {rng.chance(0.7) ? BudgetStep::Kind::spend : BudgetStep::Kind::give_back};
  }

  std::string make(unsigned thread, BudgetStep const& what) {
    auto& held = tokens_[thread];
    switch (what.kind) {
      case BudgetStep::Kind::request: budget.request(now); return "asked";
      case BudgetStep::Kind::take: {
        auto token = budget.take(now);
        if (!token) return "no";
        held.push_back(std::move(*token));
        return "yes";
      }
      case BudgetStep::Kind::spend:
        std::move(held.back()).spend(now);
        held.pop_back();
        return "spent";
      case BudgetStep::Kind::give_back: held.pop_back(); return "back";
    }
    return {};
  }

  void pass(Rng& rng) { now += rng.between({}, 40ms); }
  [[nodiscard]] std::string end() const { return std::to_string(std::llround(budget.available(now) * 1000)); }

  Budget budget{small};
  Instant now = start;

 private:
  std::vector<BudgetToken> tokens_[threads];
};

/// The bound, by looking at every span there is.
class ModelBudget {
 public:
  using What = BudgetStep;

  std::string make(BudgetStep const& what) {
    auto const slot = now.time_since_epoch() / width;
    switch (what.kind) {
      case BudgetStep::Kind::request: note(slot, -ratio); return "asked";
      case BudgetStep::Kind::take:
        if (worst(slot) + (out_ + 1) * unit > allowance) return "no";
        ++out_;
        return "yes";
      case BudgetStep::Kind::spend:
        --out_;
        note(slot, unit);
        return "spent";
      case BudgetStep::Kind::give_back: --out_; return "back";
    }
    return {};
  }

  [[nodiscard]] std::string end() const {
    auto const left = allowance - worst(now.time_since_epoch() / width) - out_ * unit;
    return std::to_string(std::max<std::int64_t>(left, 0));
  }

  /// There is nothing else to it.
  [[nodiscard]] std::string behaviour() const { return end(); }

  Instant now = start;

 private:
  static constexpr std::int64_t unit = 1000;  // one retry
  static constexpr std::int64_t ratio = 500;
  static constexpr std::int64_t allowance = 2 * unit;
  static constexpr Duration width = 10ms;

  struct Event {
    std::int64_t slot;
    std::int64_t net;
  };

  void note(std::int64_t slot, std::int64_t net) {
    std::erase_if(events_, [slot](Event const& event) { return event.slot < slot - 100; });
    events_.push_back({slot, net});
  }
  /// The largest sum of any span that ends now.
  [[nodiscard]] std::int64_t worst(std::int64_t slot) const {
    std::int64_t sum = 0;
    std::int64_t most = 0;
    for (auto event = events_.rbegin(); event != events_.rend() && event->slot >= slot - 100; ++event) {
      sum += event->net;
      most = std::max(most, sum);
    }
    return most;
  }

  std::vector<Event> events_;
  std::int64_t out_ = 0;
};

TEST(ThreadsInterleaved, SeeOfTheBudgetWhatTheyWouldOneAfterTheOther) {
  RealBudget real;
  expect_possible_orders(real, std::make_unique<ModelBudget>());
}

}  // namespace
}  // namespace candor
