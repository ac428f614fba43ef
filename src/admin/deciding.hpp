// The attempts behind a decision, and what they have in common. Private to admin; pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "candor/admin/account.hpp"
#include "candor/observe/deciding.hpp"

namespace candor::admin {

using observe::Deciding;

/// Of an opening: the attempts that its rule counted, with what is known of them by now.
[[nodiscard]] Deciding deciding(Account const& account, TransitionRecord const& opening);
/// Of no opening: what failed, or was slow, lately, in the present state of the circuit.
[[nodiscard]] Deciding recently_bad(Account const& account);

/// A route as people name it: "GET /orders/{id}"; what looks like an identifier stands for all of them.
[[nodiscard]] std::string route_of(AttemptNote const& note);

/// Attempts that showed the same on the same route.
struct Group {
  std::string route;
  std::string what;
  std::size_t count = 0;
};
/// The largest first.
[[nodiscard]] std::vector<Group> grouped_by_route(std::vector<AttemptNote> const& notes);

/// What the bad attempts have in common, as sentences; empty if there is nothing to say.
[[nodiscard]] std::string in_common(Account const& account, Deciding const& deciding);

/// What failures of this kind usually mean, if most of them are of one kind; else empty.
[[nodiscard]] std::string reading(Account const& account, std::vector<AttemptNote> const& bad);

/// Of how many requests they are.
[[nodiscard]] std::size_t requests_of(std::vector<AttemptNote> const& notes);
/// From the first to the last of them.
[[nodiscard]] Duration span_of(std::vector<AttemptNote> notes, std::vector<AttemptNote> const& others = {});

}  // namespace candor::admin
