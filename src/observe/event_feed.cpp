#include "candor/observe/event_feed.hpp"

#include <algorithm>
#include <utility>

#include "candor/observe/deciding.hpp"
#include "candor/observe/text.hpp"
#include "candor/observe/words.hpp"
#include "json_members.hpp"

namespace candor::observe {

namespace {

std::string address_of(Upstream const& upstream, EndpointId endpoint) {
  return upstream.endpoints.address(endpoint);
}

/// The beginning of every event's members.
std::string members_of(Event const& event, WallTime at) {
  std::string out = "\"at\":\"";
  append_time(out, at);
  out += '"';
  append_member(out, "kind", name(event.kind));
  if (!event.upstream.empty()) append_member(out, "upstream", event.upstream);
  append_member(out, "text", event.text);
  return out;
}

void append_attempt(std::string& out, AttemptNote const& note, Upstream const& upstream) {
  out += "{\"request_id\":";
  append_request_id(out, note.request);
  append_member(out, "n", note.number);
  append_member(out, "route", note.route.view());
  append_member(out, "endpoint", address_of(upstream, note.endpoint));
  append_member(out, "outcome", note.in_flight ? "open" : name(note.outcome.kind()));
  if (!note.in_flight && note.outcome.is_failure()) append_member(out, "kind", name(note.outcome.failure()));
  append_status(out, note.status);
  append_key(out, "duration_ms");
  append_milliseconds(out, note.settled - note.started);
  append_key(out, "slow");
  out += note.slow ? "true}" : "false}";
}

void append_transition(std::string& out, Route const& account, Transition const& transition) {
  auto const& upstream = account.upstream;
  auto const& why = transition.why;
  if (!account.account_name().empty()) append_member(out, "route", account.account_name());
  if (transition.endpoint) append_member(out, "endpoint", address_of(upstream, *transition.endpoint));
  append_member(out, "from", name(transition.from));
  append_member(out, "to", name(transition.to));
  append_member(out, "rule", name(why.rule));
  append_member(out, "generation", transition.generation);
  append_real(out, "value", why.value);
  append_real(out, "threshold", why.threshold);
  append_member(out, "window_attempts", why.window.attempts());
  append_member(out, "window_failed", why.window.failed);
  append_member(out, "window_slow", why.window.marked);
  append_member(out, "run", why.run);
}

/// The attempts on which it was decided, newest first, as far as one event tells of them.
void append_deciding(std::string& out, Route const& account, Transition const& transition) {
  append_key(out, "attempts");
  out += '[';
  if (auto const record = account.health.record_of(transition)) {
    auto const found = deciding(*record, account.settings.breaker);
    auto const& notes = transition.why.rule == Rule::probe_success ? found.good : found.bad;
    auto left = EventFeed::most_attempts;
    for (auto note = notes.rbegin(); note != notes.rend() && left > 0; ++note, --left) {
      if (note != notes.rbegin()) out += ',';
      append_attempt(out, *note, account.upstream);
    }
  }
  out += ']';
}

}  // namespace

void EventFeed::watch(std::shared_ptr<EventFeed> const& feed, Upstream& upstream) {
  upstream.each_account([&feed](Route& account) {
    account.health.listen(
        [feed, &account](Transition const& transition) { feed->transition(account, transition); });
    account.health.listen_to_shadow(
        [feed, &account](Transition const& transition) { feed->shadow(account, transition); });
  });
}

void EventFeed::transition(Route const& account, Transition const& transition) {
  Event event{.kind = Event::Kind::transition,
              .upstream = account.upstream.name(),
              .text = transition_line(account, transition)};
  event.members = members_of(event, wall_()(transition.at));
  append_transition(event.members, account, transition);
  append_deciding(event.members, account, transition);
  tell(transition_level(transition), std::move(event));
}

/// Never louder than information: nothing has happened.
void EventFeed::shadow(Route const& account, Transition const& transition) {
  Event event{.kind = Event::Kind::shadow,
              .upstream = account.upstream.name(),
              .text = shadow_line(account, transition)};
  event.members = members_of(event, wall_()(transition.at));
  append_transition(event.members, account, transition);
  tell(std::min(transition_level(transition), Level::info), std::move(event));
}

void EventFeed::check_changed(Upstream const& upstream, EndpointId endpoint, CheckReport const& report) {
  bool const ill = report.standing == Standing::ill;
  auto const& address = address_of(upstream, endpoint);
  Event event{.kind = Event::Kind::check, .upstream = upstream.name()};
  event.text = upstream.name() + ", endpoint " + address + ": found " + (ill ? "ill" : "well again") +
               " by checks, " + std::to_string(report.in_a_row) + (ill ? " bad" : " good") + " in a row";
  event.members = members_of(event, wall_()(report.at));
  append_member(event.members, "endpoint", address);
  append_member(event.members, "standing", name(report.standing));
  append_member(event.members, "in_a_row", report.in_a_row);
  append_member(event.members, "needed", report.needed);
  tell(ill ? Level::warn : Level::info, std::move(event));
}

void EventFeed::order(Upstream const& upstream, std::string const& what, Instant now) {
  Event event{.kind = Event::Kind::order, .upstream = upstream.name(), .text = upstream.name() + ": " + what};
  event.members = members_of(event, wall_()(now));
  tell(Level::info, std::move(event));
}

void EventFeed::note(Level level, std::string const& what, Instant now) {
  Event event{.kind = Event::Kind::note, .text = what};
  event.members = members_of(event, wall_()(now));
  tell(level, std::move(event));
}

void EventFeed::tell(Level level, Event event) {
  log_->say(level, event.text);
  ring_->add(std::move(event));
}

namespace {

/// "10,000 requests refused within 1s (circuit_open)"
std::string sum_in_words(EventFeed::Tally const& what) {
  auto const text = [&what](std::string_view noun, std::string_view fate) {
    auto out = counted(what.count, noun).append(fate).append(" within ");
    out += in_words(what.until - what.since);
    if (!what.reason.empty()) out.append(" (").append(what.reason).append(")");
    return out;
  };
  switch (what.kind) {
    case Event::Kind::refused: return text("request", " refused");
    case Event::Kind::retry_denied: return text("failed attempt", " not retried");
    case Event::Kind::late_break:
      return text("streamed answer", " broke off after the attempt had settled as a success,");
    case Event::Kind::transition:
    case Event::Kind::shadow:
    case Event::Kind::check:
    case Event::Kind::order:
    case Event::Kind::note: break;
  }
  return {};  // those are no sums
}

}  // namespace

std::uint64_t EventFeed::tally(Upstream const& upstream, Tally const& what) {
  Event event{.kind = what.kind, .upstream = upstream.name(), .text = upstream.name()};
  if (what.endpoint) event.text += ", endpoint " + address_of(upstream, *what.endpoint);
  event.text += ": " + sum_in_words(what);
  event.members = members_of(event, wall_()(what.until));
  if (what.endpoint) append_member(event.members, "endpoint", address_of(upstream, *what.endpoint));
  if (!what.reason.empty()) append_member(event.members, "reason", what.reason);
  append_member(event.members, "count", what.count);
  append_key(event.members, "since");
  event.members += '"';
  append_time(event.members, wall_()(what.since));
  event.members += '"';
  // Where the circuit explains it, its transition is the news, and the log is for news.
  auto const level = what.kind == Event::Kind::late_break ? Level::warn : Level::debug;
  if (what.logged) log_->say(level, event.text);
  return ring_->add(std::move(event), what.instead_of);
}

}  // namespace candor::observe
