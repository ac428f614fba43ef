#include "stage.hpp"

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <sstream>

#include "blocks.hpp"
#include "exchanges.hpp"
#include "fault.hpp"

namespace candor::test {

namespace {

/// More than any exchange needs at a time; each fault that kept one would add to them.
constexpr std::size_t most_blocks = 12;

/// Their indices, and those of listeners.
constexpr std::size_t patient_upstream = 1;
constexpr std::size_t path_upstream = 2;
constexpr std::size_t forward_listener = 0;
constexpr std::size_t introduced_listener = 1;

UpstreamSettings settings_of(std::string const& name, SocketUpstream const& upstream) {
  auto settings = upstream_of({upstream.address()});
  settings.name = name;
  // One fault after the other: none may find the circuit open, or the budget spent, by those before.
  settings.breaker.enabled = false;
  settings.retry.budget.per_second = 100'000;
  settings.retry.backoff.base = settings.retry.backoff.cap = 1ms;
  // Time runs out when a test says so.
  settings.timeouts.connect = settings.timeouts.attempt = settings.timeouts.request = 600s;
  settings.timeouts.go_ahead = 1ms;
  return settings;
}

std::vector<UpstreamSettings> settings_of(SocketUpstream const& upstream, SocketUpstream const& at_path,
                                          std::string const& path) {
  auto patient = settings_of("patient", upstream);
  patient.timeouts.go_ahead = 600s;
  auto by_path = settings_of("path", at_path);
  by_path.listen = path;
  return {settings_of("test", upstream), patient, by_path};
}

/// So few callers that one who is not given back is missed soon.
ProxyOptions options() {
  ProxyOptions options;
  options.limits.connections = 4;
  options.shared = {{.listen = "127.0.0.1:0", .mode = ListenerSettings::Mode::forward_proxy},
                    {.listen = "127.0.0.1:0", .proxy_protocol = true}};
  return options;
}

}  // namespace

Stage::Stage()
    : upstream_(react),
      at_path_(react, "unix:" + folder_.path("out")),
      proxy_(settings_of(upstream_, at_path_, "unix:" + folder_.path("in")), options()) {
  for (auto* upstream : {&upstream_, &at_path_}) {
    upstream->set_early(react_early);
    upstream->set_farewell([this](std::string const& all) {
      cut_short_ += is_whole(all) ? 0 : 1;
      return std::string(farewell);
    });
  }
  descriptors_ = open_descriptors();
}

SocketCaller Stage::caller(Way way) const {
  switch (way) {
    case Way::port: break;
    case Way::patient: return proxy_.caller(patient_upstream);
    case Way::path: return SocketCaller{*Address::parse(*proxy_.upstreams[path_upstream]->settings.listen)};
    case Way::forward_proxy: return proxy_.shared_caller(forward_listener);
    case Way::introduced: {
      auto caller = proxy_.shared_caller(introduced_listener);
      caller.send("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n");
      return caller;
    }
  }
  return proxy_.caller();
}

bool Stage::books_balance() const {
  std::uint64_t started = 0;
  for (auto const& upstream : proxy_.upstreams) {
    auto const book = upstream->health.snapshot(workers_now()).ledger;
    if (!book.balanced()) return false;
    started += book.started;
  }
  return proxy_.observer.settled == started;
}

bool Stage::idle() const {
  auto const& seen = proxy_.observer;
  auto const ended = std::accumulate(seen.ended.begin(), seen.ended.end(), 0U);
  auto const resting =
      seen.count(PoolEvent::kept) - seen.count(PoolEvent::reused) - seen.count(PoolEvent::dropped);
  auto const standing = seen.count(PoolEvent::opened) - seen.count(PoolEvent::closed);
  return seen.connected == seen.disconnected && seen.begun == ended && resting == standing &&
         std::all_of(proxy_.upstreams.begin(), proxy_.upstreams.end(), [](auto const& upstream) {
           return upstream->health.snapshot(workers_now()).ledger.in_flight == 0;
         });
}

std::string Stage::numbers() const {
  auto const& seen = proxy_.observer;
  std::ostringstream text;
  for (auto const& upstream : proxy_.upstreams) {
    auto const book = upstream->health.snapshot(workers_now()).ledger;
    text << "attempts at " << upstream->name() << ": " << book.started << " started, " << book.in_flight
         << " in flight, " << book.success << " succeeded, " << book.failed() << " failed, " << book.excluded
         << " excluded, " << book.abandoned << " abandoned\n";
  }
  text << "told: " << seen.settled << "\ncallers: " << seen.connected << " came, " << seen.disconnected
       << " left, " << seen.refused << " were refused\nrequests: " << seen.begun << " begun, ended:";
  for (auto const& each : seen.ended) text << ' ' << each;
  text << "\nconnections to endpoints: opened, reused, kept, dropped, closed:";
  for (auto const& each : seen.pool) text << ' ' << each;
  text << "\nblocks: " << blocks() << ", descriptors: " << open_descriptors() << " (" << descriptors_ << ")";
  return text.str();
}

std::string Stage::audit() {
  if (!eventually([this] { return idle(); })) return "something stays under way\n" + numbers();
  if (!books_balance()) return "the books differ\n" + numbers();
  if (proxy_.observer.refused != 0) return "a caller's place was not given back\n" + numbers();
  if (blocks() > most_blocks) return "blocks are kept\n" + numbers();
  return {};
}

std::string Stage::audit_tunnels() {
  return cut_short_.exchange(0) == 0 ? "" : "an endpoint took a part of a tunnel for the whole";
}

std::string Stage::empty_pool() {
  for (auto* upstream : {&upstream_, &at_path_}) upstream->close_idle();
  auto const& seen = proxy_.observer;
  if (!eventually([&] { return seen.count(PoolEvent::opened) == seen.count(PoolEvent::closed); })) {
    return "a connection stays open\n" + numbers();
  }
  if (!eventually([&] { return open_descriptors() == descriptors_; })) {
    return "a descriptor stays open\n" + numbers();
  }
  return {};
}

std::size_t open_descriptors() {
  std::filesystem::directory_iterator const all{"/proc/self/fd"};
  return static_cast<std::size_t>(std::distance(begin(all), end(all))) - 1;  // without the one that looks
}

}  // namespace candor::test
