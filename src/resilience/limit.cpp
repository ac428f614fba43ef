#include "candor/resilience/limit.hpp"

#include <algorithm>
#include <cmath>

namespace candor {

namespace {

constexpr double steepest = 0.5;       // what a window's latency may do to the limit, before smoothing
constexpr double smoothing = 0.25;     // of the way: with a window's delay in the loop, no more would swing
constexpr double learning = 0.1;       // of what is usual, from each window
constexpr double few = 0.05;           // of a window's attempts; more that say "too much" are a sign
constexpr double much_of_limit = 0.5;  // in use: the limit presses, and may grow
constexpr double fallen = 0.5;         // of the limit: a reason to measure what is usual

constexpr unsigned least_in_a_lull = 2;
constexpr unsigned least_looked_at = 16;  // attempts, in a lull
constexpr unsigned most_looked_at = 64;
// Latencies, at most: what waits has to drain before, and the last ones take their time.
constexpr double lull_lasts = 8;
constexpr Duration shortest_lull = 1s;
constexpr Duration longest_lull = 10s;

bool says_too_much(Outcome outcome) {
  return outcome == Outcome::failed(FailureKind::timeout) ||
         outcome == Outcome::failed(FailureKind::overload);
}

/// A refusal is quick on the busiest upstream.
bool says_how_long(Outcome outcome) {
  return outcome.is_success() || outcome == Outcome::failed(FailureKind::timeout);
}

}  // namespace

GradientLimit::GradientLimit(AdaptiveLimitSettings const& settings, std::size_t most)
    : least_(static_cast<double>(std::min(settings.least, most))),
      most_(static_cast<double>(most)),
      tolerance_(settings.tolerance),
      limit_(std::clamp(static_cast<double>(settings.first), least_, most_)),
      limit_when_known_(limit_) {}

std::size_t GradientLimit::value() const { return lull_ ? lull_->limit : static_cast<std::size_t>(limit_); }

std::optional<Duration> GradientLimit::usual() const {
  return usual_ ? std::optional{from_seconds(*usual_)} : std::nullopt;
}

void GradientLimit::pass(Instant now) {
  // Nothing came back: nobody knows more than before.
  if (lull_ && now >= lull_->until) end_lull(window_.peak, now);
}

void GradientLimit::admitted(std::size_t in_flight, Instant now) {
  window_.peak = std::max(window_.peak, in_flight);
  if (!lull_) return;
  if (!lull_->calm_since && in_flight <= lull_->limit) lull_->calm_since = now;
  if (!lull_->calm_since || lull_->looked_at >= lull_->to_look_at) return;
  ++lull_->looked_at;
  lull_->last_looked_at = now;
}

void GradientLimit::settled(Outcome outcome, Instant started, Duration latency, std::size_t in_flight,
                            Instant now) {
  bool const timed = says_how_long(outcome);
  bool const too_much = says_too_much(outcome);
  double const took = seconds(std::max(latency, shortest_latency));
  if (lull_) return look(outcome, started, took, in_flight, now);
  if (!timed && !too_much) return;
  if (window_.verdicts == 0) window_.began = now;  // a silence before it is no part of it
  ++window_.verdicts;
  window_.too_much += too_much ? 1 : 0;
  if (timed) {
    ++window_.timed;
    window_.took += took;
  }
  if (window_.verdicts < window_attempts) return;
  // No shorter than what is measured: what the last step did must be seen before the next one.
  auto const mean = window_.timed > 0 ? from_seconds(window_.took / window_.timed) : Duration{};
  if (now - window_.began >= std::max(shortest_window, mean)) close_window(in_flight, now);
}

void GradientLimit::begin_window(std::size_t in_flight, Instant now) {
  window_ = {.began = now, .peak = in_flight};
}

void GradientLimit::know(double latency) {
  usual_ = latency;
  slow_for_ = Duration{};
  limit_when_known_ = limit_;
}

void GradientLimit::close_window(std::size_t in_flight, Instant now) {
  double const too_much = static_cast<double>(window_.too_much) / window_.verdicts;
  bool const pressed = static_cast<double>(window_.peak) >= much_of_limit * limit_;
  double gradient = 1;
  double latency = 0;
  if (window_.timed > 0) {
    latency = window_.took / window_.timed;
    if (!usual_) usual_ = latency;
    gradient = std::clamp(tolerance_ * *usual_ / latency, steepest, 1 / steepest);
    if (!pressed && too_much < few) know(*usual_ + learning * (latency - *usual_));
  }
  move(gradient, too_much, pressed);
  // Where they time out there is no usual latency to be found.
  bool const slow = pressed && gradient < 1 && too_much < few;
  if (slow && slow_for_) *slow_for_ += now - window_.began;
  bool const for_long = !slow_for_ || *slow_for_ >= remeasure;
  bool const has_fallen = limit_ < limit_when_known_ && limit_ <= fallen * limit_when_known_;
  if (slow && (for_long || has_fallen)) begin_lull(latency, in_flight, now);
  begin_window(in_flight, now);
}

void GradientLimit::move(double gradient, double too_much, bool pressed) {
  double target = limit_;
  if (too_much >= few) {
    target = limit_ * std::max(steepest, std::min(gradient, 1 - too_much));
  } else if (pressed) {
    target = limit_ * gradient + std::sqrt(limit_);
  }
  double const used = static_cast<double>(window_.peak) / much_of_limit;
  if (target > limit_) target = std::max(limit_, std::min(target, used));
  if (gradient < 1 || too_much >= few) starting_ = false;
  double const weight = starting_ ? 1 : smoothing;
  limit_ = std::clamp(limit_ + weight * (target - limit_), least_, most_);
}

/// By Little's law so many would be in flight if none waited; half of that leaves the upstream idle at times.
void GradientLimit::begin_lull(double latency, std::size_t in_flight, Instant now) {
  double const working = static_cast<double>(window_.peak) * std::min(1.0, *usual_ / latency);
  auto const lowered = std::max(least_in_a_lull, static_cast<unsigned>(working / 2));
  auto const looks = std::clamp(lowered, least_looked_at, most_looked_at);
  double const rounds = lull_lasts + 2.0 * looks / lowered;
  auto const at_most = std::clamp(from_seconds(rounds * latency), shortest_lull, longest_lull);
  lull_ = Lull{.limit = std::min<std::size_t>(lowered, static_cast<std::size_t>(limit_)),
               .until = now + at_most,
               .to_look_at = looks};
  if (in_flight <= lull_->limit) lull_->calm_since = now;
}

/// It waits for each of the first ones: those that are back by some time are the quick ones.
void GradientLimit::look(Outcome outcome, Instant started, double took, std::size_t in_flight, Instant now) {
  auto& lull = *lull_;
  if (lull.calm_since && started >= *lull.calm_since && started <= lull.last_looked_at) {
    ++lull.ended;
    if (outcome.is_success()) {
      ++lull.timed;
      lull.took += took;
    }
  }
  if (!lull.calm_since && in_flight <= lull.limit) lull.calm_since = now;
  if (lull.ended >= lull.to_look_at || now >= lull.until) end_lull(in_flight, now);
}

void GradientLimit::end_lull(std::size_t in_flight, Instant now) {
  bool const enough = 2 * lull_->timed >= lull_->to_look_at;
  know(enough ? lull_->took / lull_->timed : *usual_);
  lull_.reset();
  begin_window(in_flight, now);
}

AttemptLimit::AttemptLimit(AttemptLimitSettings const& settings) : attempts_(settings.attempts) {
  if (settings.adaptive) gradient_.emplace(*settings.adaptive, settings.attempts);
}

}  // namespace candor
