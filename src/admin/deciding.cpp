#include "deciding.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "candor/observe/text.hpp"
#include "candor/observe/words.hpp"

namespace candor::admin {

namespace {

bool failed(AttemptNote const& note) { return note.outcome.is_failure(); }
bool went_well(AttemptNote const& note) { return note.outcome.is_success() && !note.slow; }

/// What extends a run: a busy upstream speaks, so that its overload does not.
bool broke(AttemptNote const& note) {
  return failed(note) && note.outcome.failure() != FailureKind::overload;
}

bool same_attempt(AttemptNote const& a, AttemptNote const& b) {
  return a.request == b.request && a.number == b.number && a.started == b.started;
}

/// An attempt that was marked slow and settled later is noted twice; the later note says more.
AttemptNote* find_mark(std::vector<AttemptNote>& notes, AttemptNote const& settled) {
  auto const mark = std::find_if(notes.begin(), notes.end(), [&settled](AttemptNote const& note) {
    return note.in_flight && same_attempt(note, settled);
  });
  return mark == notes.end() ? nullptr : &*mark;
}

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

/// The notes with a vote on an opening: admitted since the transition before it, settled within `span`.
std::vector<AttemptNote> voters(Account const& account, TransitionRecord const& opening,
                                std::optional<Duration> span) {
  auto const* before = account.before(opening);
  std::vector<AttemptNote> notes;
  for (auto const& note : opening.attempts) {
    if (before && note.started < before->transition.at) continue;
    if (span && note.settled <= opening.transition.at - *span) continue;
    notes.push_back(note);
  }
  return notes;
}

template <class Bad>
Deciding divide(std::vector<AttemptNote> const& notes, Bad bad) {
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

Deciding as_counted(Account const& account, TransitionRecord const& opening) {
  auto const& why = opening.transition.why;
  auto const in_window = voters(account, opening, account.breaker.window);
  bool const all_kept =
      opening.attempts.size() < Health::kept_attempts || in_window.size() < opening.attempts.size();
  auto const counted = [&](auto bad) {
    auto result = divide(in_window, bad);
    result.cut = !all_kept;
    return result;
  };
  switch (why.rule) {
    case Rule::evidence_run:
    case Rule::consecutive_failures: {
      Deciding result;
      result.bad = run_at_the_end(voters(account, opening, {}), why.rule == Rule::evidence_run);
      auto const begin = result.bad.empty() ? opening.transition.at : result.bad.front().settled;
      for (auto const& note : opening.attempts) {
        if (went_well(note) && note.settled >= begin) result.good.push_back(note);
      }
      return result;
    }
    case Rule::slow_rate: return counted([](AttemptNote const& note) { return note.slow; });
    case Rule::failure_rate:
    case Rule::strain_rate: return counted(failed);
    case Rule::evidence_ratio:
    case Rule::window_elapsed:
    case Rule::probe_success:
    case Rule::probe_failure:
    case Rule::ramp_complete:
    case Rule::check_success:
    case Rule::check_failure:
    case Rule::held_open:
    case Rule::held_closed:
    case Rule::given_back:
    case Rule::too_few_left:
      return counted([](AttemptNote const& note) { return failed(note) || note.slow; });
  }
  return {};
}

}  // namespace

Deciding deciding(Account const& account, TransitionRecord const& opening) {
  auto result = as_counted(account, opening);
  // What was still in flight may have come to its end since; what it counted for is the moment of its mark.
  for (auto const& note : account.recent) {
    auto* mark = note.slow && !note.in_flight ? find_mark(result.bad, note) : nullptr;
    if (!mark) continue;
    auto const marked_at = mark->settled;
    *mark = note;
    mark->settled = marked_at;
  }
  return result;
}

Deciding recently_bad(Account const& account) {
  auto notes = account.recent;
  if (auto const* latest = account.latest()) {
    std::erase_if(notes, [&](AttemptNote const& note) { return note.started < latest->transition.at; });
  }
  return divide(notes, [](AttemptNote const& note) { return failed(note) || note.slow; });
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

std::vector<Group> grouped_by_route(std::vector<AttemptNote> const& notes) {
  std::map<std::pair<std::string, std::string>, std::size_t> counts;
  for (auto const& note : notes) ++counts[{route_of(note), showed(note)}];
  std::vector<Group> groups;
  groups.reserve(counts.size());
  for (auto const& [what, count] : counts) groups.push_back({what.first, what.second, count});
  std::stable_sort(groups.begin(), groups.end(),
                   [](Group const& a, Group const& b) { return a.count > b.count; });
  return groups;
}

std::size_t requests_of(std::vector<AttemptNote> const& notes) {
  std::set<RequestId> requests;
  for (auto const& note : notes) requests.insert(note.request);
  return requests.size();
}

Duration span_of(std::vector<AttemptNote> notes, std::vector<AttemptNote> const& others) {
  notes.insert(notes.end(), others.begin(), others.end());
  if (notes.empty()) return {};
  auto const [first, last] =
      std::minmax_element(notes.begin(), notes.end(),
                          [](AttemptNote const& a, AttemptNote const& b) { return a.settled < b.settled; });
  return last->settled - first->settled;
}

}  // namespace candor::admin
