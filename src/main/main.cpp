#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "candor/app/commands.hpp"

namespace {

/// What is opened later takes the lowest free number: with one of the standard streams closed, a caller's
/// connection would become stderr, and get the log.
void open_standard_streams() {
  for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor) {
    if (::fcntl(descriptor, F_GETFD) >= 0) continue;
    // Those below are open, so it gets this number. If it doesn't, there may be nobody who could be told.
    if (::open("/dev/null", O_RDWR) != descriptor) std::_Exit(EXIT_FAILURE);
  }
}

}  // namespace

int main(int count, char** words) {
  open_standard_streams();
  std::vector<std::string> const arguments(words + (count > 0 ? 1 : 0), words + count);
  return candor::app::run_command(arguments, std::cout, std::cerr);
}
