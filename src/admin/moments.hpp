// An instant as an explanation speaks of it: how long ago, and at what time. Private to admin; pure.
#pragma once

#include <string>

#include "candor/admin/account.hpp"

namespace candor::admin {

/// "4.2s ago", from where the account stands.
[[nodiscard]] std::string ago(Account const& account, Instant when);

/// "12:41:00.070 UTC", with the date when it isn't today's.
[[nodiscard]] std::string at(Account const& account, Instant when);

}  // namespace candor::admin
