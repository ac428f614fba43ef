// The limit and its queue in an upstream's pipeline.
#include <gtest/gtest.h>

#include "candor/proxy/answer.hpp"
#include "support/rig.hpp"

namespace candor::test {
namespace {

UpstreamSettings limited_to(std::size_t attempts, std::optional<std::size_t> queue) {
  auto settings = plain_settings();
  settings.retry.attempts = 1;
  settings.limit.attempts = attempts;
  settings.limit.queue = queue;
  return settings;
}

/// Whose attempts take a time of their own.
struct Limited : Rig {
  Limited(UpstreamSettings settings, Duration takes) : Rig(std::move(settings)) {
    transport.usually = {.head = takes};
  }
  void send_times(unsigned times) {
    for (unsigned i = 0; i < times; ++i) send();
  }
  /// Long enough for all that was sent.
  void end_all() {
    run_for(1s);
    expect_all_told();
  }
};

/// When each request's attempt was sent, in the order in which that was.
std::vector<std::pair<std::uint64_t, Duration>> course(Rig const& rig) {
  std::vector<std::pair<std::uint64_t, Duration>> all;
  for (auto const& sent : rig.transport.sent) all.emplace_back(sent.request.value, sent.at - Instant{});
  return all;
}

std::size_t waiting(Rig const& rig) { return rig.upstream.queue->snapshot().waiting; }

TEST(Limit, RefusesAtOnceWhatThereIsNoRoomFor) {
  Limited rig{limited_to(2, std::nullopt), 20ms};
  rig.send();
  rig.send();
  auto& refused = rig.send();
  EXPECT_EQ(refused.refusal(), Refusal::limit);
  EXPECT_EQ(refused.ended_at, Instant{});
  auto const answer = own_answer(*refused.failure, *refused.exchange);
  EXPECT_EQ(answer.candor_retry, "refused");
  EXPECT_TRUE(answer.retry_after) << "a tier above must take it for overload";
  rig.run_for(20ms);
  EXPECT_EQ(rig.send().refusal(), std::nullopt);
  rig.end_all();
}

TEST(LimitQueue, AttemptsGoInTheOrderInWhichTheyCame) {
  Limited rig{limited_to(2, 3), 20ms};
  rig.send_times(5);
  EXPECT_EQ(waiting(rig), 3U);
  EXPECT_EQ(rig.health().limit.refusals, 0U) << "who waits is not refused";
  rig.run_for(1s);
  EXPECT_EQ(course(rig), (std::vector<std::pair<std::uint64_t, Duration>>{
                             {1, 0ms}, {2, 0ms}, {3, 20ms}, {4, 20ms}, {5, 40ms}}));
  EXPECT_EQ(waiting(rig), 0U);
  EXPECT_EQ(rig.observer.waited, (std::vector<Duration>{20ms, 20ms, 40ms}));
  EXPECT_FALSE(rig.upstream.queue->is_occupied());
  rig.expect_all_told();
}

TEST(LimitQueue, AWaitIsNoPartOfTheAttempt) {
  Limited rig{limited_to(1, 3), 20ms};
  rig.send();
  auto& call = rig.send();
  rig.run_for(1s);
  ASSERT_EQ(call.attempts().size(), 1U);
  EXPECT_EQ(call.attempts().last().started, Instant{} + 20ms);
  EXPECT_EQ(call.attempts().last().settled, Instant{} + 40ms);
}

TEST(LimitQueue, RefusesAtOnceWhenItIsFull) {
  Limited rig{limited_to(1, 2), 20ms};
  rig.send_times(3);
  auto& refused = rig.send();
  EXPECT_EQ(refused.refusal(), Refusal::queue_full);
  EXPECT_EQ(refused.ended_at, Instant{});
  EXPECT_EQ(rig.upstream.queue->snapshot().refused_full, 1U);
  rig.run_for(1s);
  EXPECT_EQ(rig.transport.sent.size(), 3U);
  rig.expect_all_told();
}

TEST(LimitQueue, RefusesWhoHasWaitedForTooLong) {
  auto settings = limited_to(1, 2);
  settings.limit.queue_timeout = 30ms;
  Limited rig{settings, 100ms};
  rig.send();
  auto& refused = rig.send();
  rig.run_for(29ms);
  EXPECT_FALSE(refused.ended());
  rig.run_for(1ms);
  EXPECT_EQ(refused.refusal(), Refusal::queue_timeout);
  EXPECT_TRUE(refused.attempts().empty());
  EXPECT_EQ(rig.upstream.queue->snapshot().refused_timeout, 1U);
  EXPECT_EQ(waiting(rig), 0U);
  rig.end_all();
}

TEST(LimitQueue, NobodyIsOvertakenByWhoComesWhenThereIsRoom) {
  Limited rig{limited_to(1, 5), 20ms};
  rig.send();
  rig.send();
  // At the instant at which the first one ends, and the second one has been called at the most.
  Timer late{[&rig] { rig.send(); }};
  rig.scheduler.at(late, Instant{} + 20ms);
  rig.run_for(1s);
  EXPECT_EQ(course(rig), (std::vector<std::pair<std::uint64_t, Duration>>{{1, 0ms}, {2, 20ms}, {3, 40ms}}));
  rig.expect_all_told();
}

TEST(LimitQueue, ACallerWhoLeavesFreesItsPlaceAtOnce) {
  Limited rig{limited_to(1, 1), 20ms};
  rig.send();
  auto& leaves = rig.send();
  leaves.hang_up();
  rig.run_for(Duration{});
  EXPECT_EQ(leaves.cancelled(), CancelReason::caller_left);
  auto& drops = rig.send();
  EXPECT_EQ(drops.refusal(), std::nullopt);
  drops.drop();
  auto& stays = rig.send();
  rig.run_for(1s);
  EXPECT_EQ(stays.status, 200);
  EXPECT_EQ(course(rig), (std::vector<std::pair<std::uint64_t, Duration>>{{1, 0ms}, {4, 20ms}}));
  rig.expect_all_told();
}

TEST(LimitQueue, WhoLeavesWhenItIsCalledPassesTheRoomOn) {
  Limited rig{limited_to(1, 5), 20ms};
  // In the turn in which there is room, before it has heard of that.
  Call* leaves = nullptr;
  Timer leaving{[&leaves] { leaves->hang_up(); }};
  rig.scheduler.at(leaving, Instant{} + 20ms);
  rig.send();
  leaves = &rig.send();
  auto& next = rig.send();
  rig.run_for(1s);
  EXPECT_EQ(leaves->cancelled(), CancelReason::caller_left);
  EXPECT_EQ(next.status, 200);
  EXPECT_EQ(course(rig), (std::vector<std::pair<std::uint64_t, Duration>>{{1, 0ms}, {3, 20ms}}));
  rig.expect_all_told();
}

TEST(LimitQueue, TheRequestsDeadlineEndsAWait) {
  auto settings = limited_to(1, 5);
  settings.timeouts.request = 50ms;
  Rig rig{settings};
  auto permit = rig.upstream.health.admit({}, rig.scheduler.now());
  ++rig.attempts_by_hand;
  auto& call = rig.send();
  rig.run_for(49ms);
  EXPECT_FALSE(call.ended());
  rig.run_for(1ms);
  EXPECT_EQ(call.cancelled(), CancelReason::deadline);
  EXPECT_TRUE(call.attempts().empty());
  EXPECT_EQ(waiting(rig), 0U);
  std::move(*permit).settle(Outcome::success(), rig.scheduler.now());
  rig.expect_all_told();
}

TEST(LimitQueue, AnOpeningCircuitSendsAllAwayAtOnce) {
  Limited rig{limited_to(1, 5), 200ms};
  rig.send();
  std::vector<Call*> waiters;
  for (int i = 0; i < 3; ++i) waiters.push_back(&rig.send());
  Timer operator_comes{[&rig] { rig.upstream.health.hold(Hold::open, rig.scheduler.now()); }};
  rig.scheduler.at(operator_comes, Instant{} + 10ms);
  rig.run_for(10ms);
  for (auto const* call : waiters) {
    EXPECT_EQ(call->refusal(), Refusal::held);
    EXPECT_EQ(call->ended_at, Instant{} + 10ms);
  }
  EXPECT_EQ(rig.transport.sent.size(), 1U);
  rig.end_all();
}

TEST(LimitQueue, DoesNotHoldAProbeUp) {
  Limited rig{limited_to(1, 5), 200ms};
  rig.send();
  rig.upstream.health.hold(Hold::open, rig.scheduler.now());
  rig.upstream.health.hold(std::nullopt, rig.scheduler.now());
  auto& probe = rig.send();
  ASSERT_EQ(probe.attempts().size(), 1U);
  EXPECT_TRUE(probe.attempts().last().probe);
  rig.end_all();
}

TEST(LimitQueue, LetsAsManyGoAsThereIsRoomFor) {
  Limited rig{limited_to(3, 10), 20ms};
  rig.send_times(3);
  rig.run_for(10ms);
  rig.send_times(6);
  rig.run_for(10ms);
  EXPECT_EQ(rig.transport.sent.size(), 6U);
  EXPECT_EQ(rig.health().ledger.in_flight, 3U);
  rig.run_for(20ms);
  EXPECT_EQ(rig.transport.sent.size(), 9U);
  rig.end_all();
}

/// One request whose first attempt fails at 10ms and whose retry is due at 35ms, and one that comes between
/// and takes the room.
struct RetryWithoutRoom {
  explicit RetryWithoutRoom(std::optional<std::size_t> queue) : rig(settings(queue), 20ms) {
    rig.transport.then({.head = 10ms, .status = 503});
    rig.transport.then({.head = 300ms});
    before = rig.upstream.budget.available(rig.scheduler.now());
    call = &rig.send();
    rig.run_for(20ms);
    rig.send();
  }
  static UpstreamSettings settings(std::optional<std::size_t> queue) {
    auto settings = limited_to(1, queue);
    settings.retry.attempts = 3;
    settings.retry.budget.ratio = 0;
    settings.retry.budget.stretch.reset();
    return settings;
  }

  Limited rig;
  double before = 0;
  Call* call = nullptr;
};

TEST(Limit, ARetryThatFindsNoRoomEndsWithTheAnswerInHand) {
  RetryWithoutRoom with{std::nullopt};
  with.rig.run_for(15ms);
  EXPECT_EQ(with.call->status, 503);
  EXPECT_EQ(with.call->ended_at, Instant{} + 35ms);
  EXPECT_EQ(with.rig.observer.denied, std::vector{RetryDenied::limit});
  EXPECT_NE(proxy_status_of(*with.call->exchange, 503, false).find("retries denied: limit"),
            std::string::npos);
  EXPECT_EQ(retry_mark(*with.call->exchange), "exhausted");
  EXPECT_EQ(with.rig.upstream.budget.available(with.rig.scheduler.now()), with.before) << "given back";
  with.rig.end_all();
}

TEST(LimitQueue, ARetryWaitsForRoomAndEndsWithTheAnswerInHandIfThereIsNone) {
  RetryWithoutRoom with{5};
  with.rig.run_for(114ms);
  EXPECT_FALSE(with.call->ended());
  with.rig.run_for(1ms);
  EXPECT_EQ(with.call->status, 503);
  EXPECT_EQ(with.rig.observer.denied, std::vector{RetryDenied::limit});
  EXPECT_EQ(with.rig.upstream.budget.available(with.rig.scheduler.now()), with.before) << "given back";
  with.rig.end_all();
}

TEST(LimitQueue, AHedgeDoesNotWait) {
  auto settings = limited_to(1, 5);
  settings.retry.attempts = 2;
  settings.retry.hedge = HedgeSettings{.after = 10ms};
  Limited rig{settings, 50ms};
  auto const before = rig.upstream.budget.available(rig.scheduler.now());
  auto& call = rig.send();
  rig.run_for(20ms);
  EXPECT_EQ(waiting(rig), 0U);
  rig.run_for(1s);
  EXPECT_EQ(call.status, 200);
  EXPECT_EQ(rig.observer.hedges, std::vector{HedgeResult::denied});
  EXPECT_GE(rig.upstream.budget.available(rig.scheduler.now()), before);
  EXPECT_EQ(rig.transport.sent.size(), 1U);
  rig.expect_all_told();
}

TEST(Limit, AFallbackAppliesToWhatItRefuses) {
  auto settings = limited_to(1, std::nullopt);
  settings.fallback = FallbackSettings{.status = 200, .body = "busy"};
  Limited rig{settings, 50ms};
  rig.send();
  auto& call = rig.send();
  EXPECT_EQ(call.content, "busy");
  EXPECT_EQ(rig.observer.fallbacks, std::vector{FallbackKind::fixed});
  rig.end_all();
}

TEST(Throttle, WhatItRefusesIsAnsweredAtOnceAndNoRetry) {
  auto settings = limited_to(100, std::nullopt);
  settings.breaker.enabled = false;
  settings.throttle = ThrottleSettings{.cap = 1};
  Rig rig{settings};
  rig.transport.usually = answers(429);
  for (int i = 0; i < 1000; ++i) rig.send();
  auto const health = rig.health();
  ASSERT_TRUE(health.throttle);
  EXPECT_GT(health.throttle->refusals, 500U);
  EXPECT_EQ(health.throttle->refusals + rig.transport.sent.size(), 1000U);
  rig.expect_all_told();
}

}  // namespace
}  // namespace candor::test
