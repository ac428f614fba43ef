#include "candor/admin/explain.hpp"

#include <algorithm>
#include <array>
#include <ranges>

#include "candor/observe/words.hpp"
#include "deciding.hpp"
#include "explain_endpoints.hpp"
#include "explain_shadow.hpp"
#include "moments.hpp"
#include "page.hpp"

namespace candor::admin {

namespace {

using observe::counted;
using observe::grouped;
using observe::in_words;
using observe::percent;
using observe::showed;

constexpr std::size_t shown_groups = 4;

class Explanation {
 public:
  explicit Explanation(Account const& account) : account_(account), opening_(account.opening()) {}

  std::string text() {
    page_.title(headline());
    circuit();
    explain_endpoints(account_, page_);
    explain_checks(account_, page_);
    explain_discovery(account_, page_);
    refused();
    explain_shadow(account_, page_);
    return page_.take();
  }

 private:
  void circuit() {
    if (account_.health.held) {
      held();
      now();
      return;
    }
    switch (account_.health.state) {
      case CircuitState::closed:
        now();
        last_opening(!lately());
        break;
      case CircuitState::open:
      case CircuitState::half_open:
      case CircuitState::ramping:
        why();
        since_then();
        next();
        break;
    }
  }

  [[nodiscard]] std::string when_opened() const {
    if (!opening_) return "it opened before what is still on record";
    auto const when = opening_->transition.at;
    return "it opened " + ago(account_, when) + " (" + at(account_, when) + ')';
  }

  [[nodiscard]] std::string headline() const {
    auto start = observe::printable(account_.upstream);
    if (!account_.route.empty()) start += " (route " + observe::printable(account_.route) + ")";
    start += ": circuit ";
    auto const* latest = account_.latest();
    if (account_.health.held) {
      auto const how = *account_.health.held == Hold::open ? "OPEN" : "CLOSED";
      auto const since = latest ? " for " + in_words(account_.now - latest->transition.at) + ", since " +
                                      at(account_, latest->transition.at)
                                : "";
      return start + how + ": an operator holds it so" + since + '.';
    }
    switch (account_.health.state) {
      case CircuitState::closed:
        if (!account_.breaker.enabled)
          return start + "CLOSED: the breaker is switched off, the account is kept.";
        if (account_.health.generation == 0) return start + "CLOSED; it has not opened since Candor started.";
        if (!latest) return start + "CLOSED.";
        return start + "CLOSED again, " + ago(account_, latest->transition.at) + " (" +
               at(account_, latest->transition.at) + ").";
      case CircuitState::open: return start + "OPEN; " + when_opened() + '.';
      case CircuitState::half_open: return start + "HALF-OPEN; " + when_opened() + '.';
      case CircuitState::ramping: {
        auto const since = latest ? ", recovering for " + in_words(account_.now - latest->transition.at) : "";
        return start + "RAMPING" + since + "; " + when_opened() + '.';
      }
    }
    return start;
  }

  void refused() {
    auto const& counts = account_.refusals;
    std::string refused;
    for (std::size_t i = 0; i < counts.refused.size(); ++i) {
      add(refused, counts.refused[i], observe::refusal_name(i));
    }
    std::string denied;
    for (std::size_t i = 0; i < counts.denied.size(); ++i) {
      add(denied, counts.denied[i], name(static_cast<RetryDenied>(i)));
    }
    if (refused.empty() && denied.empty()) return;
    page_.heading("Since Candor started, by reason");
    if (!refused.empty()) page_.paragraph("Requests refused: " + refused + '.');
    if (!denied.empty()) page_.paragraph("Failed attempts not retried: " + denied + '.');
  }

  static void add(std::string& list, std::uint64_t count, std::string_view reason) {
    if (count == 0) return;
    list += (list.empty() ? "" : ", ") + grouped(count) + ' ' + std::string(reason);
  }

  void held() {
    page_.heading("What happens next");
    auto const route = account_.route.empty() ? "" : " --route '" + observe::printable(account_.route) + '\'';
    auto const back =
        "To give it back: candor hold " + observe::printable(account_.upstream) + " none" + route + '.';
    switch (*account_.health.held) {
      case Hold::open:
        page_.paragraph("Every request is refused, and none probes, until an operator gives it back.");
        page_.paragraph(refused_so_far());
        break;
      case Hold::closed:
        page_.paragraph(
            "Every request is admitted, whatever the rules say, until an operator gives it back.");
        break;
    }
    page_.paragraph(back);
  }

  [[nodiscard]] std::string refused_so_far() const {
    auto const refusals = account_.health.refusals;
    return refusals == 0 ? "Nothing has been refused yet."
                         : "Refused since Candor started: " + counted(refusals, "attempt") + '.';
  }

  void rule(Transition const& transition) {
    page_.paragraph(in_words(transition.why, account_.breaker));
    if (transition.from != CircuitState::ramping) return;
    auto const* first = account_.outage();
    auto const from = first ? "the opening at " + at(account_, first->transition.at) + ", " +
                                  ago(account_, first->transition.at)
                            : "an earlier opening";
    page_.paragraph("It was on its way back from " + from + ", and fell back.");
  }

  void why() {
    if (!opening_) {
      page_.heading("Why it opened");
      page_.paragraph("The opening itself is no longer on record: only the last " +
                      grouped(Health::kept_transitions) + " transitions are kept.");
      return;
    }
    page_.heading("Why it opened: rule " + std::string(name(opening_->transition.why.rule)));
    rule(opening_->transition);
    if (rests_on_attempts(opening_->transition.why.rule)) attempts_that_decided();
  }

  void attempts_that_decided() {
    auto const found = deciding(account_, *opening_);
    page_.paragraph(reading(account_, found.bad));
    bool const strained = opening_->transition.why.rule == Rule::strain_rate;
    std::string heading =
        strained ? "The failed attempts that made retries necessary: " : "The attempts that decided: ";
    if (found.bad.empty()) {
      page_.heading("The attempts that decided are no longer on record.");
      return;
    }
    heading += found.cut ? "the last " + grouped(found.bad.size()) : grouped(found.bad.size());
    auto const requests = requests_of(found.bad);
    heading += ", of " + counted(requests, "request");
    auto const span = span_of(found.bad);
    if (found.bad.size() > 1) heading += span < 1ms ? ", at one moment" : ", within " + in_words(span);
    page_.heading(heading);
    table(found.bad);
    page_.paragraph(in_common(account_, found));
    healed(found);
  }

  /// A run that has successes in it needs a word.
  void healed(Deciding const& found) {
    auto const& why = opening_->transition.why;
    bool const by_run = why.rule == Rule::evidence_run || why.rule == Rule::consecutive_failures;
    auto const length = static_cast<std::size_t>(why.value);
    if (!by_run || found.bad.size() <= length) return;
    auto const retries = found.bad.size() - length;
    page_.paragraph("In between, retries succeeded " + (retries == 1 ? "once" : grouped(retries) + " times") +
                    "; such a success takes one failure off the run, but doesn't end it.");
  }

  void table(std::vector<AttemptNote> const& notes) {
    auto const groups = grouped_by_route(notes);
    std::size_t count_width = 0;
    std::size_t route_width = 0;
    auto const shown = std::min(groups.size(), shown_groups);
    for (std::size_t i = 0; i < shown; ++i) {
      count_width = std::max(count_width, grouped(groups[i].count).size());
      route_width = std::max(route_width, observe::columns(groups[i].route));
    }
    for (std::size_t i = 0; i < shown; ++i) {
      auto const count = grouped(groups[i].count);
      auto const& route = groups[i].route;
      std::string line(count_width - count.size(), ' ');
      line.append(count).append(" × ").append(route);
      line.append(route_width - observe::columns(route) + 2, ' ').append(groups[i].what);
      page_.line(line);
    }
    if (groups.size() == shown) return;
    std::size_t rest = 0;
    for (std::size_t i = shown; i < groups.size(); ++i) rest += groups[i].count;
    page_.line("and " + grouped(rest) + " more, each kind of them rarer");
  }

  /// The newest failed probe that is kept.
  [[nodiscard]] std::string last_probe() const {
    for (auto const& record : std::views::reverse(account_.transitions)) {
      if (record.transition.why.rule != Rule::probe_failure || record.attempts.empty()) continue;
      auto const& probe = record.attempts.back();
      return ago(account_, record.transition.at) + " (" + route_of(probe) + ": " + showed(probe) + ')';
    }
    return {};
  }

  void since_then() {
    page_.heading("Since then");
    std::string text;
    auto const failed = account_.failed_probes();
    auto const probe = last_probe();
    if (failed == 0) {
      text =
          account_.health.state == CircuitState::ramping ? "No probe failed. " : "No probe has failed yet. ";
    } else if (failed == 1) {
      text = "1 probe failed" + (probe.empty() ? ". " : ", " + probe + ". ");
    } else {
      text = counted(failed, "probe") + " failed" + (probe.empty() ? ". " : ", the last one " + probe + ". ");
    }
    page_.paragraph(text + refused_so_far());
  }

  [[nodiscard]] std::string what_probes_do() const {
    auto const needed = account_.breaker.probe.successes;
    auto const success = needed == 1
                             ? "A success brings requests back step by step"
                             : grouped(needed) + " successes in a row bring requests back step by step";
    return success + "; a failure keeps the circuit open.";
  }

  void next() {
    page_.heading("What happens next");
    auto const& health = account_.health;
    if (health.awaits_checks) {
      return page_.paragraph("Requests are refused, and none probes, until checks find an endpoint well: " +
                             counted(account_.check ? account_.check->pace.healthy : 1, "good one") +
                             " in a row. The next check is due in " + in_words(health.retry_after) +
                             "; the first request after that is the probe. " + what_probes_do());
    }
    switch (health.state) {
      case CircuitState::closed: return;
      case CircuitState::open:
        if (health.retry_after > Duration{}) {
          return page_.paragraph("Requests are refused at once for another " + in_words(health.retry_after) +
                                 "; the first one after that is the probe. " + what_probes_do());
        }
        return page_.paragraph(
            "The wait is over: the next request is the probe. Candor sends none by itself. " +
            what_probes_do());
      case CircuitState::half_open:
        if (health.probes_in_flight == 0) {
          return page_.paragraph("No probe is in flight: the next request is one. " + what_probes_do());
        }
        return page_.paragraph(
            counted(health.probes_in_flight, "probe") + (health.probes_in_flight == 1 ? " is" : " are") +
            " in flight; other requests are refused until there is a verdict. " + what_probes_do());
      case CircuitState::ramping:
        return page_.paragraph(
            percent(health.admitted_share) + " of the attempts are admitted" + at_least() +
            "; the others are refused. While most of them succeed the share grows step by step to "
            "all; if half of them fail it falls back, and any rule may open the circuit again.");
    }
  }

  [[nodiscard]] std::string at_least() const {
    auto const floor = account_.breaker.ramp.floor_per_second;
    return floor >= 1 ? ", and never fewer than " + grouped(static_cast<std::uint64_t>(floor)) + " a second"
                      : "";
  }

  void now() {
    page_.heading("Now");
    auto const& window = account_.health.window;
    auto const span = in_words(account_.breaker.window);
    if (window.attempts() == 0) {
      page_.paragraph("No attempt has settled in the last " + span + '.');
    } else {
      std::string text =
          counted(window.attempts(), "attempt") + " in the last " + span + ": " +
          (window.failed == 0 ? std::string("none failed")
                              : grouped(window.failed) + " failed (" + percent(window.failure_ratio()) + ')');
      if (window.marked > 0) text += ", " + grouped(window.marked) + " were marked slow";
      text += window.answered == 0 ? ". No request was answered well"
                                   : ". " + counted(window.answered, "request") + " answered well";
      if (window.strained > 0) {
        text += ", " + grouped(window.strained) + " of them only by a retry (" +
                percent(window.strain_ratio()) + ')';
      }
      page_.paragraph(text + '.');
    }
    auto const run = account_.health.run;
    page_.paragraph((run == 0 ? "No run of failures" : "A run of " + counted(run, "failure")) +
                    ". Retries that the budget would pay for now: " +
                    grouped(static_cast<std::uint64_t>(account_.budget_tokens)) + '.');
    load();
  }

  void load() {
    auto const& limit = account_.health.limit;
    std::string text =
        "In flight: " + grouped(account_.health.ledger.in_flight) + " of at most " + grouped(limit.attempts);
    if (limit.usual_latency) text += ", which usually take " + in_words(*limit.usual_latency);
    text += '.';
    auto const queue = account_.queue.value_or(AttemptQueueSnapshot{});
    if (queue.waiting > 0) text += " Waiting for room: " + grouped(queue.waiting) + '.';
    auto const refused = limit.refusals + queue.refused_full + queue.refused_timeout;
    if (refused > 0) text += " Refused for lack of room since Candor started: " + grouped(refused) + '.';
    auto const& throttle = account_.health.throttle;
    if (throttle && throttle->refusals > 0) {
      text += " The throttle refuses " + percent(throttle->refused_share) + " now, and has refused " +
              counted(throttle->refusals, "attempt") + '.';
    }
    page_.paragraph(text);
  }

  /// False if there is nothing to tell.
  bool lately() {
    auto const found = recently_bad(account_);
    if (found.bad.empty()) return false;
    auto const last = found.bad.back().settled;
    bool const of_late = account_.now - last <= account_.breaker.window;
    page_.heading("Failed or slow: " + grouped(found.bad.size()) + " of the last " +
                  counted(found.bad.size() + found.good.size(), "attempt") + ", within " +
                  in_words(span_of(found.bad, found.good)) +
                  (of_late ? "" : ", the newest " + ago(account_, last)));
    table(found.bad);
    page_.paragraph(in_common(account_, found));
    page_.paragraph(reading(account_, found.bad));
    return true;
  }

  /// The past is told at length only where the present has nothing to tell.
  void last_opening(bool at_length) {
    if (!opening_) return;
    auto const& opened = opening_->transition;
    auto const* latest = account_.latest();
    page_.heading("The last opening: rule " + std::string(name(opened.why.rule)));
    page_.paragraph(
        "It opened at " + at(account_, opened.at) +
        (latest ? " and was closed again after " + in_words(latest->transition.at - opened.at) : "") + '.');
    rule(opened);
    if (at_length && rests_on_attempts(opened.why.rule)) attempts_that_decided();
  }

  Account const& account_;
  TransitionRecord const* opening_;
  Page page_;
};

}  // namespace

std::string explain(Account const& account) { return Explanation{account}.text(); }

std::string explain(std::vector<Account> const& accounts) {
  std::string text;
  for (auto const& account : accounts) text.append(text.empty() ? "" : "\n").append(explain(account));
  return text;
}

}  // namespace candor::admin
