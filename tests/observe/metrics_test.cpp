#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <set>
#include <thread>

#include "candor/observe/catalogue.hpp"
#include "scraped.hpp"

namespace candor::observe {
namespace {

using testing::attempt;
using testing::make_upstream;
using testing::World;

class Metrics : public testing::Scraped {};

TEST_F(Metrics, AttemptsAreTheLedgersOwnNumbersByEndpoint) {
  auto first = admit({1}, 0);
  auto second = admit({2}, 1);
  auto third = admit({3}, 1);
  auto fourth = admit({4}, 1);
  second.mark_slow(world.scheduler.now());
  std::move(first).settle(Outcome::success(), world.scheduler.now(), 200);
  std::move(second).settle(Outcome::failed(FailureKind::timeout), world.scheduler.now());
  std::move(third).settle(Outcome::excluded(), world.scheduler.now());

  auto samples = scrape();
  std::string const one = R"({upstream="payments",endpoint="payments-1:8080")";
  std::string const two = R"({upstream="payments",endpoint="payments-2:8080")";
  EXPECT_EQ(samples["candor_attempts_started_total" + one + "}"], "1");
  EXPECT_EQ(samples["candor_attempts_started_total" + two + "}"], "3");
  EXPECT_EQ(samples["candor_attempts_in_flight" + two + "}"], "1");
  EXPECT_EQ(samples["candor_attempts_total" + one + R"(,outcome="success"})"], "1");
  EXPECT_EQ(samples["candor_attempts_total" + two + R"(,outcome="failure",kind="timeout"})"], "1");
  EXPECT_EQ(samples["candor_attempts_total" + two + R"(,outcome="failure",kind="reset"})"], "0");
  EXPECT_EQ(samples["candor_attempts_total" + two + R"(,outcome="excluded"})"], "1");
  EXPECT_EQ(samples["candor_slow_attempts_total" + two + "}"], "1");
  EXPECT_EQ(samples[R"(candor_window_attempts{upstream="payments"})"], "2");
  EXPECT_EQ(samples[R"(candor_failure_ratio{upstream="payments"})"], "0.5");
}

TEST_F(Metrics, ACircuitThatOpensShowsItsStateItsTransitionAndItsRefusals) {
  auto const state = [](std::string const& s) {
    return R"(candor_circuit_state{upstream="payments",state=")" + s + "\"}";
  };
  std::string const opened =
      R"(candor_circuit_transitions_total{upstream="payments",from="closed",to="open",rule="evidence_run"})";
  auto before = scrape();
  EXPECT_EQ(before[state("closed")], "1");
  EXPECT_EQ(before[state("open")], "0");
  EXPECT_EQ(before[opened], "0") << "a rate must see the first opening";

  for (std::uint64_t i = 0; i < 7; ++i) {
    admit({i}, i % 2).settle(Outcome::failed(FailureKind::connect), world.scheduler.now());
  }
  auto const refused = world.upstream->health.admit({.request = {9}}, world.scheduler.now());
  ASSERT_FALSE(refused);

  auto after = scrape();
  EXPECT_EQ(after[state("closed")], "0");
  EXPECT_EQ(after[state("open")], "1");
  EXPECT_EQ(after[opened], "1");
  EXPECT_EQ(after[R"(candor_circuit_refusals_total{upstream="payments"})"], "1");
  EXPECT_EQ(after[R"(candor_circuit_admitted_ratio{upstream="payments"})"], "0");

  world.pass(1s);
  admit({10}, 0).settle(Outcome::failed(FailureKind::connect), world.scheduler.now());
  EXPECT_EQ(scrape()[R"(candor_probes_total{upstream="payments",outcome="failure"})"], "1");
}

TEST_F(Metrics, RequestsOfAllWorkersAddUp) {
  for (auto& worker : workers) {
    auto exchange = world.request();
    exchange->attempts.add(attempt(1, exchange->started, 2ms, Outcome::failed(FailureKind::status), 503));
    exchange->attempts.add(attempt(2, exchange->started + 20ms, 3ms, Outcome::success(), 200, 1));
    worker->attempt_settled(world.upstream->own_route(), exchange->attempts[0]);
    worker->retry_sent(world.upstream->own_route(), "status");
    worker->attempt_settled(world.upstream->own_route(), exchange->attempts[1]);
    worker->request_ended(
        *exchange, {.status = 200, .body_bytes_in = 5, .body_bytes_out = 70, .at = exchange->started + 23ms});
  }
  auto samples = scrape();
  EXPECT_EQ(samples[R"(candor_requests_total{upstream="payments",result="answered",status_class="2xx"})"],
            "2");
  EXPECT_EQ(samples[R"(candor_request_duration_seconds_count{upstream="payments"})"], "2");
  EXPECT_EQ(samples[R"(candor_request_duration_seconds_sum{upstream="payments"})"], "0.046");
  EXPECT_EQ(samples[R"(candor_request_duration_seconds_bucket{upstream="payments",le="0.01"})"], "0");
  EXPECT_EQ(samples[R"(candor_request_duration_seconds_bucket{upstream="payments",le="0.025"})"], "2");
  EXPECT_EQ(samples[R"(candor_request_duration_seconds_bucket{upstream="payments",le="+Inf"})"], "2");
  EXPECT_EQ(samples[R"(candor_answers_by_attempt_total{upstream="payments",attempt="1"})"], "0");
  EXPECT_EQ(samples[R"(candor_answers_by_attempt_total{upstream="payments",attempt="2"})"], "2");
  EXPECT_EQ(samples[R"(candor_retries_total{upstream="payments",reason="status"})"], "2");
  EXPECT_EQ(samples[R"(candor_request_body_bytes_total{upstream="payments"})"], "10");
  EXPECT_EQ(samples[R"(candor_answer_body_bytes_total{upstream="payments"})"], "140");
  EXPECT_EQ(
      samples
          [R"(candor_attempt_duration_seconds_bucket{upstream="payments",endpoint="payments-1:8080",le="0.002"})"],
      "2");
}

TEST_F(Metrics, ARequestIsInFlightUntilItEnds) {
  std::string const in_flight = R"(candor_requests_in_flight{upstream="payments"})";
  for (auto& worker : workers) worker->request_begun(world.upstream->own_route());
  EXPECT_EQ(scrape()[in_flight], "2");
  auto const exchange = world.request();
  workers[0]->request_ended(*exchange, {.status = 200, .at = exchange->started});
  EXPECT_EQ(scrape()[in_flight], "1");
  workers[1]->request_ended(*exchange, {.result = RequestResult::abandoned, .at = exchange->started});
  EXPECT_EQ(scrape()[in_flight], "0");
}

TEST_F(Metrics, AFailureThatWasPassedOnIsNoAnswerWon) {
  auto exchange = world.request();
  exchange->attempts.add(attempt(1, exchange->started, 2ms, Outcome::failed(FailureKind::status), 503));
  workers[0]->retry_denied(world.upstream->own_route(), RetryDenied::budget);
  workers[0]->request_ended(*exchange, {.status = 503, .at = exchange->started + 2ms});
  auto samples = scrape();
  EXPECT_EQ(samples[R"(candor_requests_total{upstream="payments",result="answered",status_class="5xx"})"],
            "1");
  EXPECT_EQ(samples[R"(candor_answers_by_attempt_total{upstream="payments",attempt="1"})"], "0");
  EXPECT_EQ(samples[R"(candor_retries_denied_total{upstream="payments",reason="budget"})"], "1");
}

TEST_F(Metrics, TheSixthAttemptCountsAsALateOne) {
  auto exchange = world.request();
  exchange->attempts.add(attempt(6, exchange->started, 2ms, Outcome::success(), 200));
  workers[0]->request_ended(*exchange, {.status = 200, .at = exchange->started});
  EXPECT_EQ(scrape()[R"(candor_answers_by_attempt_total{upstream="payments",attempt="5+"})"], "1");
}

TEST_F(Metrics, CandorsOwnAnswersAndRejectionsSayWhichError) {
  auto exchange = world.request();
  workers[0]->request_ended(*exchange, {.result = RequestResult::refused,
                                        .status = 503,
                                        .error = http::ProxyError::destination_unavailable,
                                        .at = exchange->started});
  workers[1]->rejected(431, http::ProxyError::http_request_error);
  workers[1]->rejected(418, std::nullopt);
  auto samples = scrape();
  EXPECT_EQ(samples[R"(candor_own_answers_total{upstream="payments",error="destination_unavailable"})"], "1");
  EXPECT_EQ(samples[R"(candor_requests_total{upstream="payments",result="refused",status_class="5xx"})"],
            "1");
  EXPECT_EQ(samples[R"(candor_rejected_total{status="431",error="http_request_error"})"], "1");
  EXPECT_EQ(samples[R"(candor_rejected_total{status="other"})"], "1");
}

TEST_F(Metrics, ConnectionsAreCountedAndWhatIsOpenFollows) {
  auto& worker = *workers[0];
  for (auto const event : {PoolEvent::opened, PoolEvent::opened, PoolEvent::kept, PoolEvent::reused,
                           PoolEvent::kept, PoolEvent::kept, PoolEvent::dropped, PoolEvent::closed}) {
    worker.pool_event(*world.upstream, event);
  }
  worker.caller_connected();
  worker.caller_connected();
  worker.caller_disconnected();
  workers[1]->caller_refused();
  auto samples = scrape();
  EXPECT_EQ(samples[R"(candor_connections_open{upstream="payments"})"], "1");
  EXPECT_EQ(samples[R"(candor_pool_idle_connections{upstream="payments"})"], "1");
  EXPECT_EQ(samples[R"(candor_pool_dropped_total{upstream="payments"})"], "1");
  EXPECT_EQ(samples["candor_caller_connections"], "1");
  EXPECT_EQ(samples["candor_caller_connections_accepted_total"], "2");
  EXPECT_EQ(samples["candor_caller_connections_refused_total"], "1");
}

TEST_F(Metrics, TheProcessAndTheBuildAreThere) {
  auto samples = scrape();
  EXPECT_EQ(samples[R"(candor_build_info{version="1.2.3",revision="abc"})"], "1");
  EXPECT_EQ(samples["candor_access_log_dropped_total"], "3");
  for (auto const* name : {"process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds",
                           "process_max_fds", "process_start_time_seconds"}) {
    EXPECT_GE(std::stod(samples[name]), 0) << name;
  }
  EXPECT_GT(std::stod(samples["process_resident_memory_bytes"]), 1e6);
  EXPECT_GT(std::stod(samples["process_start_time_seconds"]), 1.6e9);
}

TEST_F(Metrics, HedgesFallbacksAndIgnoredDeadlinesAreCountedFromZero) {
  auto samples = scrape();
  EXPECT_EQ(samples[R"(candor_hedges_total{upstream="payments",result="won"})"], "0");
  EXPECT_EQ(samples[R"(candor_fallbacks_total{upstream="payments",kind="stale"})"], "0");
  workers[0]->hedged(world.upstream->own_route(), HedgeResult::won);
  workers[1]->hedged(world.upstream->own_route(), HedgeResult::won);
  workers[1]->hedged(world.upstream->own_route(), HedgeResult::denied);
  workers[0]->fallback_given(world.upstream->own_route(), FallbackKind::fixed);
  workers[0]->deadline_ignored(world.upstream->own_route());
  samples = scrape();
  EXPECT_EQ(samples[R"(candor_hedges_total{upstream="payments",result="won"})"], "2");
  EXPECT_EQ(samples[R"(candor_hedges_total{upstream="payments",result="lost"})"], "0");
  EXPECT_EQ(samples[R"(candor_hedges_total{upstream="payments",result="denied"})"], "1");
  EXPECT_EQ(samples[R"(candor_fallbacks_total{upstream="payments",kind="fixed"})"], "1");
  EXPECT_EQ(samples[R"(candor_fallbacks_total{upstream="payments",kind="upstream"})"], "0");
  EXPECT_EQ(samples[R"(candor_deadlines_ignored_total{upstream="payments"})"], "1");
}

TEST_F(Metrics, AnAnswerOfAHedgedRequestIsCountedByTheAttemptThatGaveIt) {
  auto exchange = world.request();
  exchange->attempts.add(attempt(1, exchange->started, 9ms, Outcome::success(), 200));
  exchange->attempts.add(attempt(2, exchange->started, 9ms, Outcome::abandoned(), 0, 1));
  workers[0]->request_ended(*exchange, {.status = 200, .at = exchange->started});
  EXPECT_EQ(scrape()[R"(candor_answers_by_attempt_total{upstream="payments",attempt="1"})"], "1");
}

TEST_F(Metrics, EveryFamilyOfTheCatalogueIsExportedOnceItHasSomethingToSay) {
  auto settings = testing::payments();
  settings.limit = {.adaptive = AdaptiveLimitSettings{}, .queue = 5};
  settings.throttle = ThrottleSettings{};
  settings.shadow = ShadowSettings{};
  settings.shadow->retry.attempts = 1;
  settings.shadow->breaker.trip.consecutive_failures = 3;
  watch(settings);
  // A window of an adaptive limit: it knows what is usual after that.
  for (std::uint64_t i = 1; i <= 30; ++i) {
    auto permit = admit({i}, 0);
    world.pass(10ms);
    std::move(permit).settle(Outcome::success(), world.scheduler.now(), 200);
  }
  auto exchange = world.request();
  workers[0]->request_ended(*exchange,
                            {.status = 502, .error = http::ProxyError::dns_error, .at = exchange->started});
  workers[0]->rejected(400, std::nullopt);
  world.upstream->health.checked(EndpointId{}, {}, world.start);
  names->count("payments.internal", LookUpResult::answered, world.scheduler.now());
  world.upstream->discovery.change([this](DiscoveryReading& reading) {
    reading.source = "dns payments.internal:8080";
    reading.answered = world.scheduler.now();
  });
  std::set<std::string> exported;
  for (auto const& family : collect()) {
    EXPECT_TRUE(exported.insert(family.name).second) << family.name;
    std::set<std::vector<prometheus::ClientMetric::Label>> series;
    for (auto const& sample : family.metric) EXPECT_TRUE(series.insert(sample.label).second) << family.name;
  }
  for (auto const& row : catalogue()) EXPECT_TRUE(exported.contains(std::string(row.name))) << row.name;
}

TEST_F(Metrics, AScrapeBesideABusyWorkerSeesOnlyGrowth) {
  constexpr int requests = 2000;
  std::thread busy{[this] {
    World own;
    for (int i = 0; i < requests; ++i) {
      auto exchange = own.request();
      exchange->attempts.add(attempt(1, exchange->started, 1ms, Outcome::success(), 200));
      workers[0]->attempt_settled(own.upstream->own_route(), exchange->attempts[0]);
      workers[0]->request_ended(*exchange,
                                {.status = 200, .body_bytes_out = 10, .at = exchange->started + 1ms});
      admit({static_cast<std::uint64_t>(i)}, 0).settle(Outcome::success(), world.start, 200);
    }
  }};
  int last = 0;
  while (last < requests) {
    auto samples = scrape();
    auto const answered =
        std::stoi(samples[R"(candor_answers_by_attempt_total{upstream="payments",attempt="1"})"]);
    EXPECT_GE(answered, last);
    last = answered;
  }
  busy.join();
  EXPECT_EQ(scrape()[R"(candor_answer_body_bytes_total{upstream="payments"})"], "20000");
}

TEST_F(Metrics, TheLimitShowsWhatMayBeInFlightAndWhatIs) {
  auto const held = admit({1}, 0);
  auto samples = scrape();
  EXPECT_EQ(samples[R"(candor_limit_attempts{upstream="payments"})"], "1024");
  EXPECT_EQ(samples[R"(candor_limit_in_use{upstream="payments"})"], "1");
  EXPECT_EQ(samples[R"(candor_limit_refusals_total{upstream="payments",reason="limit"})"], "0");
  for (auto const absent : {"candor_limit_queued", "candor_limit_usual_latency_seconds", "candor_throttle"}) {
    auto const found = samples.lower_bound(absent);
    EXPECT_FALSE(found != samples.end() && found->first.starts_with(absent)) << found->first;
  }
}

TEST_F(Metrics, AQueueAndAThrottleShowThemselvesWhereTheyAre) {
  auto settings = testing::payments();
  settings.limit = {.attempts = 1, .adaptive = AdaptiveLimitSettings{.least = 1, .first = 1}, .queue = 5};
  settings.throttle = ThrottleSettings{};
  watch(settings);
  workers[0]->attempt_waited(world.upstream->own_route(), 4ms);
  auto const held = admit({1}, 0);
  EXPECT_FALSE(world.upstream->health.admit({.request = {2}}, world.scheduler.now()));
  AttemptQueue::Desk desk{*world.upstream->queue, world.scheduler, nullptr};
  AttemptQueue::Place place{desk, 0, world.scheduler.now()};
  ASSERT_TRUE(place.line_up());
  auto samples = scrape();
  EXPECT_EQ(samples[R"(candor_limit_queued{upstream="payments"})"], "1");
  EXPECT_EQ(samples[R"(candor_limit_queue_wait_seconds_count{upstream="payments"})"], "1");
  EXPECT_EQ(samples[R"(candor_limit_queue_wait_seconds_sum{upstream="payments"})"], "0.004");
  EXPECT_EQ(samples[R"(candor_limit_refusals_total{upstream="payments",reason="limit"})"], "1");
  EXPECT_EQ(samples[R"(candor_limit_refusals_total{upstream="payments",reason="queue_full"})"], "0");
  EXPECT_EQ(samples[R"(candor_limit_refusals_total{upstream="payments",reason="queue_timeout"})"], "0");
  EXPECT_EQ(samples[R"(candor_throttle_refused_ratio{upstream="payments"})"], "0");
  EXPECT_EQ(samples[R"(candor_throttle_refusals_total{upstream="payments"})"], "0");
}

/// payments, with one route that shares the account and one that has its own.
std::shared_ptr<Upstream> with_routes() {
  auto settings = testing::payments();
  auto shared = as_a_route(settings);
  shared.match.path_prefix = "/search";
  auto own = as_a_route(settings);
  own.match.path_prefix = "/charge";
  own.name = "charge";
  own.circuit = RouteCircuit::own;
  settings.routes = {shared, own};
  return make_upstream(settings);
}

TEST_F(Metrics, RequestsAreCountedByRoute) {
  world.upstream = with_routes();
  upstreams = {world.upstream};
  workers = {std::make_shared<WorkerMetrics>(upstreams)};
  transitions = std::make_shared<TransitionCounts>(upstreams);
  world.head.target = "/search?q=1";
  auto const exchange = world.request();
  ASSERT_EQ(exchange->route.name, "/search");
  workers[0]->request_begun(exchange->route);
  workers[0]->request_ended(*exchange, {.result = RequestResult::answered, .status = 200, .at = world.start});
  workers[0]->retry_denied(world.upstream->routes()[2], RetryDenied::attempts);
  auto samples = scrape();
  std::string const answered = R"(result="answered",status_class="2xx"})";
  EXPECT_EQ(samples[R"(candor_requests_total{upstream="payments",route="/search",)" + answered], "1");
  EXPECT_EQ(samples[R"(candor_requests_total{upstream="payments",route="charge",)" + answered], "0");
  EXPECT_EQ(samples[R"(candor_requests_total{upstream="payments",)" + answered], "0");
  EXPECT_EQ(samples[R"(candor_retries_denied_total{upstream="payments",route="charge",reason="attempts"})"],
            "1");
  EXPECT_EQ(samples.count(R"(candor_budget_tokens{upstream="payments"})"), 1U);
  EXPECT_EQ(samples.count(R"(candor_budget_tokens{upstream="payments",route="charge"})"), 0U);
}

TEST_F(Metrics, AttemptsHaveARouteWhereItHasItsOwnAccount) {
  world.upstream = with_routes();
  upstreams = {world.upstream};
  workers = {std::make_shared<WorkerMetrics>(upstreams)};
  transitions = std::make_shared<TransitionCounts>(upstreams);
  TransitionCounts::watch(transitions, *world.upstream);
  auto const now = world.scheduler.now();
  auto& routes = world.upstream->routes();
  auto const attempt_by = [&](std::size_t place, std::uint64_t request, Outcome outcome) {
    auto permit = routes[place].health.admit({.request = {request}, .endpoint = EndpointId{0}}, now);
    std::move(*permit).settle(outcome, now);
    workers[0]->attempt_settled(routes[place], attempt(1, now, 1ms, outcome, 200));
  };
  attempt_by(0, 1, Outcome::success());
  attempt_by(1, 2, Outcome::success());
  for (std::uint64_t request = 3; request < 9; ++request) {
    attempt_by(2, request, Outcome::failed(FailureKind::reset));
  }
  auto samples = scrape();
  std::string const shared = R"({upstream="payments",endpoint="payments-1:8080"})";
  std::string const own = R"({upstream="payments",route="charge",endpoint="payments-1:8080"})";
  EXPECT_EQ(samples["candor_attempts_started_total" + shared], "2");
  EXPECT_EQ(samples["candor_attempts_started_total" + own], "6");
  EXPECT_EQ(samples["candor_attempt_duration_seconds_count" + shared], "2");
  EXPECT_EQ(samples["candor_attempt_duration_seconds_count" + own], "6");
  EXPECT_EQ(samples[R"(candor_circuit_state{upstream="payments",state="closed"})"], "1");
  EXPECT_EQ(samples[R"(candor_failure_ratio{upstream="payments",route="charge"})"], "1");
  EXPECT_EQ(samples["candor_ejections_total" + own], "0");
  for (auto const& [sample, value] : samples) {
    EXPECT_TRUE(sample.find("candor_attempts") == std::string::npos ||
                sample.find("/search") == std::string::npos)
        << sample;
  }
}

TEST_F(Metrics, WhatAShadowWouldHaveDoneHasItsOwnSeries) {
  auto settings = testing::payments();
  settings.shadow = as_a_shadow(settings);
  settings.shadow->breaker.trip = {.evidence = std::nullopt, .consecutive_failures = 2};
  settings.shadow->retry.attempts = 1;
  world.upstream = make_upstream(settings);
  upstreams = {world.upstream};
  workers = {std::make_shared<WorkerMetrics>(upstreams)};
  transitions = std::make_shared<TransitionCounts>(upstreams);
  TransitionCounts::watch(transitions, *world.upstream);
  for (std::uint64_t request = 1; request <= 4; ++request) {
    auto permit = admit({request}, 0);
    auto const outcome = request == 4 ? Outcome::success() : Outcome::failed(FailureKind::reset);
    std::move(permit).settle(outcome, world.scheduler.now());
  }
  AttemptHistory const history{.attempts = 1, .failure = FailureKind::connect, .idempotent = true};
  world.upstream->own_route().retry_shadow->compare(true, history, CircuitState::closed, 1s,
                                                    world.scheduler.now(), world.rng);
  auto samples = scrape();
  EXPECT_EQ(samples[R"(candor_circuit_state{upstream="payments",state="closed"})"], "1");
  EXPECT_EQ(samples[R"(candor_shadow_circuit_state{upstream="payments",state="open"})"], "1");
  std::string const opening = R"({upstream="payments",from="closed",to="open",rule="consecutive_failures"})";
  EXPECT_EQ(samples["candor_shadow_circuit_transitions_total" + opening], "1");
  EXPECT_EQ(samples["candor_circuit_transitions_total" + opening], "0");
  EXPECT_EQ(samples[R"(candor_shadow_refusals_total{upstream="payments",outcome="failure"})"], "1");
  EXPECT_EQ(samples[R"(candor_shadow_refusals_total{upstream="payments",outcome="success"})"], "1");
  EXPECT_EQ(samples[R"(candor_shadow_retries_added_total{upstream="payments"})"], "0");
  EXPECT_EQ(samples[R"(candor_shadow_retries_spared_total{upstream="payments",reason="attempts"})"], "1");
}

TEST_F(Metrics, WithoutAShadowThereIsNoneOfItsSeries) {
  for (auto const& [sample, value] : scrape()) {
    EXPECT_EQ(sample.find("candor_shadow"), std::string::npos) << sample;
  }
}

TEST_F(Metrics, UpstreamsHaveTheirOwnPlaces) {
  auto orders = testing::payments();
  orders.name = "orders";
  upstreams.push_back(make_upstream(orders, 1));
  workers = {std::make_shared<WorkerMetrics>(upstreams)};
  transitions = std::make_shared<TransitionCounts>(upstreams);
  workers[0]->retry_denied(upstreams[1]->own_route(), RetryDenied::deadline);
  auto samples = scrape();
  EXPECT_EQ(samples[R"(candor_retries_denied_total{upstream="payments",reason="deadline"})"], "0");
  EXPECT_EQ(samples[R"(candor_retries_denied_total{upstream="orders",reason="deadline"})"], "1");
}

}  // namespace
}  // namespace candor::observe
