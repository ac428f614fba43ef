// What a scrape tells of one account: the ledgers, and the circuits that read it. Private to observe.
#pragma once

#include "candor/observe/metrics.hpp"
#include "families.hpp"

namespace candor::observe {

/// `account`: a route whose account it is.
void scrape_account(Families& families, MetricsSources const& sources, Route const& account, Instant now);

}  // namespace candor::observe
