// What a scrape tells of one route: what the shards of the workers hold. Private to observe.
#pragma once

#include "candor/observe/metrics.hpp"
#include "families.hpp"

namespace candor::observe {

void scrape_route(Families& families, MetricsSources const& sources, Route const& route);

}  // namespace candor::observe
