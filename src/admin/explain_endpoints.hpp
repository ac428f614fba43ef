// Why endpoints are out: the part of an explanation that doesn't concern the upstream's own circuit. Private
// to admin; pure.
#pragma once

#include "candor/admin/account.hpp"
#include "page.hpp"

namespace candor::admin {

/// What there is to say of each endpoint that is ejected, coming back or held by hand; nothing of the others.
void explain_endpoints(Account const& account, Page& page);

/// What the checks are that the settings ask for, and what they have shown; nothing where there are none.
void explain_checks(Account const& account, Page& page);

/// Where its endpoints come from, as far as that is worth a word now: it fails, or has just said something
/// new.
void explain_discovery(Account const& account, Page& page);

}  // namespace candor::admin
