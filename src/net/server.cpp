#include "candor/net/server.hpp"

#include <sched.h>

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "audience.hpp"
#include "discovery.hpp"
#include "endpoint_changes.hpp"
#include "worker.hpp"

namespace candor {

namespace {

constexpr Duration first_look_up = 1s;

/// The address to listen at. A name is looked up: at start-up waiting is allowed.
Address listening_address(std::string const& text, std::string const& what) {
  auto const where = split_host_port(text);
  if (!where) throw std::runtime_error("cannot listen on " + what + ": not HOST:PORT");
  if (auto const literal = Address::literal(*where)) return *literal;
  std::string why;
  auto const found = look_up(*where, why);
  if (found.empty()) throw std::runtime_error("cannot listen on " + what + ": " + why);
  return found.front();
}

/// A name that no other Candor on a request's way is likely to have.
std::string drawn_pseudonym(Rng& rng) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string name = "candor-";
  for (int i = 0; i < 8; ++i) name += digits[rng.below(digits.size())];
  return name;
}

std::vector<UpstreamSettings> settings_of(std::vector<std::shared_ptr<Upstream>> const& upstreams) {
  std::vector<UpstreamSettings> settings;
  for (auto const& upstream : upstreams) settings.push_back(upstream->settings);
  return settings;
}

}  // namespace

unsigned worker_count(NetSettings const& settings) {
  if (settings.workers) return std::max(*settings.workers, 1U);
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) {
    return static_cast<unsigned>(std::max(CPU_COUNT(&allowed), 1));
  }
  return std::max(std::thread::hardware_concurrency(), 1U);
}

class Server::Running {
 public:
  explicit Running(ServerParts parts);
  ~Running() { stop(); }

  void start();
  void drain(std::function<void()> ended);
  void stop();
  void set_endpoints(std::size_t upstream, std::vector<PlacedEndpoint> const& endpoints) {
    changes_.set(upstream, endpoints, monotonic_now());
  }

  [[nodiscard]] std::uint16_t port(std::size_t upstream) const { return ports_.at(upstream); }
  [[nodiscard]] std::uint16_t shared_port(std::size_t listener) const { return shared_ports_.at(listener); }

 private:
  std::uint16_t listen(std::string const& text, std::string const& for_whom,
                       std::function<void(Worker&, Descriptor)> const& give);
  void hear_circuits();
  void discover();

  WorkersShare share_;
  std::shared_ptr<Audience> audience_ = std::make_shared<Audience>();
  EndpointChanges changes_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::uint16_t> ports_;
  std::vector<std::uint16_t> shared_ports_;
  std::deque<ListeningPath> paths_;
  std::unique_ptr<Discovery> discovery_;
  std::atomic<std::size_t> left_{0};  // workers that still drain
  std::function<void()> ended_;
  std::vector<std::thread> threads_;
};

Server::Running::Running(ServerParts parts)
    : share_(std::move(parts)), changes_(share_.parts.upstreams, share_.whereabouts, audience_) {
  Rng rng{share_.parts.seed};
  share_.via = share_.parts.settings.via.value_or(drawn_pseudonym(rng));
  share_.workers = worker_count(share_.parts.settings);
  for (unsigned i = 0; i < share_.workers; ++i) {
    workers_.push_back(std::make_unique<Worker>(i, share_, rng.fork()));
    audience_->admit(*workers_.back());
  }
  auto const& upstreams = share_.parts.upstreams;
  for (std::size_t i = 0; i < upstreams.size(); ++i) {
    auto const& own = upstreams[i]->settings.listen;
    auto const give = [i](Worker& worker, Descriptor socket) { worker.listen(std::move(socket), i); };
    ports_.push_back(own ? listen(*own, " (upstream " + upstreams[i]->name() + ")", give) : std::uint16_t{0});
  }
  auto const all_settings = settings_of(upstreams);
  for (auto const& listener : share_.parts.listeners) {
    auto& port = share_.ports.emplace_back(listener, all_settings);
    auto const give = [&port](Worker& worker, Descriptor socket) {
      worker.listen_shared(std::move(socket), port);
    };
    shared_ports_.push_back(listen(listener.listen, " (listeners)", give));
  }
  hear_circuits();
}

std::uint16_t Server::Running::listen(std::string const& text, std::string const& for_whom,
                                      std::function<void(Worker&, Descriptor)> const& give) {
  auto const what = text + for_whom;
  if (auto const path = unix_path(text)) {
    auto const at = Address::parse(text);
    if (!at) throw std::runtime_error("cannot listen on " + what + ": the path is too long, or empty");
    auto const& socket = paths_.emplace_back(*at, std::string(*path), what);
    for (auto& worker : workers_) give(*worker, socket.share());
    return 0;
  }
  auto const address = free_address(listening_address(text, what), what);
  for (auto& worker : workers_) give(*worker, listen_at(address, workers_.size() > 1, what));
  return address.port();
}

void Server::Running::hear_circuits() {
  auto const& upstreams = share_.parts.upstreams;
  for (std::size_t i = 0; i < upstreams.size(); ++i) {
    upstreams[i]->each_account([this, i](Route& route) {
      route.health.listen([audience = audience_, i, account = route.place](Transition const& transition) {
        bool const opened = transition.to == CircuitState::open && !transition.endpoint;
        audience->tell([i, account, opened](Worker& worker) {
          if (opened) worker.circuit_opened(i, account);
          worker.circuit_changed(i);
        });
      });
    });
  }
}

/// Names and discovered endpoints. Callers need not wait for them for long: what is not known yet is refused
/// until it is.
void Server::Running::discover() {
  auto const& parts = share_.parts;
  if (!Discovery::is_needed(parts.upstreams)) return;
  discovery_ = std::make_unique<Discovery>(DiscoveryParts{.dns = parts.settings.dns,
                                                          .upstreams = parts.upstreams,
                                                          .read_endpoints = parts.read_endpoints,
                                                          .names = parts.names,
                                                          .say = parts.say,
                                                          .report = parts.report,
                                                          .seed = parts.seed},
                                           changes_);
  discovery_->wait_for_first_round(first_look_up);
  for (auto const& upstream : parts.upstreams) {
    if (!upstream->endpoints.empty()) continue;
    parts.say(upstream->name() + ": no endpoint is known yet (" + upstream->discovery.read().source +
              "); its requests are refused until one is");
  }
}

void Server::Running::start() {
  discover();
  for (auto& worker : workers_) threads_.emplace_back([&worker] { worker->run(); });
}

void Server::Running::drain(std::function<void()> ended) {
  paths_.clear();  // nobody new finds us; who has connected already is accepted
  ended_ = std::move(ended);
  left_ = workers_.size();
  auto const at_most = share_.parts.settings.drain_timeout;
  audience_->tell([this, at_most](Worker& worker) {
    worker.drain(at_most, [this] {
      if (--left_ == 0 && ended_) ended_();
    });
  });
}

void Server::Running::stop() {
  discovery_.reset();
  audience_->tell([](Worker& worker) { worker.stop(); });
  for (auto& thread : threads_) thread.join();
  threads_.clear();
  audience_->dismiss();
}

Server::Server(ServerParts parts) : running_(std::make_unique<Running>(std::move(parts))) {}
Server::~Server() = default;

void Server::start() { running_->start(); }
void Server::drain(std::function<void()> ended) { running_->drain(std::move(ended)); }
void Server::stop() { running_->stop(); }
void Server::set_endpoints(std::size_t upstream, std::vector<PlacedEndpoint> const& endpoints) {
  running_->set_endpoints(upstream, endpoints);
}
std::uint16_t Server::port(std::size_t upstream) const { return running_->port(upstream); }
std::uint16_t Server::shared_port(std::size_t listener) const { return running_->shared_port(listener); }

}  // namespace candor
