// Makes the checks that an upstream's settings ask for: of each of its endpoints, again and again, whether
// there are requests or not. One for an upstream, on one worker.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "candor/core/cancellation.hpp"
#include "candor/core/rng.hpp"
#include "candor/core/scheduler.hpp"
#include "candor/core/task.hpp"
#include "candor/proxy/dialler.hpp"
#include "candor/proxy/observer.hpp"
#include "candor/proxy/upstream.hpp"
#include "candor/resilience/check_course.hpp"

namespace candor {

class Checking {
 public:
  /// The upstream has settings for it. All must outlive it.
  Checking(Upstream& upstream, Dialler& dialler, Scheduler& scheduler, Rng rng, Observer& observer);
  ~Checking();

  /// Those that there are from now on: what is new is checked at once, what has gone no longer.
  void set_endpoints(std::vector<EndpointId> const& endpoints);

 private:
  Task<void> run(EndpointId endpoint);
  Task<void> check(EndpointId endpoint, CheckCourse& course);
  void report(EndpointId endpoint, CheckReport const& report);

  Upstream& upstream_;
  CheckSettings const& settings_;
  Dialler& dialler_;
  Scheduler& scheduler_;
  Rng rng_;
  Observer& observer_;
  CancelScope life_;
  // Last: what still runs is ended before what it uses.
  std::map<EndpointId, std::unique_ptr<SideTask<>>> tasks_;
};

}  // namespace candor
