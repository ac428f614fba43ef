#include "discovery.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "endpoint_source.hpp"

namespace candor {

namespace {

AskingPolicy policy_of(DnsSettings const& settings) {
  return {.refresh = settings.refresh, .least_ttl = settings.least_ttl, .most_ttl = settings.most_ttl};
}

}  // namespace

/// All of it but the thread's start and end is the thread's own.
class Discovery::Running {
 public:
  Running(DiscoveryParts parts, EndpointChanges& changes);
  ~Running();

  void wait_for_first_round(Duration at_most);

 private:
  void name_settled(std::string const& host, bool changed);
  void look_whether_settled();

  DiscoveryParts const parts_;
  Reactor reactor_;
  Rng rng_;
  DnsClient client_;
  LookUpFamilies families_;
  KnownNames names_;
  std::vector<std::unique_ptr<EndpointSource>> sources_;
  std::mutex lock_;
  std::condition_variable settled_;
  bool is_settled_ = false;
  std::thread thread_;
};

Discovery::Running::Running(DiscoveryParts parts, EndpointChanges& changes)
    : parts_(std::move(parts)),
      rng_(parts_.seed),
      client_(reactor_, parts_.dns),
      families_(parts_.dns),
      names_({.scheduler = reactor_.scheduler(),
              .client = client_,
              .rng = rng_,
              .families = [this] { return families_.at(reactor_.scheduler().now()); },
              .policy = policy_of(parts_.dns),
              .book = parts_.names.get(),
              .say = parts_.say,
              .settled = [this](std::string const& host, bool changed) { name_settled(host, changed); }}) {
  for (auto const& upstream : parts_.upstreams) {
    if (!is_needed({upstream})) continue;
    sources_.push_back(std::make_unique<EndpointSource>(
        *upstream, EndpointSource::Parts{.reactor = reactor_,
                                         .client = client_,
                                         .names = names_,
                                         .changes = changes,
                                         .rng = rng_,
                                         .policy = policy_of(parts_.dns),
                                         .read_endpoints = parts_.read_endpoints,
                                         .book = parts_.names.get(),
                                         .say = parts_.say,
                                         .report = parts_.report,
                                         .settled = [this] { look_whether_settled(); }}));
  }
  reactor_.post([this] {
    for (auto const& source : sources_) source->begin();
    look_whether_settled();
  });
  thread_ = std::thread{[this] { reactor_.run(); }};
}

Discovery::Running::~Running() {
  reactor_.post([this] { reactor_.stop(); });
  thread_.join();
}

void Discovery::Running::name_settled(std::string const& host, bool changed) {
  for (auto const& source : sources_) source->name_settled(host, changed);
  look_whether_settled();
}

void Discovery::Running::look_whether_settled() {
  std::set<std::string> needed;
  for (auto const& source : sources_) needed.insert(source->hosts().begin(), source->hosts().end());
  names_.keep_only(needed);
  bool const all = names_.all_settled() && std::all_of(sources_.begin(), sources_.end(),
                                                       [](auto const& each) { return each->is_settled(); });
  if (!all) return;
  std::lock_guard const held{lock_};
  is_settled_ = true;
  settled_.notify_all();
}

void Discovery::Running::wait_for_first_round(Duration at_most) {
  std::unique_lock held{lock_};
  settled_.wait_for(held, at_most, [this] { return is_settled_; });
}

bool Discovery::is_needed(std::vector<std::shared_ptr<Upstream>> const& upstreams) {
  return std::any_of(upstreams.begin(), upstreams.end(), [](auto const& upstream) {
    auto const& endpoints = upstream->settings.endpoints;
    return upstream->settings.discover ||
           std::any_of(endpoints.begin(), endpoints.end(),
                       [](auto const& endpoint) { return !Address::parse(endpoint.address); });
  });
}

Discovery::Discovery(DiscoveryParts parts, EndpointChanges& changes)
    : running_(std::make_unique<Running>(std::move(parts), changes)) {}
Discovery::~Discovery() = default;

void Discovery::wait_for_first_round(Duration at_most) { running_->wait_for_first_round(at_most); }

}  // namespace candor
