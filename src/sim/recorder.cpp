#include "recorder.hpp"

namespace candor::sim {

void Recorder::request_started(std::size_t stream, Exchange const& exchange) {
  ++streams_[stream].started;
  started_.count(exchange.started);
  log_.line(exchange.started, " request ", exchange.id.value, " begins: ", exchange.head.method_text, " ",
            exchange.head.target, " to ", exchange.upstream.name());
}

void Recorder::request_done(std::size_t stream, bool good, Exchange const& exchange, RequestEnd const& end) {
  auto& tally = streams_[stream];
  auto const took = end.at - exchange.started;
  switch (end.result) {
    case RequestResult::answered:
      ++(good ? tally.ok : tally.failing);
      if (!good) break;
      tally.ok_took.add(took);
      ok_.count(end.at);
      break;
    case RequestResult::failed: ++tally.failed; break;
    case RequestResult::refused:
      ++tally.refused;
      tally.refused_took.add(took);
      refused_.count(end.at);
      break;
    case RequestResult::broken: ++tally.broken; break;
    case RequestResult::abandoned: ++tally.abandoned; break;
  }
  if (!log_.on()) return;
  log_.line(end.at, " request ", exchange.id.value, " ends: ", name(end.result), " ", end.status, " after ",
            exchange.attempts.size(), exchange.attempts.size() == 1 ? " attempt" : " attempts",
            end.details.empty() ? "" : ", ", end.details, exchange.denied ? ", retry denied: " : "",
            exchange.denied ? name(*exchange.denied) : std::string_view{});
}

void Recorder::circuit_changed(Route const& account, std::size_t sidecar, Transition const& transition) {
  auto& counts = upstreams_[account.upstream.index];
  (transition.endpoint ? counts.ejections : counts.changes).push_back({sidecar, transition, account.place});
  if (!log_.on()) return;
  auto const& why = transition.why;
  log_.line(transition.at, " circuit of ", account.account_title(), "#", sidecar,
            transition.endpoint ? "/" + std::to_string(transition.endpoint->value) : std::string{}, ": ",
            name(transition.from), " to ", name(transition.to), " by ", name(why.rule), ", generation ",
            transition.generation, ", run ", why.run, ", window ", why.window.failed, "/",
            why.window.settled);
}

/// Not a line of the log: what does not happen must leave no trace in what does.
void Recorder::shadow_changed(Route const& account, std::size_t sidecar, Transition const& transition) {
  upstreams_[account.upstream.index].shadows.push_back({sidecar, transition, account.place});
}

void Recorder::attempt_settled(Route const& route, AttemptRecord const& record) {
  ++upstreams_[route.upstream.index].settled;
  if (!log_.on()) return;
  auto const& outcome = *record.outcome;
  log_.line(record.settled, " attempt of ", record.started.time_since_epoch(), " at ", route.upstream.name(),
            "/", record.endpoint.value, " settles: ", name(outcome.kind()), outcome.is_failure() ? " " : "",
            outcome.is_failure() ? name(outcome.failure()) : std::string_view{}, " ", record.status);
}

void Recorder::retry_sent(Route const& route, std::string_view /*reason*/) {
  ++upstreams_[route.upstream.index].retries;
  retries_.count(scheduler_.now());
}

void Recorder::retry_denied(Route const& route, RetryDenied reason) {
  ++upstreams_[route.upstream.index].denied[static_cast<std::size_t>(reason)];
  if (log_.on()) log_.line(scheduler_.now(), " retry at ", route.upstream.name(), " denied: ", name(reason));
}

void Recorder::late_break(Route const& route, AttemptRecord const& record) {
  ++upstreams_[route.upstream.index].late_breaks;
  log_.line(scheduler_.now(), " attempt of ", record.started.time_since_epoch(), " at ",
            route.upstream.name(), "/", record.endpoint.value, " broke off late");
}

namespace {

void add(RequestTally& sum, RequestTally const& part) {
  sum.started += part.started;
  sum.ok += part.ok;
  sum.failing += part.failing;
  sum.failed += part.failed;
  sum.refused += part.refused;
  sum.broken += part.broken;
  sum.abandoned += part.abandoned;
  sum.ok_took.add(part.ok_took);
  sum.refused_took.add(part.refused_took);
}

void fill(Report& report, std::vector<std::uint64_t> const& counts, std::uint64_t Slice::*member) {
  if (report.slices.size() < counts.size()) report.slices.resize(counts.size());
  for (std::size_t i = 0; i < counts.size(); ++i) report.slices[i].*member += counts[i];
}

}  // namespace

void Recorder::tell(Report& report) const {
  report.streams = streams_;
  for (auto const& stream : streams_) add(report.requests, stream);
  for (std::size_t i = 0; i < upstreams_.size(); ++i) {
    auto& tally = report.upstreams[i];
    tally.settled = upstreams_[i].settled;
    tally.retries = upstreams_[i].retries;
    tally.denied = upstreams_[i].denied;
    tally.late_breaks = upstreams_[i].late_breaks;
    tally.changes = upstreams_[i].changes;
    tally.ejections = upstreams_[i].ejections;
    tally.shadows = upstreams_[i].shadows;
  }
  fill(report, started_.counts(), &Slice::requests);
  fill(report, ok_.counts(), &Slice::ok);
  fill(report, refused_.counts(), &Slice::refused);
  fill(report, retries_.counts(), &Slice::retries);
}

}  // namespace candor::sim
