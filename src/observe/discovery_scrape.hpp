// What a scrape tells of where endpoints come from. Private to observe.
#pragma once

#include "candor/core/time.hpp"
#include "candor/proxy/discovery_status.hpp"
#include "candor/proxy/upstream.hpp"
#include "families.hpp"

namespace candor::observe {

void scrape_discovery(Families& families, Upstream const& upstream, Instant now);
void scrape_names(Families& families, NameBook const& names, Instant now);

}  // namespace candor::observe
