#include "configuration.hpp"

#include <utility>
#include <variant>

namespace candor::app {

config::Config load_configuration(std::string const& file) {
  auto loaded = config::load_file(file, config::process_environment());
  if (auto* problems = std::get_if<std::vector<config::Problem>>(&loaded)) {
    throw BadConfiguration(std::move(*problems));
  }
  return std::get<config::Config>(std::move(loaded));
}

}  // namespace candor::app
