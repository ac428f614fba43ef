#include "worker.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "candor/http/proxy_status.hpp"

namespace candor {

namespace {

/// RequestIds are unique in the process: the worker's number stands in front.
constexpr unsigned index_shift = 48;

/// How often a drain looks whether its sessions have ended.
constexpr Duration drain_look = 5ms;

void turn_away(Descriptor const& connection, std::string_view bound, std::string_view date) {
  std::string answer;
  http::append_own_answer(
      answer,
      {.status = 503,
       .error = http::ProxyError::connection_limit_reached,
       .details = "connections",
       .explanation = std::string("There are as many connections as ") + std::string(bound) + " allows.",
       .retry_after = 1s},
      {.date = date});
  [[maybe_unused]] auto const sent = ::send(connection.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
}

}  // namespace

std::size_t callers_within_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::numeric_limits<std::size_t>::max();
  return std::max<std::size_t>(limit.rlim_cur / 2, 1);
}

Worker::Worker(unsigned index, WorkersShare& share, Rng rng)
    : share_(share),
      observer_(share.parts.observer(index)),
      rng_(rng),
      alarm_(share.shortage),
      requests_(std::uint64_t{index} << index_shift),
      session_parts_{.reactor = reactor_,
                     .blocks = blocks_,
                     .limits = share.parts.settings.limits,
                     .context = {reactor_.scheduler(), rng_, observer_, &reactor_},
                     .via = share.via,
                     .date = date_,
                     .life = life_,
                     .drain = drain_,
                     .requests = requests_} {
  for (auto const& upstream : share_.parts.upstreams) {
    auto const& limits = share_.parts.settings.limits;
    TransportParts const parts{.reactor = reactor_,
                               .blocks = blocks_,
                               .observer = observer_,
                               .pool = share_.parts.settings.pool,
                               .heads = {.head = limits.head, .fields = limits.fields},
                               .via = share_.via,
                               .alarm = alarm_,
                               .whereabouts = share_.whereabouts};
    auto& transport = *transports_.emplace_back(std::make_unique<HttpTransport>(*upstream, parts));
    pipelines_.push_back(std::make_unique<Pipelines>(*upstream, transport));
    bool const ours = upstream->index % share_.workers == index;
    sensing_.push_back(ours ? std::make_unique<Sensing>(*upstream, transport, reactor_.scheduler())
                            : nullptr);
    checking_.push_back(
        ours && upstream->settings.check
            ? std::make_unique<Checking>(*upstream, transport, reactor_.scheduler(), rng_.fork(), observer_)
            : nullptr);
  }
  link_fallbacks(pipelines_);
}

Worker::~Worker() = default;

void Worker::add_listener(Descriptor socket, std::unique_ptr<Destination> destination) {
  auto const& to = *destinations_.emplace_back(std::move(destination));
  Listener::Callers const callers{
      .may_come = [this] { return share_.callers.load(std::memory_order_relaxed) < share_.most_callers; },
      .accepted = [this, &to](Descriptor connection) { accept(std::move(connection), to); }};
  listeners_.push_back(std::make_unique<Listener>(reactor_, alarm_, std::move(socket), callers));
}

void Worker::listen(Descriptor socket, std::size_t upstream) {
  add_listener(std::move(socket), std::make_unique<Destination>(*pipelines_[upstream]));
}

void Worker::listen_shared(Descriptor socket, SharedPort& port) {
  add_listener(std::move(socket), std::make_unique<Destination>(port, pipelines_));
}

void Worker::accept(Descriptor connection, Destination const& destination) {
  auto const most = share_.parts.settings.limits.connections;
  bool const has_room = share_.callers.fetch_add(1, std::memory_order_relaxed) < most;
  if (has_room && destination.enter()) {
    sessions_.spawn(serve(std::move(connection), destination));
    return;
  }
  share_.callers.fetch_sub(1, std::memory_order_relaxed);
  observer_.caller_refused();
  // Whoever hands connections on speaks first: an answer could be taken for one of the upstream's.
  if (destination.proxy_protocol()) return;
  turn_away(connection, has_room ? "the listener's connections" : "limits.connections",
            date_.at(reactor_.scheduler().wall()));
}

Task<void> Worker::serve(Descriptor connection, Destination const& destination) {
  {
    Session session{session_parts_, destination};
    co_await session.run(std::move(connection));
  }
  destination.leave();
  share_.callers.fetch_sub(1, std::memory_order_relaxed);
}

void Worker::endpoints_changed(std::size_t upstream, std::vector<EndpointEntryPtr> const& left) {
  for (auto const& entry : left) transports_[upstream]->retire(entry->id);
  if (upstream < checking_.size() && checking_[upstream]) {
    std::vector<EndpointId> ids;
    for (auto const& entry : share_.parts.upstreams[upstream]->endpoints.all()) ids.push_back(entry->id);
    checking_[upstream]->set_endpoints(ids);
  }
  circuit_changed(upstream);  // those that came may have something to be checked for
}

void Worker::run() { reactor_.run(); }

void Worker::stop() {
  reactor_.stop();
  listeners_.clear();
  sessions_.clear();
  sensing_.clear();
  checking_.clear();
}

void Worker::drain(Duration at_most, std::function<void()> ended) {
  for (auto& listener : listeners_) listener->close();
  drain_.cancel(CancelReason::shutdown);
  draining_.spawn(end_when_empty(at_most, std::move(ended)));
}

Task<void> Worker::end_when_empty(Duration at_most, std::function<void()> ended) {
  auto& scheduler = reactor_.scheduler();
  auto const until = scheduler.now() + at_most;
  CancelScope never;
  while (!sessions_.empty() && scheduler.now() < until) co_await scheduler.sleep(drain_look, never);
  // Time is up: each session breaks off, and settles its attempt.
  life_.cancel(CancelReason::shutdown);
  while (!sessions_.empty() && scheduler.now() < until + drain_look) {
    co_await scheduler.sleep(drain_look, never);
  }
  sessions_.clear();
  sensing_.clear();
  checking_.clear();
  reactor_.stop();
  ended();
}

}  // namespace candor
