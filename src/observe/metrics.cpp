#include "candor/observe/metrics.hpp"

#include "account_scrape.hpp"
#include "discovery_scrape.hpp"
#include "families.hpp"
#include "process.hpp"
#include "route_scrape.hpp"
#include "shard_sums.hpp"

namespace candor::observe {

namespace {

/// What routes have in common: the connections and the budget.
class UpstreamScrape {
 public:
  UpstreamScrape(Families& families, MetricsSources const& sources, Upstream const& upstream)
      : families_(families), sources_(sources), upstream_(upstream), name_(upstream.name()) {}

  void budget(double tokens) { families_.gauge(Metric::budget_tokens, {name_}, tokens); }

  void endpoints() {
    families_.gauge(Metric::endpoints, {name_}, static_cast<double>(upstream_.endpoints.all().size()));
  }

  void connections() {
    auto const pool = [this](PoolEvent event) {
      return total([event](auto const& s) -> auto& { return s.pool[static_cast<std::size_t>(event)]; });
    };
    // What takes away is read before what adds.
    auto const closed = pool(PoolEvent::closed);
    auto const opened = pool(PoolEvent::opened);
    auto const reused = pool(PoolEvent::reused);
    auto const dropped = pool(PoolEvent::dropped);
    auto const kept = pool(PoolEvent::kept);
    families_.gauge(Metric::connections_open, {name_}, difference(opened, closed));
    families_.count(Metric::connections_opened, {name_}, opened);
    families_.count(Metric::connections_closed, {name_}, closed);
    families_.gauge(Metric::pool_idle, {name_}, difference(kept, reused + dropped));
    families_.count(Metric::pool_reused, {name_}, reused);
    families_.count(Metric::pool_kept, {name_}, kept);
    families_.count(Metric::pool_dropped, {name_}, dropped);
  }

 private:
  template <class Read>
  std::uint64_t total(Read read) const {
    return sum(sources_.workers,
               [&](WorkerMetrics const& worker) -> auto& { return read(worker.upstream(upstream_.index)); });
  }

  Families& families_;
  MetricsSources const& sources_;
  Upstream const& upstream_;
  std::string_view name_;
};

void scrape_workers(Families& families, std::vector<std::shared_ptr<WorkerMetrics const>> const& workers) {
  auto const gone = sum(workers, [](auto const& w) -> auto& { return w.worker().callers_disconnected; });
  auto const came = sum(workers, [](auto const& w) -> auto& { return w.worker().callers_connected; });
  families.gauge(Metric::caller_connections, {}, difference(came, gone));
  families.count(Metric::caller_connections_accepted, {}, came);
  families.count(Metric::caller_connections_refused, {},
                 sum(workers, [](auto const& w) -> auto& { return w.worker().callers_refused; }));
  for (std::size_t i = 0; i <= rejected_statuses.size(); ++i) {
    std::string const status = i < rejected_statuses.size() ? std::to_string(rejected_statuses[i]) : "other";
    for (std::size_t e = 0; e <= http::proxy_errors; ++e) {
      auto const n = sum(workers, [i, e](auto const& w) -> auto& { return w.worker().rejected[i][e]; });
      std::string_view const error = e < http::proxy_errors ? name(static_cast<http::ProxyError>(e)) : "";
      if (n > 0) families.count(Metric::rejected, {status, error}, n);
    }
  }
}

void scrape_process(Families& families) {
  auto const numbers = read_process_numbers();
  auto const gauge = [&families](Metric metric, auto const& value) {
    if (value) families.gauge(metric, {}, static_cast<double>(*value));
  };
  if (numbers.cpu_seconds) families.count(Metric::process_cpu, {}, *numbers.cpu_seconds);
  gauge(Metric::process_resident, numbers.resident_bytes);
  gauge(Metric::process_virtual, numbers.virtual_bytes);
  gauge(Metric::process_open_fds, numbers.open_fds);
  gauge(Metric::process_max_fds, numbers.max_fds);
  gauge(Metric::process_start_time, numbers.start_time_seconds);
}

}  // namespace

std::vector<prometheus::MetricFamily> MetricsCollectable::Collect() const {
  Families families;
  auto const now = sources_.now();
  for (auto const& upstream : sources_.upstreams) {
    for (auto const& route : upstream->routes()) scrape_route(families, sources_, route);
    upstream->each_account([&](Route const& account) { scrape_account(families, sources_, account, now); });
    UpstreamScrape scrape{families, sources_, *upstream};
    scrape.budget(upstream->budget.available(now));
    scrape.endpoints();
    scrape.connections();
    scrape_discovery(families, *upstream, now);
  }
  scrape_workers(families, sources_.workers);
  if (sources_.names) scrape_names(families, *sources_.names, now);
  if (sources_.access_log_dropped)
    families.count(Metric::access_log_dropped, {}, sources_.access_log_dropped());
  families.gauge(Metric::build_info, {sources_.build.version, sources_.build.revision}, 1);
  scrape_process(families);
  return families.take();
}

}  // namespace candor::observe
