#include "explain_shadow.hpp"

#include <numeric>
#include <ranges>

#include "candor/observe/words.hpp"
#include "moments.hpp"

namespace candor::admin {

namespace {

using observe::grouped;

std::string circuit_in_words(Account const& account, Shadow const& shadow) {
  auto const& circuit = *shadow.circuit;
  auto text = "The circuit would be " + std::string(name(circuit.state));
  if (circuit.openings == 0) return text + "; it would never have opened.";
  text += "; it would have opened " + (circuit.openings == 1 ? "once" : grouped(circuit.openings) + " times");
  for (auto const& record : std::views::reverse(shadow.transitions)) {
    auto const& transition = record.transition;
    bool const opens = transition.to == CircuitState::open && transition.from != CircuitState::half_open;
    if (!opens) continue;
    text += ", last " + ago(account, transition.at) + " (" + std::string(name(transition.why.rule)) + ")";
    break;
  }
  auto const of = [&circuit](Outcome::Kind kind) { return circuit.refused[static_cast<std::size_t>(kind)]; };
  auto const refused = of(Outcome::Kind::success) + of(Outcome::Kind::failure);
  if (refused == 0) return text + ".";
  return text + ". Of the attempts that it would have refused, " + grouped(of(Outcome::Kind::failure)) +
         " failed and " + grouped(of(Outcome::Kind::success)) + " went well.";
}

std::string retries_in_words(Shadow const& shadow) {
  auto const retries = [](std::uint64_t n) { return n == 1 ? "retry" : "retries"; };
  auto const fewer = std::accumulate(shadow.spared.begin(), shadow.spared.end(), std::uint64_t{0});
  auto const more = shadow.added;
  if (fewer == 0 && more == 0) return "The same retries would have been made.";
  std::string text;
  if (fewer > 0) text = grouped(fewer) + ' ' + retries(fewer) + " would not have been made.";
  if (more == 0) return text;
  return text + (text.empty() ? "" : " ") + grouped(more) + " more " + retries(more) +
         " would have been made; what would have come of that nobody knows.";
}

}  // namespace

void explain_shadow(Account const& account, Page& page) {
  if (!account.shadow) return;
  page.heading("By the shadow's rules, which do not act");
  std::string text;
  if (account.shadow->circuit) text = circuit_in_words(account, *account.shadow);
  if (account.shadow->retries) text += (text.empty() ? "" : " ") + retries_in_words(*account.shadow);
  page.paragraph(text);
}

}  // namespace candor::admin
