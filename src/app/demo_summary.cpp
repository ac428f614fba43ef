#include "candor/app/demo_summary.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "candor/observe/text.hpp"
#include "candor/observe/words.hpp"

namespace candor::app {

namespace {

using observe::counted;
using observe::grouped;

constexpr std::array<std::size_t, 7> widths{10, 8, 10, 10, 10, 10, 8};

std::string row(std::array<std::string, widths.size()> const& cells) {
  std::string out = "  ";
  for (std::size_t i = 0; i < cells.size(); ++i) {
    auto const gap = widths[i] - std::min(widths[i], observe::columns(cells[i]));
    // The first column is words, the others are numbers.
    out += i == 0 ? cells[i] + std::string(gap, ' ') : std::string(gap, ' ') + cells[i];
  }
  return out + '\n';
}

std::string row(TurnReport const& turn) {
  auto const& from = turn.before;
  auto const& to = turn.after;
  auto const refused = RequestResult::refused;
  return row({std::string(name(turn.behaviour)), observe::in_words(to.at - from.at),
              grouped(to.all_requests() - from.all_requests()), grouped(to.well - from.well),
              grouped(to.requests_of(refused) - from.requests_of(refused)),
              grouped(to.health.ledger.started - from.health.ledger.started),
              grouped(to.openings - from.openings)});
}

Check opened_and_closed(Reading const& reading, bool recovered) {
  bool const closed = !recovered || reading.health.state == CircuitState::closed;
  return {.held = reading.openings > 0 && reading.closings > 0 && closed,
          .what = "the circuit opened (" + counted(reading.openings, "time") + ") and closed again (" +
                  counted(reading.closings, "time") + "); in the end it is " +
                  std::string(candor::name(reading.health.state))};
}

/// What did not reach the upstream, by Candor's account: no connection came about.
std::uint64_t unreached(Ledger const& ledger) {
  std::uint64_t out = 0;
  for (auto const kind : {FailureKind::connect, FailureKind::dns, FailureKind::tls}) {
    out += ledger.failures[static_cast<std::size_t>(kind)];
  }
  return out;
}

Check counts_agree(Summary const& summary) {
  auto const& ledger = summary.reading.health.ledger;
  // Of an excluded or abandoned attempt nobody can say whether it arrived.
  auto const unsure = ledger.excluded + ledger.abandoned + ledger.in_flight;
  auto const most = ledger.started - unreached(ledger);
  auto const seen = summary.seen_by_upstream;
  std::string what =
      "the upstream counted " + counted(seen, "attempt") + ", Candor's ledger " + grouped(most);
  if (unsure > 0) what += ", " + grouped(unsure) + " of which may not have arrived";
  return {.held = seen <= most && seen + unsure >= most, .what = std::move(what)};
}

Check ledger_balances(Ledger const& ledger) {
  return {.held = ledger.balanced() && ledger.in_flight == 0,
          .what = "the ledger balances: " + grouped(ledger.started) +
                  " started = " + grouped(ledger.in_flight) + " in flight + " + grouped(ledger.success) +
                  " success + " + grouped(ledger.failed()) + " failure + " + grouped(ledger.excluded) +
                  " excluded + " + grouped(ledger.abandoned) + " abandoned"};
}

Check every_request_answered(Tally const& callers) {
  return {.held = callers.asked > 0 && callers.answered() == callers.asked,
          .what = "each of " + counted(callers.asked, "request") + " got the answer to what it asked: " +
                  grouped(callers.well) + " well, " + grouped(callers.failed) + " upstream's failures, " +
                  grouped(callers.by_candor) + " by Candor; " + grouped(callers.lost + callers.waiting) +
                  " lost, " + grouped(callers.mixed_up) + " mixed up"};
}

Check requests_agree(Tally const& callers, Reading const& reading) {
  bool const all = callers.asked == reading.all_requests();
  bool const passed_on = callers.well + callers.failed == reading.requests_of(RequestResult::answered);
  return {.held = all && passed_on,
          .what = "the callers counted " + counted(callers.asked, "request") + ", " +
                  grouped(callers.well + callers.failed) + " with an upstream's answer; Candor " +
                  grouped(reading.all_requests()) + " and " +
                  grouped(reading.requests_of(RequestResult::answered))};
}

}  // namespace

std::vector<Check> checks(Summary const& summary) {
  std::vector<Check> out;
  if (summary.whole_pass) out.push_back(opened_and_closed(summary.reading, summary.recovered));
  out.push_back(counts_agree(summary));
  out.push_back(ledger_balances(summary.reading.health.ledger));
  out.push_back(every_request_answered(summary.callers));
  out.push_back(requests_agree(summary.callers, summary.reading));
  return out;
}

bool all_held(std::vector<Check> const& checks) {
  return std::all_of(checks.begin(), checks.end(), [](Check const& check) { return check.held; });
}

std::string summary_text(Summary const& summary) {
  std::string out = row({"upstream", "for", "requests", "well", "refused", "attempts", "opened"});
  for (auto const& turn : summary.turns) out += row(turn);
  out += '\n';
  for (auto const& check : checks(summary)) {
    out += (check.held ? "  held      " : "  NOT HELD  ") + check.what + '\n';
  }
  return out;
}

}  // namespace candor::app
