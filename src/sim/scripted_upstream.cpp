#include "candor/sim/scripted_upstream.hpp"

#include <algorithm>
#include <stdexcept>

#include "scripted_answer.hpp"

namespace candor::sim {

namespace {

constexpr Duration for_ever = 24h * 365;

/// What an attempt meets: after a wait, a failure or an answer.
struct Cue {
  PreparedAct const* act;
  Duration wait;
  std::optional<Failure> failure{};  ///< absent: the act's answer
  bool connected = true;             ///< bytes of the request leave
  Instant breaks_at = Instant::max();
};

/// The phases of an endpoint or of one of its routes, as time passes through them.
class Course {
 public:
  explicit Course(std::vector<Phase> const& phases) {
    if (phases.empty() || phases.front().from > Duration{}) {
      throw std::invalid_argument("a script begins with a phase from zero on");
    }
    for (auto const& phase : phases) {
      if (phase.acts.empty()) throw std::invalid_argument("a phase has at least one act");
      phases_.push_back(std::make_unique<Prepared>(phase));
    }
  }

  PreparedAct const& act(Instant now, Rng& rng) {
    while (current_ + 1 < phases_.size() && phases_[current_ + 1]->from <= now) ++current_;
    return phases_[current_]->next(rng);
  }

  /// When what is in flight now will be broken off.
  [[nodiscard]] Instant breaks_at() const {
    for (auto i = current_ + 1; i < phases_.size(); ++i) {
      if (phases_[i]->breaks) return phases_[i]->from;
    }
    return Instant::max();
  }

 private:
  struct Prepared {
    explicit Prepared(Phase const& phase)
        : from(Instant{} + phase.from), breaks(phase.breaks), in_turn(phase.order == Phase::Order::in_turn) {
      for (auto const& choice : phase.acts) {
        acts.push_back(std::make_unique<PreparedAct>(choice.act));
        total += choice.share;
        up_to.push_back(total);
      }
    }

    PreparedAct const& next(Rng& rng) {
      if (in_turn) return *acts[turn++ % acts.size()];
      if (acts.size() == 1) return *acts.front();
      auto const drawn = std::upper_bound(up_to.begin(), up_to.end(), rng.unit() * total) - up_to.begin();
      return *acts[std::min(static_cast<std::size_t>(drawn), acts.size() - 1)];
    }

    Instant from;
    bool breaks;
    bool in_turn;
    std::vector<std::unique_ptr<PreparedAct>> acts;
    std::vector<double> up_to;  // sums of shares
    double total = 0;
    std::size_t turn = 0;
  };

  std::vector<std::unique_ptr<Prepared>> phases_;
  std::size_t current_ = 0;
};

}  // namespace

class ScriptedUpstream::Endpoint {
 public:
  explicit Endpoint(EndpointScript const& script) : usual_(script.phases), capacity_(script.capacity) {
    for (auto const& route : script.routes) routes_.emplace_back(route.path, Course{route.phases});
    if (capacity_) excess_ = std::make_unique<PreparedAct>(capacity_->excess);
  }

  Cue receive(Exchange const& exchange, Attempt const& attempt, Rng& rng) {
    auto const now = exchange.now();
    ++tally.attempts;
    auto& course = course_of(exchange.head.path());
    auto const& prepared = course.act(now, rng);
    if (prepared.act.stale && !attempt.fresh_connection) {
      return {.act = &prepared, .wait = {}, .failure = Failure{StaleConnection{}}};
    }
    Cue cue = cue_of(prepared, exchange.route.settings.timeouts, rng);
    if (cue.connected && capacity_) queue(cue, now, rng);
    cue.breaks_at = course.breaks_at();
    if (cue.breaks_at <= now + cue.wait && cue.connected) {
      cue.wait = cue.breaks_at - now;
      cue.failure = FailureKind::reset;
    }
    return cue;
  }

  /// Whether it would take a connection, and how long it takes to say so.
  struct Dialled {
    bool taken;
    Duration wait;
  };
  Dialled dial(Instant now, Rng& rng) {
    ++tally.checks;
    auto const& act = usual_.act(now, rng).act;
    switch (act.kind) {
      case Act::Kind::refuse: return {false, act.latency.draw(rng)};
      case Act::Kind::ignore: return {false, TimeoutSettings{}.connect};
      case Act::Kind::answer:
      case Act::Kind::hang:
      case Act::Kind::reset: return {true, {}};
    }
    return {true, {}};
  }

  /// The same of a check.
  Dialled check(CheckSettings const& settings, Instant now, Rng& rng) {
    ++tally.checks;
    auto const& act = (settings.path ? course_of(*settings.path) : usual_).act(now, rng).act;
    auto const timeout = settings.pace.timeout;
    switch (act.kind) {
      case Act::Kind::refuse: return {false, act.latency.draw(rng)};
      case Act::Kind::ignore: return {false, timeout};
      case Act::Kind::answer:
      case Act::Kind::hang:
      case Act::Kind::reset: break;
    }
    if (!settings.path) return {true, {}};
    bool const is_good =
        act.kind == Act::Kind::answer &&
        std::any_of(settings.statuses.begin(), settings.statuses.end(), [&act](auto const& range) {
          return range.first <= act.status && act.status <= range.last;
        });
    auto const wait = act.kind == Act::Kind::hang ? timeout : act.latency.draw(rng);
    return {is_good && wait < timeout, std::min(wait, timeout)};
  }

  EndpointTally tally;

 private:
  static Cue cue_of(PreparedAct const& prepared, TimeoutSettings const& timeouts, Rng& rng) {
    auto const& act = prepared.act;
    switch (act.kind) {
      case Act::Kind::answer: return {.act = &prepared, .wait = act.latency.draw(rng)};
      case Act::Kind::refuse:
        return {.act = &prepared,
                .wait = act.latency.draw(rng),
                .failure = FailureKind::connect,
                .connected = false};
      case Act::Kind::ignore:
        return {.act = &prepared,
                .wait = timeouts.connect,
                .failure = Failure{CancelReason::connect_timeout},
                .connected = false};
      case Act::Kind::hang: return {.act = &prepared, .wait = for_ever, .failure = FailureKind::reset};
      case Act::Kind::reset:
        return {.act = &prepared, .wait = act.latency.draw(rng), .failure = FailureKind::reset};
    }
    return {.act = &prepared, .wait = {}};
  }

  Course& course_of(std::string_view path) {
    for (auto& [of, course] : routes_) {
      if (of == path) return course;
    }
    return usual_;
  }

  /// One attempt after the other: each takes its share of a second, and what waits does so even if its sender
  /// has long given up.
  void queue(Cue& cue, Instant now, Rng& rng) {
    auto const ahead = std::max(free_at_ - now, Duration{});
    if (ahead > capacity_->queue) {
      ++tally.over_capacity;
      cue = cue_of(*excess_, {}, rng);
      return;
    }
    free_at_ = now + ahead + from_seconds(1 / capacity_->per_second);
    cue.wait += ahead;
  }

  Course usual_;
  std::vector<std::pair<std::string, Course>> routes_;
  std::optional<Capacity> capacity_;
  std::unique_ptr<PreparedAct> excess_;
  Instant free_at_{};
};

ScriptedUpstream::ScriptedUpstream(std::vector<EndpointScript> const& script, Scheduler& scheduler, Rng rng,
                                   EventLog& log, Duration slice)
    : scheduler_(scheduler), rng_(rng), log_(log), slices_(slice) {
  for (auto const& endpoint : script) endpoints_.push_back(std::make_unique<Endpoint>(endpoint));
}

ScriptedUpstream::~ScriptedUpstream() = default;

ScriptedUpstream::Endpoint& ScriptedUpstream::at(EndpointId id) {
  auto const placed = placed_.find(id);
  return *endpoints_[placed == placed_.end() ? id.value : placed->second];
}

EndpointTally const& ScriptedUpstream::tally(std::size_t endpoint) const {
  return endpoints_[endpoint]->tally;
}

namespace {

/// Takes in the request's body; what broke it off, if something did.
Task<std::optional<Failure>> take_body(http::ReplayBody& body, CancelScope& scope) {
  for (;;) {
    auto piece = body.try_next();
    if (!piece) {
      auto const waited_for = co_await body.next(scope);
      piece.emplace(waited_for);
    }
    if (!*piece) co_return piece->error();
    bool const last = (*piece)->last;
    body.sent();
    if (last) co_return std::nullopt;
  }
}

}  // namespace

Task<Result<ResponseHandle>> ScriptedUpstream::send(Exchange& exchange, Attempt& attempt, Permit& permit) {
  auto& scheduler = exchange.worker.scheduler;
  auto& endpoint = at(attempt.endpoint);
  slices_.count(scheduler.now());
  if (log_.on()) {
    log_.line(scheduler.now(), " attempt ", exchange.id.value, ".", attempt.number,
              " begins: ", exchange.upstream.name(), "/", attempt.endpoint.value,
              permit.probe() ? ", probe" : "", attempt.fresh_connection ? ", fresh" : "",
              attempt.retry_reason.empty() ? "" : ", after ", attempt.retry_reason);
  }
  Cue const cue = endpoint.receive(exchange, attempt, rng_);

  if (cue.connected) {
    attempt.untouched = false;
    if (!exchange.body.empty()) {
      auto const broke = co_await take_body(exchange.body, attempt.scope);
      if (broke) co_return *broke;
    }
  }
  if (cue.wait > Duration{}) {
    auto const cut_short = co_await scheduler.sleep(cue.wait, attempt.scope);
    if (cut_short) co_return Failure{*cut_short};
  }
  if (cue.failure) co_return *cue.failure;
  ++endpoint.tally.heads;
  co_return ResponseHandle{new ScriptedAnswer{*cue.act, scheduler, exchange.route.settings.timeouts.idle,
                                              cue.breaks_at, endpoint.tally}};
}

Task<std::optional<bool>> ScriptedUpstream::dial(EndpointId id, CancelScope& scope) {
  auto const dialled = at(id).dial(scheduler_.now(), rng_);
  log_.line(scheduler_.now(), " check of endpoint ", id.value, dialled.taken ? ": taken" : ": refused");
  if (dialled.wait > Duration{}) {
    auto const cut_short = co_await scheduler_.sleep(dialled.wait, scope);
    if (cut_short) co_return std::nullopt;
  }
  co_return dialled.taken;
}

Task<std::optional<bool>> ScriptedUpstream::check(EndpointId id, CheckSettings const& settings,
                                                  CancelScope& scope) {
  auto const found = at(id).check(settings, scheduler_.now(), rng_);
  if (found.wait > Duration{}) {
    auto const cut_short = co_await scheduler_.sleep(found.wait, scope);
    if (cut_short) co_return std::nullopt;
  }
  log_.line(scheduler_.now(), " check of endpoint ", id.value, found.taken ? ": good" : ": bad");
  co_return found.taken;
}

}  // namespace candor::sim
