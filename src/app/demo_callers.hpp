// The demo's callers: each keeps one connection to the proxy and sends one request after the other, a POST
// now and then, and holds each answer against what it asked. On a thread of their own. Made and ended by one
// thread; tally(): from any. Private to app.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "candor/app/tally.hpp"

namespace candor::app {

class DemoCallers {
 public:
  /// Begins at once, at HOST:PORT on loopback. Throws std::exception.
  DemoCallers(std::string const& address, unsigned count, std::uint64_t seed);
  DemoCallers(DemoCallers const&) = delete;
  DemoCallers& operator=(DemoCallers const&) = delete;
  /// Breaks off what is still waiting.
  ~DemoCallers();

  /// No further requests; waits for the answers to those that are under way, no longer than these may take.
  void finish();

  [[nodiscard]] Tally tally() const;

 private:
  class Running;
  std::unique_ptr<Running> running_;
};

}  // namespace candor::app
