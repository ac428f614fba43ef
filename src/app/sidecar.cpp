#include "candor/app/sidecar.hpp"

#include <string_view>
#include <utility>

#include "candor/app/version.hpp"
#include "candor/config/load.hpp"
#include "candor/core/rng.hpp"
#include "candor/net/address.hpp"
#include "candor/observe/access_log.hpp"
#include "candor/observe/composite_observer.hpp"
#include "candor/observe/metrics.hpp"

namespace candor::app {

using Level = observe::OperationalLog::Level;

std::string with_port(std::string const& listen, std::uint16_t port) {
  if (unix_path(listen)) return listen;
  return listen.substr(0, listen.rfind(':') + 1) + std::to_string(port);
}

namespace {

std::variant<std::vector<EndpointSettings>, std::string> read_endpoints(std::string const& file) {
  auto loaded = config::load_endpoints_file(file, config::process_environment());
  if (auto* endpoints = std::get_if<std::vector<EndpointSettings>>(&loaded)) return std::move(*endpoints);
  auto const& problems = std::get<std::vector<config::Problem>>(loaded);
  auto line = problems.front().text();
  if (problems.size() > 1) line += " (and " + std::to_string(problems.size() - 1) + " more)";
  return line;
}

}  // namespace

// What one worker's data path tells: its metrics, the access log, the operational log.
struct Sidecar::WorkerObservers {
  std::unique_ptr<observe::AccessLog> access;
  observe::CompositeObserver all;
};

Sidecar::Sidecar(config::Config config, std::shared_ptr<observe::OperationalLog> log, std::uint64_t seed)
    : config_(std::move(config)),
      log_(std::move(log)),
      events_(std::make_shared<observe::EventFeed>(log_, wall_clock)) {
  Rng rng{seed};
  make_upstreams(rng);
  make_observers(rng);
  make_server(rng);
  routes_ = std::make_unique<admin::Routes const>(admin_sources(), config_.admin);
}

Sidecar::~Sidecar() = default;

// Whoever listens to a circuit does so before its first attempt: hence before there is a server.
void Sidecar::make_upstreams(Rng& rng) {
  for (auto const& settings : config_.upstreams) {
    auto const index = static_cast<std::uint32_t>(upstreams_.size());
    upstreams_.push_back(std::make_shared<Upstream>(settings, index, rng.next()));
  }
  transitions_ = std::make_shared<observe::TransitionCounts>(upstreams_);
  for (auto const& upstream : upstreams_) {
    observe::EventFeed::watch(events_, *upstream);
    observe::TransitionCounts::watch(transitions_, *upstream);
  }
}

void Sidecar::make_observers(Rng& rng) {
  auto const& access = config_.access_log;
  bool const logged = access.mode != AccessLogSettings::Mode::off;
  if (logged) {
    access_lines_ =
        std::make_unique<observe::LineLog>(access.path, access.queue, observe::LineLog::Form::bare);
  }
  for (unsigned worker = 0; worker < worker_count(config_.net); ++worker) {
    auto metrics = std::make_shared<observe::WorkerMetrics>(upstreams_);
    std::vector<Observer*> parts{metrics.get()};
    std::unique_ptr<observe::AccessLog> access_log;
    if (logged) {
      access_log = std::make_unique<observe::AccessLog>(access, *access_lines_, rng.fork());
      parts.push_back(access_log.get());
    }
    parts.push_back(late_breaks_.get());
    parts.push_back(events_.get());
    metrics_.push_back(std::move(metrics));
    observers_.push_back(std::make_unique<WorkerObservers>(
        WorkerObservers{std::move(access_log), observe::CompositeObserver{std::move(parts)}}));
  }
  tallies_.emplace(events_,
                   observe::EventTallies::Sources{.upstreams = upstreams_,
                                                  .workers = {metrics_.begin(), metrics_.end()},
                                                  .late_breaks = late_breaks_},
                   monotonic_now());
}

void Sidecar::make_server(Rng& rng) {
  server_ = std::make_unique<Server>(ServerParts{
      .settings = config_.net,
      .listeners = config_.listeners,
      .upstreams = upstreams_,
      .observer = [this](unsigned worker) -> Observer& { return observers_.at(worker)->all; },
      .say = [events = events_](
                 std::string_view line) { events->note(Level::warn, std::string(line), monotonic_now()); },
      .report = [events = events_](
                    std::string_view line) { events->note(Level::info, std::string(line), monotonic_now()); },
      .read_endpoints = read_endpoints,
      .names = names_,
      .seed = rng.next(),
  });
}

admin::Sources Sidecar::admin_sources() const {
  observe::MetricsSources sources{
      .upstreams = upstreams_,
      .workers = {metrics_.begin(), metrics_.end()},
      .transitions = transitions_,
      .names = names_,
      .now = [] { return monotonic_now(); },
      .access_log_dropped = {},
      .build = {.version = std::string(version), .revision = {}},
  };
  if (access_lines_) {
    sources.access_log_dropped = [lines = access_lines_.get()] { return lines->dropped(); };
  }
  return {
      .upstreams = [this] { return upstreams_; },
      .metrics = {std::make_shared<observe::MetricsCollectable>(std::move(sources))},
      .phase = [this] { return phase_.load(); },
      .now = [] { return monotonic_now(); },
      .wall = [] { return wall_clock(); },
      .refusals = [workers = std::vector<std::shared_ptr<observe::WorkerMetrics const>>{metrics_.begin(),
                                                                                        metrics_.end()}](
                      Upstream const& upstream) { return observe::read_refusals(workers, upstream); },
      .events = events_->ring(),
      .changed = [events = events_](
                     Upstream const& upstream,
                     std::string const& what) { events->order(upstream, what, monotonic_now()); },
  };
}

void Sidecar::start() {
  if (config_.admin.listen) {
    admin_.start(*config_.admin.listen,
                 [this](admin::Request const& request) { return routes_->answer(request); });
  }
  server_->start();
  ticker_.emplace(1s, [this] { tallies_->collect(monotonic_now()); });
  phase_ = admin::Phase::serving;
}

void Sidecar::drain(std::function<void()> ended) {
  phase_ = admin::Phase::draining;
  server_->drain(std::move(ended));
}

void Sidecar::stop() { server_->stop(); }

std::vector<std::string> Sidecar::listening() const {
  std::vector<std::string> lines;
  for (auto const& upstream : upstreams_) {
    if (auto const own = address(upstream->index)) lines.push_back(upstream->name() + " on " + *own);
  }
  for (std::size_t i = 0; i < config_.listeners.size(); ++i) {
    lines.push_back("any upstream, by Host, on " +
                    with_port(config_.listeners[i].listen, server_->shared_port(i)));
  }
  if (auto const admin = admin_address()) lines.push_back("admin on http://" + *admin + '/');
  return lines;
}

std::optional<std::string> Sidecar::address(std::size_t upstream) const {
  auto const& listen = upstreams_.at(upstream)->settings.listen;
  if (!listen) return std::nullopt;
  return with_port(*listen, server_->port(upstream));
}

std::optional<std::string> Sidecar::admin_address() const {
  if (!config_.admin.listen) return std::nullopt;
  return with_port(*config_.admin.listen, admin_.port());
}

}  // namespace candor::app
