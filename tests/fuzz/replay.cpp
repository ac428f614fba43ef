// Drives a fuzzer over the files that it is given, and those in directories: what it has seen before still
// holds, under any compiler.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include "fuzz.hpp"

namespace {

namespace fs = std::filesystem;

/// Checks a copy of just that size, so that the sanitizer sees a byte read beyond it.
void replay(fs::path const& file) {
  std::ifstream in(file, std::ios::binary);
  candor::fuzz::require(in.good(), file.string() + " can be read");
  std::vector<char> const bytes{std::istreambuf_iterator<char>(in), {}};
  std::printf("%s\n", file.c_str());
  std::fflush(stdout);  // the last one named is the one that fails
  candor::fuzz::check({bytes.data(), bytes.size()});
}

}  // namespace

int main(int count, char** arguments) {
  std::size_t replayed = 0;
  for (fs::path const given : std::span(arguments, static_cast<std::size_t>(count)).subspan(1)) {
    if (!fs::is_directory(given)) {
      replay(given);
      ++replayed;
      continue;
    }
    for (auto const& entry : fs::directory_iterator(given)) {
      replay(entry.path());
      ++replayed;
    }
  }
  candor::fuzz::require(replayed > 0, "there is something to replay");
}
