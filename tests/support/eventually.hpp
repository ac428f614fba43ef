// Waiting in tests for what another thread or process does in its own time.
#pragma once

#include <thread>

#include "candor/net/server.hpp"

namespace candor::test {

/// Polls until it holds; false: it has not come true for so long that it never will.
template <class F>
[[nodiscard]] bool eventually(F condition) {
  auto const until = monotonic_now() + 30s;
  while (!condition()) {
    if (monotonic_now() > until) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace candor::test
