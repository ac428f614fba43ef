#include "stage.hpp"

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

UpstreamSettings settings_of(SocketUpstream const& upstream) {
  auto settings = upstream_of({upstream.address()});
  // One fault after the other: none may find the circuit open, or the budget spent, by those before.
  settings.breaker.enabled = false;
  settings.retry.budget.per_second = 100'000;
  settings.retry.backoff.base = settings.retry.backoff.cap = 1ms;
  // Time runs out when a test says so.
  settings.timeouts.connect = settings.timeouts.attempt = settings.timeouts.request = 600s;
  settings.timeouts.go_ahead = 1ms;
  return settings;
}

/// So few that one which is not given back is missed soon.
ProxyOptions few_callers() {
  ProxyOptions options;
  options.limits.connections = 4;
  return options;
}

}  // namespace

Stage::Stage() : upstream_(react), proxy_(settings_of(upstream_), few_callers()) {
  upstream_.set_early(react_early);
  descriptors_ = open_descriptors();
}

Ledger Stage::ledger() const { return proxy_.upstreams[0]->health.snapshot(workers_now()).ledger; }

bool Stage::idle() const {
  auto const& seen = proxy_.observer;
  auto const ended = std::accumulate(seen.ended.begin(), seen.ended.end(), 0U);
  auto const resting =
      seen.count(PoolEvent::kept) - seen.count(PoolEvent::reused) - seen.count(PoolEvent::dropped);
  auto const standing = seen.count(PoolEvent::opened) - seen.count(PoolEvent::closed);
  return seen.connected == seen.disconnected && seen.begun == ended && resting == standing &&
         ledger().in_flight == 0;
}

std::string Stage::numbers() const {
  auto const& seen = proxy_.observer;
  auto const book = ledger();
  std::ostringstream text;
  text << "attempts: " << book.started << " started, " << book.in_flight << " in flight, " << book.success
       << " succeeded, " << book.failed() << " failed, " << book.excluded << " excluded, " << book.abandoned
       << " abandoned; told: " << seen.settled << "\ncallers: " << seen.connected << " came, "
       << seen.disconnected << " left, " << seen.refused << " were refused\nrequests: " << seen.begun
       << " begun, ended:";
  for (auto const& each : seen.ended) text << ' ' << each;
  text << "\nconnections to endpoints: opened, reused, kept, dropped, closed:";
  for (auto const& each : seen.pool) text << ' ' << each;
  text << "\nblocks: " << blocks() << ", descriptors: " << open_descriptors() << " (" << descriptors_ << ")";
  return text.str();
}

std::string Stage::audit() {
  if (!eventually([this] { return idle(); })) return "something stays under way\n" + numbers();
  auto const book = ledger();
  if (!book.balanced() || proxy_.observer.settled != book.started) return "the books differ\n" + numbers();
  if (proxy_.observer.refused != 0) return "a caller's place was not given back\n" + numbers();
  if (blocks() > most_blocks) return "blocks are kept\n" + numbers();
  return {};
}

std::string Stage::empty_pool() {
  upstream_.close_idle();
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
