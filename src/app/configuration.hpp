// Loading a configuration for a command. Private to app.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "candor/config/load.hpp"

namespace candor::app {

/// A file that is no good, with all that is wrong with it; the text is that of the first problem.
class BadConfiguration final : public std::runtime_error {
 public:
  explicit BadConfiguration(std::vector<config::Problem> problems)
      : std::runtime_error(problems.front().text()), problems_(std::move(problems)) {}

  [[nodiscard]] std::vector<config::Problem> const& problems() const { return problems_; }

 private:
  std::vector<config::Problem> problems_;
};

/// With this process's environment. Throws BadConfiguration.
[[nodiscard]] config::Config load_configuration(std::string const& file);

}  // namespace candor::app
