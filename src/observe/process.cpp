#include "process.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

namespace candor::observe {

namespace {

/// /proc/self/stat from its third field on: what is before may hold spaces (proc(5)).
std::vector<double> stat_fields() {
  std::ifstream file{"/proc/self/stat"};
  std::string line;
  std::getline(file, line);
  auto const name_end = line.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream rest{line.substr(name_end + 1)};
  std::string state;
  rest >> state;
  std::vector<double> fields;
  for (double value = 0; rest >> value;) fields.push_back(value);
  return fields;
}

std::optional<double> boot_time() {
  std::ifstream file{"/proc/stat"};
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("btime ", 0) == 0) return std::stod(line.substr(6));
  }
  return std::nullopt;
}

std::optional<std::uint64_t> count_open_fds() {
  std::error_code failed;
  std::uint64_t count = 0;
  std::filesystem::directory_iterator entry{"/proc/self/fd", failed};
  for (; !failed && entry != std::filesystem::directory_iterator{}; entry.increment(failed)) ++count;
  if (failed || count == 0) return std::nullopt;
  return count - 1;  // the one that was opened to count
}

std::optional<double> fd_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::nullopt;
  if (limit.rlim_cur == RLIM_INFINITY) return std::numeric_limits<double>::infinity();
  return static_cast<double>(limit.rlim_cur);
}

}  // namespace

ProcessNumbers read_process_numbers() {
  // Places after the state, counted from 0: field N of proc(5) is at N - 4.
  constexpr std::size_t user = 10;
  constexpr std::size_t system = 11;
  constexpr std::size_t started = 18;
  constexpr std::size_t virtual_size = 19;
  constexpr std::size_t resident_pages = 20;
  ProcessNumbers numbers{.open_fds = count_open_fds(), .max_fds = fd_limit()};
  auto const fields = stat_fields();
  if (fields.size() <= resident_pages) return numbers;
  auto const ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  auto const page = static_cast<double>(sysconf(_SC_PAGESIZE));
  numbers.cpu_seconds = (fields[user] + fields[system]) / ticks;
  numbers.virtual_bytes = static_cast<std::uint64_t>(fields[virtual_size]);
  numbers.resident_bytes = static_cast<std::uint64_t>(fields[resident_pages] * page);
  if (auto const boot = boot_time()) numbers.start_time_seconds = *boot + fields[started] / ticks;
  return numbers;
}

}  // namespace candor::observe
