// What an upstream's endpoints, and the place where it learns of more, have to agree on. Private to config.
#pragma once

#include <string>
#include <vector>

#include "candor/config/config.hpp"
#include "report.hpp"

namespace candor::config {

/// `list`: the path of the list; empty where it is a file of its own.
void check_endpoint_list(std::vector<EndpointSettings> const& endpoints, std::string const& list,
                         Report& report);

/// `path`: of the upstream.
void check_discover(UpstreamSettings const& upstream, std::string const& path, Report& report);

}  // namespace candor::config
