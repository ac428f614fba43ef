#include "candor/observe/deciding.hpp"

#include <algorithm>

#include "candor/resilience/health.hpp"

namespace candor::observe {

namespace {

bool failed(AttemptNote const& note) { return note.outcome.is_failure(); }
bool is_slow(AttemptNote const& note) { return note.slow; }
bool failed_or_slow(AttemptNote const& note) { return failed(note) || is_slow(note); }
bool went_well(AttemptNote const& note) { return note.outcome.is_success() && !note.slow; }

/// What extends a run: a busy upstream speaks, so that its overload does not.
bool broke(AttemptNote const& note) {
  return failed(note) && note.outcome.failure() != FailureKind::overload;
}

bool same_attempt(AttemptNote const& a, AttemptNote const& b) {
  return a.request == b.request && a.number == b.number && a.started == b.started;
}

}  // namespace

AttemptNote* find_mark(std::vector<AttemptNote>& notes, AttemptNote const& settled) {
  auto const mark = std::find_if(notes.begin(), notes.end(), [&settled](AttemptNote const& note) {
    return note.in_flight && same_attempt(note, settled);
  });
  return mark == notes.end() ? nullptr : &*mark;
}

namespace {

bool replace_mark(std::vector<AttemptNote>& notes, AttemptNote const& settled) {
  auto* mark = find_mark(notes, settled);
  if (mark) *mark = settled;
  return mark != nullptr;
}

std::vector<AttemptNote> each_once(std::vector<AttemptNote> const& notes) {
  std::vector<AttemptNote> once;
  for (auto const& note : notes) {
    if (!note.slow || !replace_mark(once, note)) once.push_back(note);
  }
  return once;
}

/// The run that stands at the end, as the health model counts (see FailureRun): what no success on a first
/// attempt has ended. Where marks count, an attempt is in it from its mark on.
std::vector<AttemptNote> run_at_the_end(std::vector<AttemptNote> const& notes, bool marks_count) {
  std::vector<AttemptNote> run;
  std::size_t length = 0;
  for (auto const& note : notes) {
    bool const counted_before = marks_count && note.slow && !note.in_flight;
    if (counted_before) {
      replace_mark(run, note);
    } else if (broke(note) || (marks_count && note.in_flight)) {
      ++length;
      run.push_back(note);
    } else if (went_well(note)) {
      length = note.number == 1 || length <= 1 ? 0 : length - 1;
      if (length == 0) run.clear();
    }
  }
  return run;
}

Deciding divide(std::vector<AttemptNote> const& notes, bool (*bad)(AttemptNote const&)) {
  Deciding result;
  for (auto const& note : each_once(notes)) {
    if (bad(note)) {
      result.bad.push_back(note);
    } else if (went_well(note)) {
      result.good.push_back(note);
    }
  }
  return result;
}

/// Of those with a vote, what settled while the window had it.
Deciding in_window(TransitionRecord const& record, Duration window, bool (*bad)(AttemptNote const&)) {
  auto notes = with_a_vote(record);
  std::erase_if(notes, [oldest = record.transition.at - window](AttemptNote const& note) {
    return note.settled <= oldest;
  });
  auto result = divide(notes, bad);
  result.cut = record.attempts.size() >= Health::kept_attempts && notes.size() == record.attempts.size();
  return result;
}

Deciding in_run(TransitionRecord const& record, bool marks_count) {
  auto const notes = with_a_vote(record);
  Deciding result{.bad = run_at_the_end(notes, marks_count)};
  auto const begin = result.bad.empty() ? record.transition.at : result.bad.front().settled;
  for (auto const& note : notes) {
    if (went_well(note) && note.settled >= begin) result.good.push_back(note);
  }
  return result;
}

/// The last that settled: what it showed decided.
Deciding probe(TransitionRecord const& record) {
  auto const notes = with_a_vote(record);
  return notes.empty() ? Deciding{} : told_apart({notes.back()});
}

}  // namespace

std::vector<AttemptNote> with_a_vote(TransitionRecord const& record) {
  auto notes = record.attempts;
  std::erase_if(notes, [&record](AttemptNote const& note) {
    auto const& endpoint = record.transition.endpoint;
    return (record.since && note.started < *record.since) || (endpoint && note.endpoint != *endpoint);
  });
  return notes;
}

Deciding told_apart(std::vector<AttemptNote> const& notes) { return divide(notes, failed_or_slow); }

Deciding deciding(TransitionRecord const& record, BreakerSettings const& rules) {
  switch (record.transition.why.rule) {
    case Rule::evidence_run: return in_run(record, true);
    case Rule::consecutive_failures: return in_run(record, false);
    case Rule::slow_rate: return in_window(record, rules.window, is_slow);
    case Rule::failure_rate:
    case Rule::strain_rate: return in_window(record, rules.window, failed);
    case Rule::probe_success:
    case Rule::probe_failure: return probe(record);
    case Rule::evidence_ratio:
    case Rule::window_elapsed:
    case Rule::ramp_complete:
    case Rule::check_success:
    case Rule::check_failure:
    case Rule::held_open:
    case Rule::held_closed:
    case Rule::given_back:
    case Rule::too_few_left:
    case Rule::all_replaced: return in_window(record, rules.window, failed_or_slow);
  }
  return {};
}

std::string showed(AttemptNote const& note) {
  if (note.in_flight) return "slow, no answer yet";
  auto status = std::to_string(note.status);
  switch (note.outcome.kind()) {
    case Outcome::Kind::success: return note.slow ? "slow, then " + status : status;
    case Outcome::Kind::excluded: return "no verdict";
    case Outcome::Kind::abandoned: return note.slow ? "slow, then given up" : "no verdict";
    case Outcome::Kind::failure: break;
  }
  switch (note.outcome.failure()) {
    case FailureKind::connect: return "no connection";
    case FailureKind::dns: return "no address for its name";
    case FailureKind::tls: return "TLS handshake failed";
    case FailureKind::timeout: return "timed out";
    case FailureKind::reset: return "connection broke";
    case FailureKind::truncated: return "answer cut short";
    case FailureKind::protocol: return "no valid answer";
    case FailureKind::status: return status;
    case FailureKind::overload: return status + ", overload";
  }
  return {};
}

}  // namespace candor::observe
