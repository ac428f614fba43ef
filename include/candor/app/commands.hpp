// The command line: what `candor ...` does, from its arguments to its exit status. Called on the main thread.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace candor::app {

/// Carries out the command that `arguments` (without the program's name) give. Results go to `out`. A failure
/// is told on `err`: one line that begins with "candor: ", or, of a configuration, one line for each problem.
/// The exit status: 0, 1 for any failure, 2 if there was no command.
[[nodiscard]] int run_command(std::vector<std::string> const& arguments, std::ostream& out,
                              std::ostream& err);

}  // namespace candor::app
