// What other rules would have done, and what nobody can know of them: the part of an explanation that is
// about the shadow. Private to admin; pure.
#pragma once

#include "candor/admin/account.hpp"
#include "page.hpp"

namespace candor::admin {

/// Nothing where no other rules look on.
void explain_shadow(Account const& account, Page& page);

}  // namespace candor::admin
