#include "candor/proxy/sensing.hpp"

#include <algorithm>

namespace candor {

namespace {

/// While there is no check to make: somebody says so when there may be.
constexpr Duration idle_nap = 24h;

/// Where what was due could not be taken.
constexpr Duration shortest_nap = 10ms;

}  // namespace

Duration nap_before(std::optional<Instant> due, Instant now, bool was_in_vain) {
  if (!due) return idle_nap;
  return std::max(*due - now, was_in_vain ? shortest_nap : Duration{});
}

Sensing::Sensing(Upstream& upstream, Dialler& dialler, Scheduler& scheduler)
    : upstream_(upstream), dialler_(dialler), scheduler_(scheduler) {
  upstream_.each_account([](Route& route) { route.health.sense(); });
  tasks_.spawn(run());
}

Sensing::~Sensing() = default;

void Sensing::something_changed() {
  if (nap_) nap_->cancel(CancelReason::circuit_opened);
}

/// The first of all accounts: each asks for its own.
std::optional<Instant> Sensing::next_check() const {
  std::optional<Instant> first;
  upstream_.each_account([&first](Route const& route) {
    auto const due = route.health.next_check();
    if (due && (!first || *due < *first)) first = due;
  });
  return first;
}

Task<void> Sensing::run() {
  bool was_in_vain = false;
  for (;;) {
    auto const nap = nap_before(next_check(), scheduler_.now(), was_in_vain);
    nap_.emplace(life_);
    co_await scheduler_.sleep(nap, *nap_);
    nap_.reset();
    was_in_vain = true;
    upstream_.each_account([this, &was_in_vain](Route& route) {
      while (auto permit = route.health.take_check(scheduler_.now())) {
        was_in_vain = false;
        tasks_.spawn(check(std::move(*permit)));
      }
    });
  }
}

Task<void> Sensing::check(CheckPermit permit) {
  auto const taken = co_await dialler_.dial(permit.endpoint(), life_);
  if (taken) std::move(permit).settle(*taken, scheduler_.now());
  // Another may be due before the one that is waited for.
  something_changed();
}

}  // namespace candor
