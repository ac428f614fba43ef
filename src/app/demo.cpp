#include "candor/app/demo.hpp"

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <ostream>
#include <string_view>
#include <utility>

#include "candor/app/demo_summary.hpp"
#include "candor/app/demo_view.hpp"
#include "candor/app/sidecar.hpp"
#include "candor/app/signals.hpp"
#include "candor/core/rng.hpp"
#include "demo_callers.hpp"
#include "demo_parts.hpp"
#include "log_tail.hpp"
#include "run.hpp"
#include "screen.hpp"
#include "unruly_upstream.hpp"

namespace candor::app {

namespace {

constexpr Duration frame = 200ms;    // between two drawings
constexpr Duration plain_line = 1s;  // between two lines, where there is no terminal
constexpr Duration moment = 500ms;   // a column of the strips
constexpr Duration of_late = 2s;     // what rates and latencies are of
constexpr Duration recovery = 10s;   // that the circuit may take to close, after the last turn
constexpr Duration drain_time = 5s;  // nothing is in flight by then
constexpr std::size_t moments_kept = 64;
constexpr std::size_t log_lines = 4;

// An upstream that is down fails one probe after the other. That the circuit opened is the news.
bool is_news(std::string_view line) { return line.find(name(Rule::probe_failure)) == std::string_view::npos; }

class Demo {
 public:
  Demo(DemoOptions const& options, std::ostream& out)
      : options_(options),
        out_(out),
        rng_(fresh_seed()),
        log_(std::make_shared<observe::OperationalLog>(LogSettings{},
                                                       [this](std::string_view line) {
                                                         if (is_news(line)) tail_.add(line);
                                                       })),
        upstream_(rng_.next()),
        sidecar_(demo_configuration(upstream_.addresses()), log_, rng_.next()) {
    sidecar_.start();
  }

  bool run() {
    began_ = monotonic_now();
    readings_.push_back(read(sidecar_));
    turn_began_ = moment_began_ = readings_.back();
    callers_.emplace(*sidecar_.address(0), options_.callers, rng_.next());
    bool const live = !options_.plain && Screen::is_one(out_);
    if (live) {
      Screen screen{out_};
      watch([this, &screen] { screen.draw(page(view())); });
    } else {
      introduce();
      watch([this, next = began_ + plain_line]() mutable {
        if (readings_.back().at < next) return;
        next += plain_line;
        tell_log();
        out_ << one_line(view()) << '\n' << std::flush;
      });
    }
    auto const summary = conclude();
    if (!live) tell_log();
    return report(summary);
  }

 private:
  template <class Show>
  void watch(Show show) {
    for (;;) {
      auto const turn = timetable_.at(readings_.back().at - began_);
      if (signals_.wait_for(std::min(frame, turn.left)) == Signals::Event::stop) return;
      take();
      if (options_.once && is_over()) return;
      show();
    }
  }

  /// Reads the account, and turns the upstream to what the timetable says.
  void take() {
    readings_.push_back(read(sidecar_));
    auto const& now = readings_.back();
    while (readings_.size() > 2 && now.at - readings_.front().at > of_late) readings_.pop_front();
    if (now.at - moment_began_.at >= moment) {
      auto const since = rates(moment_began_, now);
      moments_.push_back({behaviour_, now.health.state, since.requests, since.attempts});
      if (moments_.size() > moments_kept) moments_.pop_front();
      moment_began_ = now;
    }
    auto const turn = timetable_.at(now.at - began_);
    if (turn.number == turn_number_ || pass_is_over()) return;
    end_turn();
    turn_number_ = turn.number;
    behaviour_ = turn.behaviour;
    upstream_.behave(behaviour_);
  }

  void end_turn() {
    turns_.push_back({behaviour_, turn_began_, readings_.back()});
    if (turns_.size() > Timetable::turns.size()) turns_.pop_front();
    turn_began_ = readings_.back();
  }

  [[nodiscard]] Duration elapsed() const { return readings_.back().at - began_; }

  /// Of --once: then the upstream stays well, until the circuit has closed, and stayed so for as long as an
  /// attempt of before may take to end.
  [[nodiscard]] bool pass_is_over() const { return options_.once && elapsed() >= timetable_.pass(); }
  [[nodiscard]] bool is_over() const {
    if (!pass_is_over()) return false;
    if (elapsed() >= timetable_.pass() + recovery) return true;
    auto const& upstream = *sidecar_.upstreams().front();
    auto const& now = readings_.back();
    return now.health.state == CircuitState::closed &&
           now.at - closed_or_left_closed(upstream).value_or(began_) >= upstream.settings.timeouts.attempt;
  }

  [[nodiscard]] View view() const {
    auto const& now = readings_.back();
    auto const& before = readings_.front();
    auto const& upstream = *sidecar_.upstreams().front();
    auto const addresses = upstream_.addresses();
    View out{.proxy = *sidecar_.address(0),
             .admin = *sidecar_.admin_address(),
             .endpoints = {addresses.begin(), addresses.end()},
             .seen = upstream_.attempts(),
             .elapsed = elapsed(),
             .turn = timetable_.at(elapsed()),
             .reading = now,
             .rates = rates(before, now),
             .p50 = quantile(before, now, 0.5),
             .p99 = quantile(before, now, 0.99),
             .steady = now.at - closed_or_left_closed(upstream).value_or(began_),
             .opening = last_opening(upstream, now.at),
             .moments = {moments_.begin(), moments_.end()},
             .moment = moment,
             .said = tail_.last(log_lines)};
    out.turn.behaviour = behaviour_;
    return out;
  }

  void introduce() {
    out_ << "Candor demo: " << options_.callers << " callers > Candor " << *sidecar_.address(0)
         << " > an upstream that misbehaves. In a browser: http://" << *sidecar_.admin_address() << "/\n"
         << std::flush;
  }

  void tell_log() {
    for (auto const& line : tail_.fresh()) out_ << "        " << line << '\n';
  }

  /// Ends all of it in order, so that the books can be closed.
  Summary conclude() {
    Summary summary;
    summary.whole_pass = elapsed() >= timetable_.pass();
    summary.recovered = options_.once;
    upstream_.behave(Behaviour::well);
    callers_->finish();
    sidecar_.drain([this] { signals_.notify(); });
    await_drained();
    sidecar_.stop();
    readings_.push_back(read(sidecar_));
    end_turn();
    summary.turns = {turns_.begin(), turns_.end()};
    summary.reading = readings_.back();
    summary.callers = callers_->tally();
    auto const seen = upstream_.attempts();
    summary.seen_by_upstream = seen[0] + seen[1];
    return summary;
  }

  void await_drained() {
    auto const deadline = monotonic_now() + drain_time;
    for (;;) {
      auto const left = deadline - monotonic_now();
      if (left <= Duration{} || signals_.wait_for(left) == Signals::Event::notified) return;
    }
  }

  bool report(Summary const& summary) {
    out_ << '\n' << summary_text(summary);
    if (options_.once && !summary.whole_pass) {
      out_ << "  NOT HELD  the demo was ended before its pass was over\n";
      return false;
    }
    bool const held = all_held(checks(summary));
    out_ << (held ? "\nAll of it held.\n" : "\nNot all of it held.\n");
    return held;
  }

  DemoOptions const options_;
  std::ostream& out_;
  Timetable const timetable_{options_.each_turn};
  Signals signals_;  // before anything that starts a thread
  Rng rng_;
  LogTail tail_{100};
  std::shared_ptr<observe::OperationalLog> log_;
  UnrulyUpstream upstream_;
  Sidecar sidecar_;
  std::optional<DemoCallers> callers_;

  Instant began_{};
  std::deque<Reading> readings_;  // of late
  Reading moment_began_{};
  std::deque<Moment> moments_;
  std::size_t turn_number_ = 0;
  Behaviour behaviour_ = Behaviour::well;
  Reading turn_began_{};
  std::deque<TurnReport> turns_;  // of the last pass
};

}  // namespace

bool run_demo(DemoOptions const& options, std::ostream& out) { return Demo{options, out}.run(); }

}  // namespace candor::app
