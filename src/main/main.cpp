#include <iostream>
#include <string>
#include <vector>

#include "candor/app/commands.hpp"

int main(int count, char** words) {
  std::vector<std::string> const arguments(words + (count > 0 ? 1 : 0), words + count);
  return candor::app::run_command(arguments, std::cout, std::cerr);
}
