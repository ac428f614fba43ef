#include "candor/sim/world.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <stdexcept>
#include <string>

#include "caller.hpp"
#include "candor/proxy/answer.hpp"
#include "candor/proxy/checking.hpp"
#include "candor/proxy/pipeline.hpp"
#include "candor/proxy/sensing.hpp"
#include "candor/sim/scripted_upstream.hpp"
#include "delivery.hpp"
#include "recorder.hpp"

namespace candor::sim {

namespace {

/// One worker's way to one upstream.
struct Lane {
  Pipelines& pipelines;
  Rng& rng;
};

/// One worker of one sidecar.
struct Worker {
  explicit Worker(Rng chance) : rng(chance) {}
  Rng rng;
  std::vector<std::unique_ptr<Pipelines>> pipelines;  // by upstream
};

struct Sidecar {
  std::vector<std::unique_ptr<Upstream>> upstreams;
  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<std::unique_ptr<Sensing>> sensing;    // by upstream
  std::vector<std::unique_ptr<Checking>> checking;  // likewise; nothing: it does not ask for it
};

UpstreamSettings settings_of(UpstreamScript const& script, std::size_t index) {
  if (script.endpoints.empty()) throw std::invalid_argument("an upstream has at least one endpoint");
  auto settings = script.settings;
  if (settings.name.empty()) settings.name = "upstream-" + std::to_string(index);
  settings.endpoints.resize(script.endpoints.size());
  for (std::size_t i = 0; i < settings.endpoints.size(); ++i) {
    auto& address = settings.endpoints[i].address;
    if (address.empty()) address = "endpoint-" + std::to_string(i);
  }
  return settings;
}

}  // namespace

struct World::State {
  explicit State(WorldOptions const& options);

  Task<void> carry(std::size_t stream, PreparedRequest const& request, Lane lane);
  Task<void> call(Callers const& load, std::size_t stream, PreparedRequest const& request, Lane lane,
                  CancelScope& scope);
  Lane next_lane(std::size_t upstream);
  void start(std::size_t stream, PreparedRequest const& request, Lane lane) {
    requests.spawn(carry(stream, request, lane));
  }
  void circuit_changed(std::size_t sidecar, Route const& account, Transition const& transition);

  struct Stream;

  Rng rng;
  Scheduler scheduler;
  EventLog log;
  Recorder recorder;
  Duration slice;
  std::vector<std::unique_ptr<ScriptedUpstream>> scripted;
  std::vector<Sidecar> sidecars;
  std::deque<PreparedRequest> sent_by_hand;
  std::uint64_t requests_made = 0;
  std::size_t turn = 0;  // of the workers, over all sidecars
  CancelScope traffic_scope;
  std::vector<std::unique_ptr<Stream>> streams;
  // Last: what still runs is ended before what it uses.
  TaskGroup requests;
  TaskGroup callers;
};

// Starts one traffic's requests: itself, when they arrive by the clock; through a caller each, when they
// don't.
struct World::State::Stream final : private Wakeup {
  Stream(State& world, Traffic what, std::size_t which, Rng chance)
      : state(world), traffic(std::move(what)), index(which), rng(chance), request(traffic.request) {
    auto const* many = std::get_if<Callers>(&traffic.load);
    if (many && many->think <= Duration{} && !many->requests) {
      throw std::invalid_argument("callers that never think need a number of requests");
    }
    auto const* arrivals = std::get_if<Arrivals>(&traffic.load);
    if (arrivals && arrivals->per_second <= 0) throw std::invalid_argument("arrivals need a rate above zero");
    state.scheduler.at(*this, Instant{} + traffic.from);
  }
  ~Stream() override { disarm(); }

  void end() { disarm(); }
  [[nodiscard]] Instant until() const { return Instant{} + traffic.until; }

 private:
  void wake() override {
    if (auto const* many = std::get_if<Callers>(&traffic.load)) {
      for (unsigned i = 0; i < many->count; ++i) {
        state.callers.spawn(
            state.call(*many, index, request, state.next_lane(traffic.upstream), state.traffic_scope));
      }
      return;
    }
    auto const& arrivals = std::get<Arrivals>(traffic.load);
    state.start(index, request, state.next_lane(traffic.upstream));
    auto const mean = from_seconds(1 / arrivals.per_second);
    if (arrivals.pace == Arrivals::Pace::poisson) {
      next += exponential(mean, rng);
    } else {
      next += mean;
    }
    if (traffic.until - traffic.from > next) state.scheduler.at(*this, Instant{} + traffic.from + next);
  }

  State& state;
  Traffic const traffic;
  std::size_t const index;
  Rng rng;
  PreparedRequest const request;
  Duration next{};  // of the next arrival, since `from`
};

World::State::State(WorldOptions const& options)
    : rng(options.seed),
      log(options.log),
      recorder(scheduler, log, options.traffic.size() + 1, options.upstreams.size(), options.slice),
      slice(options.slice) {
  if (options.upstreams.empty() || options.sidecars == 0 || options.workers == 0 || slice <= Duration{}) {
    throw std::invalid_argument("a world has an upstream, a sidecar, a worker and a slice of time");
  }
  for (auto const& script : options.upstreams) {
    scripted.push_back(
        std::make_unique<ScriptedUpstream>(script.endpoints, scheduler, rng.fork(), log, slice));
  }
  for (std::size_t s = 0; s < options.sidecars; ++s) {
    auto& sidecar = sidecars.emplace_back();
    for (std::size_t u = 0; u < options.upstreams.size(); ++u) {
      auto const index = static_cast<std::uint32_t>(u);
      auto upstream = std::make_unique<Upstream>(settings_of(options.upstreams[u], u), index, rng.next());
      upstream->each_account([this, s](Route& account) {
        account.health.listen(
            [this, s, &account](Transition const& transition) { circuit_changed(s, account, transition); });
        account.health.listen_to_shadow([this, s, &account](Transition const& transition) {
          recorder.shadow_changed(account, s, transition);
        });
      });
      sidecar.sensing.push_back(std::make_unique<Sensing>(*upstream, *scripted[u], scheduler));
      sidecar.checking.push_back(
          upstream->settings.check
              ? std::make_unique<Checking>(*upstream, *scripted[u], scheduler, rng.fork(), recorder)
              : nullptr);
      sidecar.upstreams.push_back(std::move(upstream));
    }
    for (std::size_t w = 0; w < options.workers; ++w) {
      auto& worker = *sidecar.workers.emplace_back(std::make_unique<Worker>(rng.fork()));
      for (std::size_t u = 0; u < options.upstreams.size(); ++u) {
        worker.pipelines.push_back(std::make_unique<Pipelines>(*sidecar.upstreams[u], *scripted[u]));
      }
      link_fallbacks(worker.pipelines);
    }
  }
  for (std::size_t i = 0; i < options.traffic.size(); ++i) {
    if (options.traffic[i].upstream >= scripted.size()) throw std::invalid_argument("traffic to no upstream");
    streams.push_back(std::make_unique<Stream>(*this, options.traffic[i], i, rng.fork()));
  }
}

void World::State::circuit_changed(std::size_t sidecar, Route const& account, Transition const& transition) {
  recorder.circuit_changed(account, sidecar, transition);
  auto const upstream = account.upstream.index;
  sidecars[sidecar].sensing[upstream]->something_changed();
  if (transition.to != CircuitState::open || transition.endpoint) return;
  for (auto const& worker : sidecars[sidecar].workers) {
    worker->pipelines[upstream]->circuit_opened(account.place);
  }
}

Lane World::State::next_lane(std::size_t upstream) {
  auto const which = turn++;
  auto& sidecar = sidecars[which % sidecars.size()];
  auto& worker = *sidecar.workers[which / sidecars.size() % sidecar.workers.size()];
  return {*worker.pipelines[upstream], worker.rng};
}

Task<void> World::State::carry(std::size_t stream, PreparedRequest const& request, Lane lane) {
  CancelScope caller;
  CallerBody content{request.shape.body_bytes};
  auto& pipeline = lane.pipelines.of(request.head());
  auto& route = pipeline.route();
  http::ReplayBody body;
  if (request.shape.body_bytes > 0) {
    body = http::ReplayBody{content, request.head().framing, route.settings.retry.replay_limit};
  }
  WorkerContext const worker{scheduler, lane.rng, recorder};
  Exchange exchange{RequestId{++requests_made}, route, request.head(), body, worker, caller};
  Timer leaving{[&caller] { caller.cancel(CancelReason::caller_left); }};
  if (request.shape.leaves_after) scheduler.after(leaving, *request.shape.leaves_after);
  recorder.request_started(stream, exchange);

  Delivery delivery;
  auto result = co_await pipeline.call(exchange);
  if (result) {
    delivery = co_await deliver(std::move(*result), exchange.scope);
    bool const whole = delivery.end.result == RequestResult::answered;
    if (exchange.fallback && whole) describe_fallback(exchange, delivery.end);
  } else {
    delivery = without_response(result.error(), exchange);
  }
  delivery.end.body_bytes_in = body.bytes();
  delivery.end.at = scheduler.now();
  recorder.request_done(stream, delivery.good, exchange, delivery.end);
}

Task<void> World::State::call(Callers const& load, std::size_t stream, PreparedRequest const& request,
                              Lane lane, CancelScope& scope) {
  auto const until = streams[stream]->until();
  for (unsigned made = 0; !load.requests || made < *load.requests; ++made) {
    if (scope.cancelled() || scheduler.now() >= until) co_return;
    co_await carry(stream, request, lane);
    if (load.think <= Duration{}) continue;
    auto const cut_short = co_await scheduler.sleep(load.think, scope);
    if (cut_short) co_return;
  }
}

World::World(WorldOptions const& options) : state_(std::make_unique<State>(options)) {}
World::~World() = default;

Instant World::now() const { return state_->scheduler.now(); }

void World::run_until(Instant until) {
  auto& scheduler = state_->scheduler;
  for (auto due = scheduler.next_due(); due && *due <= until; due = scheduler.next_due())
    scheduler.advance(*due);
  scheduler.set_now(until);
}

bool World::finish(Duration at_most) {
  auto const done = [this] { return state_->requests.empty() && state_->callers.empty(); };
  for (auto& stream : state_->streams) stream->end();
  state_->traffic_scope.cancel(CancelReason::shutdown);
  auto& scheduler = state_->scheduler;
  auto const until = now() + at_most;
  for (auto due = scheduler.next_due(); !done() && due && *due <= until; due = scheduler.next_due()) {
    scheduler.advance(*due);
  }
  return done();
}

void World::send(unsigned count, RequestShape const& shape, std::size_t upstream) {
  auto const& request = state_->sent_by_hand.emplace_back(shape);
  for (unsigned i = 0; i < count; ++i)
    state_->start(state_->streams.size(), request, state_->next_lane(upstream));
}

void World::set_endpoints(std::vector<std::size_t> const& scripts, std::size_t upstream) {
  for (auto& sidecar : state_->sidecars) {
    auto& changed = *sidecar.upstreams[upstream];
    std::vector<EndpointEntry> wanted;
    std::map<std::string, std::size_t> script_of;
    for (auto const script : scripts) {
      wanted.push_back({.settings = changed.settings.endpoints.at(script)});
      script_of.emplace(wanted.back().settings.address, script);
    }
    for (auto const& entry : changed.endpoints.replace(wanted, now()).came) {
      state_->scripted[upstream]->place(entry->id, script_of.at(entry->settings.address));
    }
    changed.use_endpoints(now());
    std::vector<EndpointId> ids;
    for (auto const& entry : changed.endpoints.all()) ids.push_back(entry->id);
    if (auto& checking = sidecar.checking[upstream]) checking->set_endpoints(ids);
    sidecar.sensing[upstream]->something_changed();
  }
}

EventLog const& World::log() const { return state_->log; }

Upstream& World::upstream(std::size_t index, std::size_t sidecar) const {
  return *state_->sidecars[sidecar].upstreams[index];
}

Report World::report() const {
  Report report;
  report.slice = state_->slice;
  report.upstreams.resize(state_->scripted.size());
  state_->recorder.tell(report);
  for (std::size_t i = 0; i < report.upstreams.size(); ++i) {
    auto& tally = report.upstreams[i];
    auto const& scripted = *state_->scripted[i];
    for (std::size_t e = 0; e < scripted.endpoints(); ++e) tally.endpoints.push_back(scripted.tally(e));
    for (auto const& sidecar : state_->sidecars) {
      auto const& upstream = *sidecar.upstreams[i];
      tally.name = upstream.name();
      upstream.each_account([&](Route const& account) { tally.add(account.health.snapshot(now())); });
    }
    auto const& attempts = scripted.attempts_by_slice();
    if (report.slices.size() < attempts.size()) report.slices.resize(attempts.size());
    for (std::size_t s = 0; s < attempts.size(); ++s) report.slices[s].attempts += attempts[s];
  }
  return report;
}

}  // namespace candor::sim
