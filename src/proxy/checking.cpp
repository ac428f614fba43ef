#include "candor/proxy/checking.hpp"

#include <algorithm>

namespace candor {

namespace {

std::vector<EndpointId> endpoints_of(Upstream const& upstream) {
  std::vector<EndpointId> ids;
  for (auto const& entry : upstream.endpoints.all()) ids.push_back(entry->id);
  return ids;
}

}  // namespace

Checking::Checking(Upstream& upstream, Dialler& dialler, Scheduler& scheduler, Rng rng, Observer& observer)
    : upstream_(upstream),
      settings_(*upstream.settings.check),
      dialler_(dialler),
      scheduler_(scheduler),
      rng_(rng),
      observer_(observer) {
  set_endpoints(endpoints_of(upstream));
}

Checking::~Checking() = default;

void Checking::set_endpoints(std::vector<EndpointId> const& endpoints) {
  std::erase_if(tasks_, [&endpoints](auto const& task) {
    return std::find(endpoints.begin(), endpoints.end(), task.first) == endpoints.end();
  });
  for (auto const endpoint : endpoints) {
    auto& task = tasks_[endpoint];
    if (!task) task = std::make_unique<SideTask<>>(run(endpoint));
  }
}

Task<void> Checking::run(EndpointId endpoint) {
  CheckCourse course{settings_.pace, scheduler_.now()};
  for (;;) {
    // Though it is due at once: not before those are made who want to hear of it.
    co_await scheduler_.sleep(std::max(course.due() - scheduler_.now(), Duration{}), life_);
    co_await check(endpoint, course);
  }
}

Task<void> Checking::check(EndpointId endpoint, CheckCourse& course) {
  course.begun(scheduler_.now(), rng_);
  auto permit = upstream_.health.begin_check(endpoint, scheduler_.now());
  auto const good = co_await dialler_.check(endpoint, settings_, life_);
  if (!good) co_return;  // we could not make it: no verdict
  std::move(permit).settle(*good, scheduler_.now());
  report(endpoint, course.settled(*good, scheduler_.now()));
}

void Checking::report(EndpointId endpoint, CheckReport const& report) {
  upstream_.each_account([&](Route& account) { account.health.checked(endpoint, report, report.at); });
  if (report.is_news()) observer_.check_changed(upstream_, endpoint, report);
}

}  // namespace candor
