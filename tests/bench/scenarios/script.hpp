// What an endpoint of the scripted upstream does, and from when on. The text of a script:
//
//   script START                     of the monotonic clock, in nanoseconds: the zero of all other times
//   ENDPOINT AT_MS serve [latency=MS] [fail=SHARE] [capacity=PER_SECOND queue=N] [retry_after=S]
//   ENDPOINT AT_MS hang              takes requests and never answers
//   ENDPOINT AT_MS refuse            nobody listens, and the open connections are reset
//
// `serve` answers 200 after the latency; a seeded share of the requests, 1 for all, gets a 503 instead. With
// a capacity, requests are served one after the other at that rate; one that would have to wait behind more
// than `queue` others gets a 503 at once. Who gave up waiting is served nevertheless: the work had been
// accepted.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "../upstream/request.hpp"

namespace bench {

using Clock = std::chrono::steady_clock;

enum class Conduct { serve, hang, refuse };

struct Phase {
  std::size_t endpoint = 0;
  Clock::time_point from;
  Conduct conduct = Conduct::serve;
  Clock::duration latency{};
  double fail = 0;
  std::optional<double> capacity;  // requests a second
  double queue = 0;                // requests, with a capacity only
  std::optional<unsigned> retry_after;
};

struct Script {
  Clock::time_point start;
  std::vector<Phase> phases;  // by time
};

namespace detail {

inline double number(std::string_view text, std::string const& line) {
  auto const value = to_number<double>(text);
  if (!value || *value < 0) throw std::invalid_argument("not a number, or negative: " + line);
  return *value;
}

inline Clock::duration milliseconds(double value) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double, std::milli>(value));
}

inline Conduct conduct_of(std::string const& word, std::string const& line) {
  if (word == "serve") return Conduct::serve;
  if (word == "hang") return Conduct::hang;
  if (word == "refuse") return Conduct::refuse;
  throw std::invalid_argument("serve, hang or refuse: " + line);
}

inline void apply_option(std::string_view option, std::string const& line, Phase& phase) {
  auto value = option;
  auto const name = take_until(value, "=");
  auto const amount = number(value, line);
  if (name == "latency") {
    phase.latency = milliseconds(amount);
  } else if (name == "fail" && amount <= 1) {
    phase.fail = amount;
  } else if (name == "capacity" && amount > 0) {
    phase.capacity = amount;
  } else if (name == "queue") {
    phase.queue = amount;
  } else if (name == "retry_after") {
    phase.retry_after = static_cast<unsigned>(amount);
  } else {
    throw std::invalid_argument("no such option, or out of its range: " + line);
  }
}

inline Phase phase_of(std::string const& line, Clock::time_point start, std::size_t endpoints) {
  std::istringstream words(line);
  std::string endpoint, at, conduct, option;
  words >> endpoint >> at >> conduct;
  Phase phase;
  phase.endpoint = static_cast<std::size_t>(number(endpoint, line));
  if (phase.endpoint >= endpoints) throw std::invalid_argument("no such endpoint: " + line);
  phase.from = start + milliseconds(number(at, line));
  phase.conduct = conduct_of(conduct, line);
  while (words >> option) apply_option(option, line, phase);
  return phase;
}

}  // namespace detail

// Throws std::invalid_argument, with the line that it cannot take.
inline Script parse_script(std::string const& text, std::size_t endpoints) {
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);
  std::string_view first = line;
  take_until(first, "script ");
  auto const start = to_number<std::int64_t>(first);
  if (!start) throw std::invalid_argument("script START: " + line);
  Script script{.start = Clock::time_point(std::chrono::nanoseconds(*start)), .phases = {}};
  while (std::getline(lines, line)) {
    if (!line.empty()) script.phases.push_back(detail::phase_of(line, script.start, endpoints));
  }
  std::stable_sort(script.phases.begin(), script.phases.end(),
                   [](Phase const& a, Phase const& b) { return a.from < b.from; });
  return script;
}

}  // namespace bench
