// Two Candors in a row, over real sockets: an origin behind both is tried as often as the nearer one tries,
// not as often as both together could.
#include <gtest/gtest.h>

#include "proxy_rig.hpp"

namespace candor::test {
namespace {

/// No circuits and no budget in the way: what is counted is what retrying alone does.
UpstreamSettings eager(std::vector<std::string> const& endpoints) {
  auto settings = upstream_of(endpoints);
  settings.retry.backoff = {.base = 1ms, .cap = 2ms};
  settings.retry.budget = {.ratio = 10, .per_second = 1000, .over = 10s};
  settings.breaker.enabled = false;
  return settings;
}

std::string address_of(Proxy const& proxy) { return "127.0.0.1:" + std::to_string(proxy.server->port(0)); }

struct Tiers {
  explicit Tiers(UpstreamSettings near_origin, UpstreamSettings near_caller = eager({}))
      : inner(std::move(near_origin), {.via = "candor-inner"}) {
    near_caller.endpoints = {{address_of(inner)}};
    outer = std::make_unique<Proxy>(std::move(near_caller), ProxyOptions{.via = "candor-outer"});
  }

  [[nodiscard]] Answered get(std::string const& fields = {}) const {
    return outer->caller().get("/", fields);
  }

  Proxy inner;
  std::unique_ptr<Proxy> outer;
};

/// An origin that always does this, its requests' heads kept.
struct Origin {
  explicit Origin(Reaction const& always)
      : upstream([this, always](Received const& request) {
          std::lock_guard const held(lock);
          heads.push_back(request.head);
          return always;
        }) {}

  std::mutex lock;
  std::vector<std::string> heads;
  SocketUpstream upstream;
};

TEST(Tiers, AFailingAnswerIsTriedByTheTierNextToTheOriginAlone) {
  Origin origin{answer(503, "no")};
  Tiers const tiers{eager({origin.upstream.address()})};
  auto const answered = tiers.get();
  EXPECT_EQ(answered.status, 503U);
  EXPECT_EQ(answered.body, "no");
  EXPECT_TRUE(answered.has("candor-retry: exhausted\r\n")) << answered.head;
  EXPECT_TRUE(answered.has("retries denied: tier")) << answered.head;
  EXPECT_EQ(origin.upstream.received(), 3U);
  EXPECT_EQ(tiers.outer->ledger().started, 1U);
}

TEST(Tiers, SoIsOneThatBreaksTheConnection) {
  Origin origin{reset()};
  Tiers const tiers{eager({origin.upstream.address()})};
  auto const answered = tiers.get();
  EXPECT_EQ(answered.status, 502U);
  EXPECT_TRUE(answered.has("candor-retry: exhausted\r\n")) << answered.head;
  EXPECT_EQ(origin.upstream.received(), 3U);
}

TEST(Tiers, SoIsOneThatRefusesConnections) {
  Origin origin{answer(200, "")};
  auto const nobody = origin.upstream.address();
  origin.upstream.stop();
  Tiers const tiers{eager({nobody})};
  EXPECT_EQ(tiers.get().status, 502U);
  EXPECT_EQ(tiers.inner.ledger().started, 3U);
  EXPECT_EQ(tiers.outer->ledger().started, 1U);
}

TEST(Tiers, SoIsOneThatNeverAnswers) {
  Origin origin{hang()};
  auto settings = eager({origin.upstream.address()});
  settings.timeouts.attempt = 20ms;
  Tiers const tiers{settings};
  auto const answered = tiers.get();
  EXPECT_EQ(answered.status, 504U);
  EXPECT_TRUE(answered.has("candor-retry: exhausted\r\n")) << answered.head;
  EXPECT_EQ(origin.upstream.received(), 3U);
}

TEST(Tiers, WhatTheTierBelowRefusesIsNotTriedAgain) {
  Origin origin{answer(503, "no")};
  auto settings = eager({origin.upstream.address()});
  settings.breaker.enabled = true;
  settings.breaker.trip = {.evidence = std::nullopt, .consecutive_failures = 3};
  settings.breaker.open.first = 1h;
  settings.breaker.open.cap = 1h;
  settings.retry.attempts = 4;
  Tiers const tiers{settings};
  auto caller = tiers.outer->caller();
  while (tiers.inner.health().state != CircuitState::open) ASSERT_EQ(caller.get("/").status, 503U);
  auto const reached = origin.upstream.received();
  auto const started = tiers.outer->ledger().started;
  auto const refused = caller.get("/");
  EXPECT_EQ(refused.status, 503U);
  EXPECT_TRUE(refused.has("candor-retry: refused\r\n")) << refused.head;
  EXPECT_EQ(origin.upstream.received(), reached);
  EXPECT_EQ(tiers.outer->ledger().started, started + 1);
}

TEST(Tiers, ABudgetThatIsUsedUpBelowIsNotGoneAroundAbove) {
  Origin origin{answer(503, "no")};
  auto settings = eager({origin.upstream.address()});
  settings.retry.budget = {.ratio = 0, .per_second = 0, .over = 10s};
  Tiers const tiers{settings};
  auto const answered = tiers.get();
  EXPECT_TRUE(answered.has("candor-retry: exhausted\r\n")) << answered.head;
  EXPECT_EQ(origin.upstream.received(), 1U);
}

TEST(Tiers, ATierThatDoesNotRetryLeavesItToTheOther) {
  Origin origin{answer(503, "no")};
  auto settings = eager({origin.upstream.address()});
  settings.retry.attempts = 1;
  Tiers const tiers{settings};
  EXPECT_TRUE(tiers.get().has("candor-retry: exhausted\r\n"));
  EXPECT_EQ(origin.upstream.received(), 3U);
  EXPECT_EQ(tiers.inner.ledger().started, 3U);
}

TEST(Tiers, TheCallersDeadlineGoesThroughBothAndGetsShorter) {
  Origin origin{answer(503, "no")};
  auto near_origin = eager({origin.upstream.address()});
  near_origin.timeouts.deadline_header = {"X-Request-Timeout", DeadlineFormat::milliseconds};
  auto near_caller = eager({});
  near_caller.timeouts.deadline_header = near_origin.timeouts.deadline_header;
  Tiers const tiers{near_origin, near_caller};
  EXPECT_EQ(tiers.get("x-request-timeout: 9000\r\n").status, 503U);
  std::lock_guard const held(origin.lock);
  ASSERT_EQ(origin.heads.size(), 3U);
  unsigned left = 9000;
  for (auto const& head : origin.heads) {
    static constexpr std::string_view name = "X-Request-Timeout: ";
    auto const at = head.find(name);
    ASSERT_NE(at, std::string::npos) << head;
    EXPECT_EQ(head.find("x-request-timeout"), std::string::npos) << "the caller's own line is gone";
    auto const told = static_cast<unsigned>(std::stoul(head.substr(at + name.size())));
    EXPECT_LE(told, left);
    EXPECT_GT(told, 0U);
    left = told;
  }
}

TEST(Tiers, ADeadlineThatIsOverReachesNobody) {
  Origin origin{answer(200, "yes")};
  auto settings = eager({origin.upstream.address()});
  settings.timeouts.deadline_header = {"grpc-timeout", DeadlineFormat::grpc};
  Proxy const proxy{settings};
  auto caller = proxy.caller();
  auto const answered = caller.get("/", "grpc-timeout: 0m\r\n");
  EXPECT_EQ(answered.status, 504U);
  EXPECT_TRUE(answered.has("details=\"deadline\"")) << answered.head;
  EXPECT_EQ(caller.get("/", "grpc-timeout: nonsense\r\n").status, 200U);
  EXPECT_EQ(origin.upstream.received(), 1U);
  std::lock_guard const held(origin.lock);
  EXPECT_NE(origin.heads[0].find("grpc-timeout: nonsense\r\n"), std::string::npos) << "as it came";
}

}  // namespace
}  // namespace candor::test
