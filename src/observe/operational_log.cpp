#include "candor/observe/operational_log.hpp"

#include "candor/observe/text.hpp"
#include "candor/observe/words.hpp"

namespace candor::observe {

namespace {

/// "circuit open, was closed (evidence_run, generation 1): A run of 6 failed attempts."
std::string told(Transition const& transition, BreakerSettings const& rules) {
  std::string line = "circuit ";
  line.append(name(transition.to)).append(", was ").append(name(transition.from));
  line.append(" (").append(name(transition.why.rule)).append(", generation ");
  line.append(std::to_string(transition.generation)).append("): ");
  return line.append(in_words(transition.why, rules));
}

}  // namespace

std::string transition_line(Route const& account, Transition const& transition) {
  std::string line{account.account_title()};
  if (transition.endpoint) {
    line.append(", endpoint ").append(account.upstream.endpoints.address(*transition.endpoint));
  }
  return line.append(": ").append(told(transition, account.settings.breaker));
}

std::string shadow_line(Route const& account, Transition const& transition) {
  auto const& rules = account.settings.shadow ? account.settings.shadow->breaker : account.settings.breaker;
  return account.account_title() + ": by its shadow, which does not act: " + told(transition, rules);
}

LogSettings::Level transition_level(Transition const& transition) {
  using Level = LogSettings::Level;
  switch (transition.to) {
    case CircuitState::open:
      // A dead upstream's probes fail again and again: the opening is the news.
      return transition.why.rule == Rule::probe_failure || transition.why.rule == Rule::held_open ||
                     transition.why.rule == Rule::given_back
                 ? Level::info
                 : Level::warn;
    case CircuitState::half_open: return Level::debug;
    case CircuitState::ramping:
    case CircuitState::closed: return Level::info;
  }
  return Level::info;
}

OperationalLog::OperationalLog(LogSettings const& settings)
    : least_(settings.level), lines_("stderr", queue, LineLog::Form::stamped) {}

OperationalLog::OperationalLog(LogSettings const& settings, LineSink sink)
    : least_(settings.level), lines_(std::move(sink), queue, LineLog::Form::stamped) {}

void OperationalLog::say(Level level, std::string_view text) {
  // Printable: what it quotes may come off the wire, and one report is one line.
  if (level >= least_) lines_.write(printable(text), level);
}

}  // namespace candor::observe
