// A call of a worker to the kernel that goes wrong. One at a time; armed and disarmed by the test's thread,
// met by the worker's.
//
// This program's own recv(), send() and the like stand before the C library's. They leave every thread alone
// but the workers', which are those that wait in epoll: callers and upstreams of the same process meet the
// real kernel. What a fault leaves behind is what the kernel would leave: a connection that broke stays
// broken, and what a call did not take is told again.
#pragma once

#include <cstdint>
#include <ostream>

#include "candor/core/time.hpp"

namespace candor::test {

enum class Operation : std::uint8_t {
  read,
  write,
  socket,
  connect,
  connected,  ///< what has become of a connect() that was under way
  accept,
  watch,  ///< a descriptor, from now on
  wait    ///< for whatever comes
};

enum class Trick : std::uint8_t {
  reset,           ///< the peer has broken the connection off
  broken_pipe,     ///< the same, as a write may be told it
  end,             ///< the peer sends no more
  blocked,         ///< not now
  interrupted,     ///< by a signal
  one_byte,        ///< no more than one byte moves
  no_descriptors,  ///< the process has as many as it may have
  no_local_port,
  refused,      ///< nobody listens there
  left,         ///< the caller has gone before it was accepted
  no_room,      ///< the kernel watches as many descriptors as it will
  hour,         ///< the clock jumps before anything else comes: every armed timer is due
  hour_of_late  ///< it jumps, and what has come meanwhile is told in the same breath
};

struct Fault {
  Operation operation;
  Trick trick;
};

std::ostream& operator<<(std::ostream& out, Fault const& fault);

/// From now on: of such calls of a worker, the `which`-th, from 1, and those that follow it, `times` in all.
/// 0: none, they are only counted.
void arm(Fault fault, unsigned which, unsigned times);
/// Ends that. How many such calls there were.
unsigned disarm();

/// The workers' clock, which the tricks with hours move on, and theirs only.
[[nodiscard]] Instant workers_now();

}  // namespace candor::test
