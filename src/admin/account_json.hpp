// An account as the JSON of the admin port. Private to admin; pure.
#pragma once

#include <nlohmann/json.hpp>

#include "candor/admin/account.hpp"

namespace candor::admin {

using Json = nlohmann::ordered_json;

// Each takes the accounts of one upstream, the shared one first. What the others say stands under "routes".

/// State, window, budget and ledger.
[[nodiscard]] Json summary_json(std::vector<Account> const& accounts);
/// The same, with each endpoint's ledger.
[[nodiscard]] Json upstream_json(std::vector<Account> const& accounts);
/// That, with the transitions, the attempts behind them and the recent attempts.
[[nodiscard]] Json evidence_json(std::vector<Account> const& accounts);

/// With a line end. Bytes that are no UTF-8 become U+FFFD.
[[nodiscard]] std::string text_of(Json const& json);

}  // namespace candor::admin
