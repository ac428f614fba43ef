// The field table walked from its root: a whole file read, written and described.
#pragma once

#include "candor/config/config.hpp"
#include "place.hpp"
#include "shape.hpp"

namespace candor::config {

void read_config(Place const& root, Config& config);
/// A list of endpoints alone.
void read_endpoints(Place const& root, std::vector<EndpointSettings>& endpoints);
[[nodiscard]] Json write_config(Config const& config);
/// A section; its fallbacks are the defaults.
[[nodiscard]] Shape describe_config();

}  // namespace candor::config
