// A whole sidecar in the test's own process, over upstreams that count by themselves.
#pragma once

#include <sstream>
#include <string>
#include <thread>

#include "candor/admin/get.hpp"
#include "candor/app/sidecar.hpp"
#include "support/eventually.hpp"
#include "support/socket_caller.hpp"
#include "support/socket_upstream.hpp"

namespace candor::test {

inline UpstreamSettings upstream_at(std::string const& endpoint) {
  UpstreamSettings settings;
  settings.name = "test";
  settings.listen = "127.0.0.1:0";
  settings.endpoints.push_back({endpoint});
  return settings;
}

class SocketRig {
 public:
  explicit SocketRig(UpstreamSettings settings, unsigned workers = 2)
      : sidecar_(config_of(std::move(settings), workers),
                 std::make_shared<observe::OperationalLog>(LogSettings{}, [](std::string_view) {}), 5) {
    sidecar_.start();
  }
  ~SocketRig() { sidecar_.stop(); }

  [[nodiscard]] SocketCaller caller() const {
    return SocketCaller{split_host_port(*sidecar_.address(0))->port};
  }
  [[nodiscard]] Health& health() const { return sidecar_.upstreams()[0]->health; }
  [[nodiscard]] HealthSnapshot snapshot() const { return health().snapshot(monotonic_now()); }
  [[nodiscard]] Ledger ledger() const { return snapshot().ledger; }
  [[nodiscard]] bool settles() const {
    return eventually([this] { return ledger().in_flight == 0; });
  }

  /// The sum of a metric's samples, as the admin port gives them; only those with this label, if one is
  /// given.
  [[nodiscard]] double metric(std::string const& name, std::string const& label = {}) const {
    auto const reply = admin::admin_get(*sidecar_.admin_address(), "/metrics", 10s);
    std::istringstream lines{std::get<admin::Reply>(reply).body};
    double sum = 0;
    for (std::string line; std::getline(lines, line);) {
      bool const same = line.starts_with(name + '{') || line.starts_with(name + ' ');
      if (same && line.find(label) != std::string::npos) sum += std::stod(line.substr(line.rfind(' ') + 1));
    }
    return sum;
  }

  /// Whether the books agree: what reached the upstream by its own count, the ledger, and the metrics; and
  /// those that could not reach it.
  void expect_counts_to_agree(unsigned reached_upstream) const {
    ASSERT_TRUE(settles());
    auto const book = ledger();
    auto const not_reached = book.failures[static_cast<std::size_t>(FailureKind::connect)];
    EXPECT_TRUE(book.balanced());
    EXPECT_EQ(book.started - not_reached, reached_upstream);
    EXPECT_EQ(metric("candor_attempts_started_total"), static_cast<double>(book.started));
    EXPECT_EQ(metric("candor_attempts_total"), static_cast<double>(book.started));
  }

 private:
  static config::Config config_of(UpstreamSettings settings, unsigned workers) {
    config::Config config;
    config.admin.listen = "127.0.0.1:0";
    config.net.workers = workers;
    config.upstreams.push_back(std::move(settings));
    return config;
  }

  app::Sidecar sidecar_;
};

}  // namespace candor::test
