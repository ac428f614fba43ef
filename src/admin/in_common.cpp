// What bad attempts have in common: the route, the endpoint, the kind of failure.
#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <set>

#include "candor/observe/text.hpp"
#include "candor/observe/words.hpp"
#include "deciding.hpp"

namespace candor::admin {

namespace {

using observe::counted;
using observe::grouped;

constexpr std::size_t few = 3;  // below it, what they have in common may be chance
constexpr double most = 0.8;    // this share of them speaks for all

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

/// A number, a UUID, or a long word with digits in it.
bool is_identifier(std::string_view segment) {
  if (segment.empty()) return false;
  auto const digits = std::count_if(segment.begin(), segment.end(), is_digit);
  if (digits == static_cast<std::ptrdiff_t>(segment.size())) return true;
  bool const hexadecimal =
      std::all_of(segment.begin(), segment.end(), [](char c) { return is_hex(c) || c == '-'; });
  if (hexadecimal && digits > 0 && segment.size() >= 8) return true;
  return digits >= 4 && segment.size() >= 16;
}

/// The value that most notes share, and how many do.
struct Shared {
  std::string value;
  std::size_t count = 0;
  std::size_t values = 0;  ///< different ones
};

template <class Of>
Shared shared(std::vector<AttemptNote> const& notes, Of of) {
  std::map<std::string, std::size_t> counts;
  for (auto const& note : notes) ++counts[of(note)];
  auto const top = std::max_element(counts.begin(), counts.end(),
                                    [](auto const& a, auto const& b) { return a.second < b.second; });
  if (top == counts.end()) return {};
  return {top->first, top->second, counts.size()};
}

/// A sentence, and whether it points at one place to look at.
struct Finding {
  std::string text;
  bool points = false;
};

/// How the attempts went at one place, a route or an endpoint, and at all others.
struct Tally {
  std::size_t bad_there = 0;
  std::size_t bad_elsewhere = 0;
  std::size_t well_there = 0;
  std::size_t well_elsewhere = 0;

  /// Most went wrong there, and hardly any elsewhere, of which there were enough.
  [[nodiscard]] bool points() const {
    return bad_there >= well_there && well_elsewhere >= few && well_elsewhere >= 4 * bad_elsewhere;
  }
};

template <class Of>
Tally tally(Deciding const& deciding, Shared const& place, Of of) {
  auto const well_there = static_cast<std::size_t>(
      std::count_if(deciding.good.begin(), deciding.good.end(),
                    [&](AttemptNote const& note) { return of(note) == place.value; }));
  return {.bad_there = place.count,
          .bad_elsewhere = deciding.bad.size() - place.count,
          .well_there = well_there,
          .well_elsewhere = deciding.good.size() - well_there};
}

Finding routes_in_common(Deciding const& deciding) {
  auto const total = deciding.bad.size();
  auto const route = shared(deciding.bad, route_of);
  if (static_cast<double>(route.count) < most * static_cast<double>(total)) {
    return {"They were for " + grouped(route.values) + " routes: the fault is not in one of them alone"};
  }
  auto const went = tally(deciding, route, route_of);
  Finding found{(went.bad_elsewhere == 0 ? "All " + grouped(total)
                                         : grouped(route.count) + " of the " + grouped(total)) +
                    " were for " + route.value,
                went.points()};
  if (went.well_there > 0) {
    found.text += ", which had " + counted(route.count + went.well_there, "attempt") + " in all";
  }
  if (went.well_elsewhere > 0) {
    found.text += ", while " + counted(went.well_elsewhere, "attempt") + " for other routes went well";
  } else if (went.bad_elsewhere == 0) {
    found.text += "; no other route was asked for meanwhile";
  }
  return found;
}

/// How many there are, or were when these attempts were made.
std::size_t endpoints_of(Account const& account, Deciding const& deciding) {
  std::set<EndpointId> all;
  for (auto const& endpoint : account.health.endpoints) all.insert(endpoint.id);
  for (auto const& note : deciding.bad) all.insert(note.endpoint);
  return all.size();
}

Finding endpoints_in_common(Account const& account, Deciding const& deciding) {
  auto const all = endpoints_of(account, deciding);
  auto const address = [&account](AttemptNote const& note) { return account.address(note.endpoint); };
  auto const endpoint = shared(deciding.bad, address);
  if (endpoint.values > 1) {
    if (endpoint.values < all)
      return {"They went to " + grouped(endpoint.values) + " of " + grouped(all) + " endpoints"};
    return {all == 2 ? "They went to both endpoints" : "They went to all " + grouped(all) + " endpoints"};
  }
  auto const went = tally(deciding, endpoint, address);
  auto const there = "They went to " + endpoint.value;
  if (!went.points() && went.well_there > 0) {
    return {there + ", which answered " + counted(went.well_there, "other attempt") + " well"};
  }
  if (went.well_elsewhere == 0) return {there + "; no other endpoint was tried meanwhile"};
  return {there + ", while other endpoints answered " + counted(went.well_elsewhere, "attempt") + " well",
          went.points()};
}

std::string meaning(FailureKind kind) {
  switch (kind) {
    case FailureKind::connect:
      return "No connection was made: nothing listens there, or the way to it is blocked. The upstream never "
             "saw "
             "these attempts.";
    case FailureKind::dns: return "The endpoint's name gave no address: look at DNS first.";
    case FailureKind::tls: return "The TLS handshake failed: look at certificates and names first.";
    case FailureKind::timeout:
      return "Connections are made, but no answer comes in time: the upstream hangs, or is far too slow.";
    case FailureKind::reset:
      return "Connections break before the answer: the upstream crashes or restarts, or something between "
             "cuts them.";
    case FailureKind::truncated: return "Answers begin, and break off before their end.";
    case FailureKind::protocol:
      return "What comes back is not valid HTTP: perhaps another protocol is spoken on that port.";
    case FailureKind::status:
      return "The upstream is there and answers, but with errors of its own: its log knows more.";
    case FailureKind::overload:
      return "The upstream says that it is overloaded (429, or 503 with Retry-After): it needs less load.";
  }
  return {};
}

}  // namespace

std::string route_of(AttemptNote const& note) {
  auto const label = note.route.view();
  if (label.empty()) return "(no route noted)";
  std::string out;
  std::size_t at = 0;
  while (at <= label.size()) {
    auto const end = std::min(label.find('/', at), label.size());
    auto const segment = label.substr(at, end - at);
    out += is_identifier(segment) ? "{id}" : observe::printable(segment);
    if (end < label.size()) out += '/';
    at = end + 1;
  }
  if (label.size() == Label::capacity) out += "…";  // it was, in all likelihood, cut
  return out;
}

std::string in_common(Account const& account, Deciding const& deciding) {
  if (deciding.bad.size() < few) return {};
  auto const route = routes_in_common(deciding);
  if (endpoints_of(account, deciding) < 2)
    return route.text + (route.points ? ": look at that route first." : ".");
  auto const endpoint = endpoints_in_common(account, deciding);
  if (route.points && endpoint.points) {
    return route.text + ". " + endpoint.text +
           ". Whether it is the route or the endpoint, these attempts can't tell.";
  }
  return route.text + (route.points ? ": look at that route first. " : ". ") + endpoint.text +
         (endpoint.points ? ": look at that endpoint first." : ".");
}

std::string reading(Account const& account, std::vector<AttemptNote> const& bad) {
  auto const needed = most * static_cast<double>(bad.size());
  std::array<std::size_t, failure_kinds> kinds{};
  std::size_t slow = 0;
  for (auto const& note : bad) {
    if (note.outcome.is_failure()) ++kinds[static_cast<std::size_t>(note.outcome.failure())];
    if (note.slow && !note.outcome.is_failure()) ++slow;
  }
  if (bad.empty()) return {};
  for (auto const kind : all_failure_kinds) {
    if (static_cast<double>(kinds[static_cast<std::size_t>(kind)]) >= needed) return meaning(kind);
  }
  if (static_cast<double>(slow) < needed) return {};
  auto const& after = account.breaker.slow_after;
  return "The upstream is too slow" + (after ? ": no answer within " + observe::in_words(*after) : "") + '.';
}

}  // namespace candor::admin
