// The attempts on which a transition was decided: events, the log and `explain` name the same ones. Pure.
#pragma once

#include <string>
#include <vector>

#include "candor/resilience/evidence.hpp"
#include "candor/resilience/settings.hpp"

namespace candor::observe {

struct Deciding {
  std::vector<AttemptNote> bad{};   ///< what the rule counted, oldest first, each attempt once
  std::vector<AttemptNote> good{};  ///< what went well in the same span
  bool cut = false;                 ///< more attempts counted than are kept
};

/// What was admitted in the state that the transition ended, to the endpoint if it is one's.
[[nodiscard]] std::vector<AttemptNote> with_a_vote(TransitionRecord const& record);

/// Of these, what the rule counted; of a probe's transition, the probe alone.
[[nodiscard]] Deciding deciding(TransitionRecord const& record, BreakerSettings const& rules);

/// What failed or was slow, and what went well.
[[nodiscard]] Deciding told_apart(std::vector<AttemptNote> const& notes);

/// An attempt that was marked slow and settled later is noted twice; the later note says more. The mark among
/// `notes` of what has settled here; null: there is none.
[[nodiscard]] AttemptNote* find_mark(std::vector<AttemptNote>& notes, AttemptNote const& settled);

/// What an attempt showed, in a few words: "503", "timed out".
[[nodiscard]] std::string showed(AttemptNote const& note);

}  // namespace candor::observe
