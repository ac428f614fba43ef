// A server over socket upstreams, with an observer that counts.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "candor/net/server.hpp"
#include "candor/proxy/exchange.hpp"
#include "support/eventually.hpp"
#include "support/socket_caller.hpp"
#include "support/socket_upstream.hpp"

namespace candor::test {

/// Counts what all workers tell.
struct CountingObserver final : Observer {
  std::array<std::atomic<unsigned>, request_results> ended{};
  std::array<std::atomic<unsigned>, pool_events> pool{};
  std::atomic<unsigned> begun{0};
  std::atomic<unsigned> settled{0};
  std::atomic<unsigned> refused{0};
  std::atomic<unsigned> rejections{0};
  std::atomic<unsigned> connected{0};
  std::atomic<unsigned> disconnected{0};

  void request_begun(Route const&) override { ++begun; }
  void attempt_settled(Route const&, AttemptRecord const&) override { ++settled; }
  void request_ended(Exchange const&, RequestEnd const& end) override {
    ++ended[static_cast<std::size_t>(end.result)];
  }
  void rejected(std::uint16_t, std::optional<http::ProxyError>) override { ++rejections; }
  void pool_event(Upstream const&, PoolEvent event) override { ++pool[static_cast<std::size_t>(event)]; }
  void caller_connected() override { ++connected; }
  void caller_disconnected() override { ++disconnected; }
  void caller_refused() override { ++refused; }

  [[nodiscard]] unsigned count(RequestResult result) const { return ended[static_cast<std::size_t>(result)]; }
  [[nodiscard]] unsigned count(PoolEvent event) const { return pool[static_cast<std::size_t>(event)]; }
};

inline std::uint64_t failures(Ledger const& ledger, FailureKind kind) {
  return ledger.failures[static_cast<std::size_t>(kind)];
}

struct ProxyOptions {
  unsigned workers = 1;
  LimitSettings limits{};
  PoolSettings pool{};
  Duration drain_timeout = 10s;
  std::string via = "candor-test";
  std::vector<ListenerSettings> shared{};  ///< listeners besides the upstreams' own ports
  DnsSettings dns{};
  ReadEndpoints read_endpoints{};
};

/// One upstream of these endpoints, whose settings a test may change before it makes the proxy.
inline UpstreamSettings upstream_of(std::vector<std::string> const& endpoints) {
  UpstreamSettings settings;
  settings.name = "test";
  settings.listen = "127.0.0.1:0";
  for (auto const& endpoint : endpoints) settings.endpoints.push_back({endpoint});
  return settings;
}

class Proxy {
 public:
  explicit Proxy(std::vector<UpstreamSettings> settings, ProxyOptions const& options = {}) {
    for (auto& each : settings) {
      auto const index = static_cast<std::uint32_t>(upstreams.size());
      upstreams.push_back(std::make_shared<Upstream>(std::move(each), index, 7 + index));
    }
    ServerParts parts;
    parts.settings.workers = options.workers;
    parts.settings.limits = options.limits;
    parts.settings.pool = options.pool;
    parts.settings.drain_timeout = options.drain_timeout;
    parts.settings.via = options.via;
    parts.settings.dns = options.dns;
    parts.listeners = options.shared;
    parts.read_endpoints = options.read_endpoints;
    parts.names = names;
    parts.upstreams = upstreams;
    parts.observer = [this](unsigned) -> Observer& { return observer; };
    parts.say = [this](std::string_view line) {
      std::lock_guard const held(said_lock);
      said.emplace_back(line);
    };
    parts.seed = 11;
    server = std::make_unique<Server>(std::move(parts));
    server->start();
  }
  explicit Proxy(UpstreamSettings settings, ProxyOptions const& options = {})
      : Proxy(std::vector{std::move(settings)}, options) {}

  [[nodiscard]] SocketCaller caller(std::size_t upstream = 0) const {
    return SocketCaller{server->port(upstream)};
  }
  /// At a listener.
  [[nodiscard]] SocketCaller shared_caller(std::size_t listener = 0) const {
    return SocketCaller{server->shared_port(listener)};
  }
  [[nodiscard]] HealthSnapshot health(std::size_t upstream = 0) const {
    return upstreams[upstream]->health.snapshot(monotonic_now());
  }
  [[nodiscard]] Ledger ledger(std::size_t upstream = 0) const { return health(upstream).ledger; }
  /// Waits until nothing is under way, so that what was counted may be compared.
  [[nodiscard]] bool settles() const {
    return eventually([this] { return ledger().in_flight == 0; });
  }

  /// How often it has said this, or something that holds it.
  [[nodiscard]] std::size_t times_said(std::string_view text) {
    std::lock_guard const held(said_lock);
    return static_cast<std::size_t>(std::count_if(
        said.begin(), said.end(), [&](auto const& line) { return line.find(text) != line.npos; }));
  }

  CountingObserver observer;
  std::shared_ptr<NameBook> names = std::make_shared<NameBook>();
  std::vector<std::shared_ptr<Upstream>> upstreams;
  std::mutex said_lock;
  std::vector<std::string> said;
  std::unique_ptr<Server> server;
};

}  // namespace candor::test
