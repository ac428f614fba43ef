#include "resolver.hpp"

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace candor {

struct Resolver::Shared {
  std::vector<HostPort> names;
  Duration refresh;
  std::mutex lock;
  std::condition_variable changed;
  Callbacks callbacks;  // under the lock, so that none is made once `stopped` is set
  bool stopped = false;
  bool first_round_done = false;

  void look_up_each(std::vector<std::vector<Address>>& known, std::vector<bool>& failing);
};

void Resolver::Shared::look_up_each(std::vector<std::vector<Address>>& known, std::vector<bool>& failing) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::string why;
    auto addresses = look_up(names[i], why);
    std::lock_guard const held(lock);
    if (stopped) return;
    bool const failed = addresses.empty();
    if (failed && !failing[i]) {
      callbacks.say("cannot look up " + names[i].host + ": " + why +
                    (known[i].empty() ? "" : "; its last addresses stay in use"));
    } else if (!failed && failing[i]) {
      callbacks.say("looked up " + names[i].host + " again");
    }
    failing[i] = failed;
    if (failed || addresses == known[i]) continue;
    callbacks.found(i, addresses);
    known[i] = std::move(addresses);
  }
}

void Resolver::run(std::shared_ptr<Shared> const& shared) {
  std::vector<std::vector<Address>> known(shared->names.size());
  std::vector<bool> failing(shared->names.size());
  for (;;) {
    shared->look_up_each(known, failing);
    std::unique_lock held(shared->lock);
    shared->first_round_done = true;
    shared->changed.notify_all();
    shared->changed.wait_for(held, shared->refresh, [&shared] { return shared->stopped; });
    if (shared->stopped) return;
  }
}

Resolver::Resolver(std::vector<HostPort> names, Duration refresh, Callbacks callbacks)
    : shared_(std::make_shared<Shared>()) {
  shared_->names = std::move(names);
  shared_->refresh = refresh;
  shared_->callbacks = std::move(callbacks);
  std::thread{[shared = shared_] { run(shared); }}.detach();
}

Resolver::~Resolver() {
  std::lock_guard const held(shared_->lock);
  shared_->stopped = true;
  shared_->callbacks = {};
  shared_->changed.notify_all();
}

void Resolver::wait_for_first_round(Duration at_most) {
  std::unique_lock held(shared_->lock);
  shared_->changed.wait_for(held, at_most, [this] { return shared_->first_round_done; });
}

}  // namespace candor
