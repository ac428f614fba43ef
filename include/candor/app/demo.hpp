// `candor demo`: an upstream that misbehaves on a timetable, callers, and the same sidecar as in `run`
// between them, all over real sockets; a live view of what the sidecar knows, and at the end the verdict. On
// the main thread.
#pragma once

#include <iosfwd>

#include "candor/core/time.hpp"

namespace candor::app {

struct DemoOptions {
  bool once = false;        ///< one pass of the timetable, then the verdict
  bool plain = false;       ///< lines even where there is a terminal
  Duration each_turn = 3s;  ///< how long the upstream keeps to one way of behaving
  unsigned callers = 12;    ///< connections that send requests
};

/// True unless something that must hold did not: it is said in the summary. Ends by itself after one pass, or
/// with SIGINT or SIGTERM. Throws std::exception if it cannot start.
[[nodiscard]] bool run_demo(DemoOptions const& options, std::ostream& out);

}  // namespace candor::app
