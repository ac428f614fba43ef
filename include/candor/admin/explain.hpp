// Why a circuit is as it is, in plain words for a terminal. Pure.
#pragma once

#include <string>
#include <vector>

#include "candor/admin/account.hpp"

namespace candor::admin {

/// About 25 lines of at most 88 columns, in UTF-8: the state, the rule that opened the circuit with its
/// numbers, the attempts that decided and what they have in common, and what happens next.
[[nodiscard]] std::string explain(Account const& account);
/// Of several, one after the other.
[[nodiscard]] std::string explain(std::vector<Account> const& accounts);

}  // namespace candor::admin
