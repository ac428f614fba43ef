#include "whole.hpp"

#include "fields.hpp"
#include "section.hpp"

namespace candor::config {

void read_config(Place const& root, Config& config) { Codec<Config>::read(root, config); }

void read_endpoints(Place const& root, std::vector<EndpointSettings>& endpoints) {
  Codec<std::vector<EndpointSettings>>::read(root, endpoints, {});
}

Json write_config(Config const& config) { return Codec<Config>::write(config); }

Shape describe_config() { return Codec<Config>::describe(Config{}); }

}  // namespace candor::config
