#include "candor/app/demo_view.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "candor/observe/text.hpp"
#include "candor/observe/words.hpp"

namespace candor::app {

namespace {

using observe::grouped;
using observe::in_words;
using observe::percent;

constexpr std::size_t label_width = 11;
constexpr std::size_t text_width = 78 - label_width;

std::string padded(std::string text, std::size_t width) {
  auto const taken = observe::columns(text);
  if (taken < width) text.append(width - taken, ' ');
  return text;
}

/// A rate: 240, 3.5, 0.
std::string rate(double value) {
  if (value >= 9.95) return grouped(static_cast<std::uint64_t>(std::llround(value)));
  auto const tenths = std::llround(value * 10);
  auto out = std::to_string(tenths / 10);
  if (tenths % 10 != 0) out += '.' + std::to_string(tenths % 10);
  return out;
}

std::string duration(std::optional<Duration> d) { return d ? in_words(*d) : "-"; }

Tint tint_of(Behaviour behaviour) {
  switch (behaviour) {
    case Behaviour::well: return Tint::good;
    case Behaviour::slow: return Tint::warning;
    case Behaviour::failing:
    case Behaviour::silent: return Tint::bad;
  }
  return Tint::plain;
}

Tint tint_of(CircuitState state) {
  switch (state) {
    case CircuitState::closed: return Tint::good;
    case CircuitState::open: return Tint::bad;
    case CircuitState::half_open:
    case CircuitState::ramping: return Tint::warning;
  }
  return Tint::plain;
}

char letter(Behaviour behaviour) {
  switch (behaviour) {
    case Behaviour::well: return '.';
    case Behaviour::failing: return 'F';
    case Behaviour::slow: return 'S';
    case Behaviour::silent: return 'N';
  }
  return ' ';
}

char letter(CircuitState state) {
  switch (state) {
    case CircuitState::closed: return '.';
    case CircuitState::open: return 'O';
    case CircuitState::half_open: return 'h';
    case CircuitState::ramping: return 'r';
  }
  return ' ';
}

/// A column's height, of eight; only nothing at all is empty.
std::string_view bar(double value, double highest) {
  constexpr std::array<std::string_view, 9> bars{" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  if (value <= 0 || highest <= 0) return bars.front();
  auto const height = static_cast<std::size_t>(std::ceil(value / highest * 8));
  return bars[std::clamp<std::size_t>(height, 1, 8)];
}

std::string state_in_words(View const& view) {
  auto const& health = view.reading.health;
  auto const away = ", not closed for " + in_words(view.steady);
  switch (health.state) {
    case CircuitState::closed: return " for " + in_words(view.steady);
    case CircuitState::open:
      return away + (health.retry_after > Duration{}
                         ? "; the next probe may go in " + in_words(health.retry_after)
                         : "; the next request is the probe");
    case CircuitState::half_open:
      return away +
             (health.probes_in_flight > 0 ? "; a probe is on its way" : "; the next request is the probe");
    case CircuitState::ramping:
      return away + "; " + percent(health.admitted_share) + " of the attempts are admitted";
  }
  return {};
}

class Page {
 public:
  explicit Page(View const& view) : view_(view) {}

  std::vector<Line> lines() {
    heading();
    now();
    numbers();
    strips();
    account();
    said();
    legend();
    return std::move(lines_);
  }

 private:
  void line(std::string const& label, Line rest) {
    Line whole{{padded(label, label_width), Tint::faint}};
    std::move(rest.begin(), rest.end(), std::back_inserter(whole));
    lines_.push_back(std::move(whole));
  }
  void gap() { lines_.emplace_back(); }

  void heading() {
    lines_.push_back({{"Candor demo", Tint::strong},
                      {", " + in_words(view_.elapsed) + ". In a browser: "},
                      {"http://" + view_.admin + "/", Tint::strong},
                      {"   Ctrl-C ends it"}});
    std::string way = "callers > Candor " + view_.proxy + " > upstream ";
    char const* between = "";
    for (auto const& endpoint : view_.endpoints) way += std::exchange(between, ", ") + endpoint;
    lines_.push_back({{way, Tint::faint}});
    gap();
  }

  void now() {
    auto const behaviour = view_.turn.behaviour;
    line("upstream",
         {{std::string(name(behaviour)), tint_of(behaviour)},
          {", for another " + in_words(view_.turn.left) + ": " + std::string(app::in_words(behaviour))}});
    auto const state = view_.reading.health.state;
    line("circuit", {{std::string(candor::name(state)), tint_of(state)}, {state_in_words(view_)}});
    evidence();
    gap();
  }

  // Of constant height, so that what stands below does not jump.
  void evidence() {
    constexpr std::size_t height = 4;
    auto const text = view_.opening ? "It last opened " + in_words(view_.opening->ago) + " ago, by rule " +
                                          view_.opening->rule + ". " + view_.opening->why
                                    : std::string("It has not opened yet.");
    auto words = wrapped(text, text_width);
    words.resize(height);
    line("evidence", {{words.front()}});
    for (std::size_t i = 1; i < height; ++i) line("", {{words[i]}});
  }

  void numbers() {
    auto const& reading = view_.reading;
    auto const& rates = view_.rates;
    auto const results = [&reading](RequestResult result) { return grouped(reading.requests_of(result)); };
    line("", {{padded("a second", 10) + "since the start", Tint::faint}});
    line("requests",
         {{padded(rate(rates.requests), 10), Tint::strong},
          {grouped(reading.all_requests()) + ": " + grouped(reading.well) + " well, " +
           grouped(reading.requests_of(RequestResult::answered) - reading.well) + " badly, " +
           results(RequestResult::failed) + " failed, " + results(RequestResult::refused) + " refused"}});
    line("attempts", {{padded(rate(rates.attempts), 10), Tint::strong},
                      {grouped(reading.health.ledger.started) + ", " + grouped(reading.health.ledger.slow) +
                       " of them marked slow"}});
    auto const& probes = reading.health.probes;
    auto const of = [&probes](Outcome::Kind kind) { return grouped(probes[static_cast<std::size_t>(kind)]); };
    line("probes", {{std::string(10, ' ') + of(Outcome::Kind::success) + " succeeded, " +
                     of(Outcome::Kind::failure) + " failed"}});
    line("retries", {{padded(rate(rates.retries), 10), Tint::strong},
                     {grouped(reading.retries) + "; the budget would pay for " +
                      grouped(static_cast<std::uint64_t>(std::max(reading.tokens, 0.0))) + " more now"}});
    auto const good = rates.requests > 0 ? percent(std::min(1.0, rates.well / rates.requests)) : "-";
    line("of late", {{good + " of the requests answered well; they took p50 " + duration(view_.p50) +
                      ", p99 " + duration(view_.p99)}});
    gap();
  }

  void strips() {
    Line upstream;
    Line circuit;
    std::string requests;
    std::string attempts;
    double highest = 0;
    for (auto const& moment : view_.moments) {
      highest = std::max({highest, moment.requests, moment.attempts});
    }
    for (auto const& moment : view_.moments) {
      upstream.push_back({{letter(moment.behaviour)}, tint_of(moment.behaviour)});
      circuit.push_back({{letter(moment.state)}, tint_of(moment.state)});
      requests += bar(moment.requests, highest);
      attempts += bar(moment.attempts, highest);
    }
    auto const span = view_.moment * static_cast<std::int64_t>(view_.moments.size());
    line("", {{"the last " + in_words(span) + ", now at the right", Tint::faint}});
    line("upstream", std::move(upstream));
    line("circuit", std::move(circuit));
    line("requests", {{std::move(requests)}});
    line("attempts", {{std::move(attempts)}});
    gap();
  }

  void account() {
    auto const& ledger = view_.reading.health.ledger;
    line("ledger", {{grouped(ledger.started) + " started = " + grouped(ledger.in_flight) + " in flight + " +
                     grouped(ledger.success) + " success + " + grouped(ledger.failed()) + " failure"}});
    line("", {{"+ " + grouped(ledger.excluded) + " excluded + " + grouped(ledger.abandoned) + " abandoned"},
              ledger.balanced() ? Span{} : Span{": DOES NOT BALANCE", Tint::bad}});
    line("", {{"the upstream's own count of what reached it: " + grouped(view_.seen[0] + view_.seen[1]) +
               " = " + grouped(view_.seen[0]) + " + " + grouped(view_.seen[1])}});
    gap();
  }

  void said() {
    constexpr std::size_t height = 4;
    auto said = view_.said;
    said.resize(height);
    std::string label = "log";
    for (auto const& text : said) line(std::exchange(label, ""), {{text, Tint::faint}});
    gap();
  }

  void legend() {
    for (auto const* text :
         {". well  F failing  S slow  N silent     . closed  O open  h half-open  r ramping",
          "Look: the upstream turns bad; after a handful of attempts the circuit opens.",
          "Look: while it is open, attempts drop to single probes, but requests are still",
          "      answered, at once: no caller is held up, the upstream is left alone.",
          "Look: soon after the upstream is well a probe succeeds, and attempts ramp up."}) {
      lines_.push_back({{text, Tint::faint}});
    }
  }

  View const& view_;
  std::vector<Line> lines_;
};

}  // namespace

std::vector<Line> page(View const& view) { return Page{view}.lines(); }

std::string one_line(View const& view) {
  auto const& rates = view.rates;
  auto const state = view.reading.health.state;
  auto const circuit = std::string(candor::name(state)) +
                       (state == CircuitState::closed ? " for " : ", away ") + in_words(view.steady);
  auto const good = rates.requests > 0 ? percent(std::min(1.0, rates.well / rates.requests)) : "-";
  return padded(in_words(view.elapsed), 8) + "upstream " + padded(std::string(name(view.turn.behaviour)), 9) +
         "circuit " + padded(circuit, 22) + "requests " + padded(rate(rates.requests) + "/s", 7) +
         "attempts " + padded(rate(rates.attempts) + "/s", 7) + "retries " +
         padded(rate(rates.retries) + "/s", 7) + "budget " +
         padded(grouped(static_cast<std::uint64_t>(std::max(view.reading.tokens, 0.0))), 4) + "well " +
         padded(good, 6) + "p50 " + padded(duration(view.p50), 7) + "p99 " + duration(view.p99);
}

}  // namespace candor::app
