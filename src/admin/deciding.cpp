#include "deciding.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace candor::admin {

Deciding deciding(Account const& account, TransitionRecord const& opening) {
  auto result = observe::deciding(opening, account.breaker);
  // What was still in flight may have come to its end since; what it counted for is the moment of its mark.
  for (auto const& note : account.recent) {
    auto* mark = note.slow && !note.in_flight ? observe::find_mark(result.bad, note) : nullptr;
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
  return observe::told_apart(notes);
}

std::vector<Group> grouped_by_route(std::vector<AttemptNote> const& notes) {
  std::map<std::pair<std::string, std::string>, std::size_t> counts;
  for (auto const& note : notes) ++counts[{route_of(note), observe::showed(note)}];
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
