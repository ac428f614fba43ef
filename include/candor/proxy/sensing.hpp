// Tries to connect to the endpoints that open circuits wait for, so that no request has to find out whether
// they are back. One for an upstream, on one worker; it carries out what the health model asks for.
#pragma once

#include <optional>

#include "candor/core/cancellation.hpp"
#include "candor/core/scheduler.hpp"
#include "candor/core/task.hpp"
#include "candor/proxy/dialler.hpp"
#include "candor/proxy/upstream.hpp"

namespace candor {

/// How long there is nothing to do. Never no time at all after a round that has taken no check: were one due
/// that can't be taken, the worker would turn for ever, and time with it stand still.
[[nodiscard]] Duration nap_before(std::optional<Instant> due, Instant now, bool was_in_vain);

class Sensing {
 public:
  /// Before the upstream's first attempt: its circuits rely on it from then on.
  Sensing(Upstream& upstream, Dialler& dialler, Scheduler& scheduler);
  ~Sensing();

  /// Of any circuit, or of which endpoints there are: another check may be due, or one that had nobody to ask
  /// has somebody now, as an endpoint has been given back or has come.
  void something_changed();

 private:
  Task<void> run();
  Task<void> check(CheckPermit permit);
  [[nodiscard]] std::optional<Instant> next_check() const;

  Upstream& upstream_;
  Dialler& dialler_;
  Scheduler& scheduler_;
  CancelScope life_;
  std::optional<CancelScope> nap_;
  // Last: what still runs is ended before what it uses.
  TaskGroup tasks_;
};

}  // namespace candor
