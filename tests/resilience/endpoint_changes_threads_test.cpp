// Endpoints come and go while many threads make attempts.
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <thread>
#include <vector>

#include "resilience/driver.hpp"

namespace candor {
namespace {

using test::start;

constexpr std::uint32_t places = 4;
constexpr std::uint32_t changes = 400;
constexpr unsigned threads = 8;

/// In the n-th set each place has its n-th incarnation; places leave one after the other, and come back.
std::vector<EndpointMember> set_of(std::uint32_t n) {
  std::vector<EndpointMember> members;
  for (std::uint32_t place = 0; place < places; ++place) {
    members.push_back({{place, (n + place) / places}, {}});
  }
  return members;
}

TEST(EndpointChangesAmongThreads, NoAttemptBeginsAtOneThatHasLeftAndTheAccountAddsUp) {
  Health health{{.breaker = {.enabled = false}, .endpoints = std::vector<EndpointShare>(places)}, 1};
  std::atomic<std::uint32_t> settled_set{0};  // nothing older than this one is there any more
  std::atomic<bool> over{false};
  std::atomic<std::uint64_t> admitted{0};
  std::vector<std::map<EndpointId, std::uint64_t>> seen(threads);
  std::vector<std::jthread> workers;
  for (unsigned t = 0; t < threads; ++t) {
    workers.emplace_back([&, t] {
      Rng rng{t};
      std::vector<Permit> held;
      while (!over) {
        auto const oldest = settled_set.load();
        auto permit = health.admit({.request = RequestId{rng.next()}}, start);
        ASSERT_TRUE(permit);
        auto const id = permit->endpoint();
        EXPECT_GE(id.incarnation, (oldest + id.value) / places) << "it had left before it was asked for";
        ++seen[t][id];
        ++admitted;
        held.push_back(std::move(*permit));
        if (held.size() < 20) continue;
        for (auto& each : held) {
          std::move(each).settle(rng.chance(0.5) ? Outcome::success() : Outcome::abandoned(), start);
        }
        held.clear();
      }
    });
  }
  for (std::uint32_t n = 1; n <= changes; ++n) {
    health.set_endpoints(set_of(n), start);
    settled_set = n;
    auto const snapshot = health.snapshot(start);
    EXPECT_EQ(snapshot.endpoints.size(), places);
    auto const enough = admitted.load() + 50;
    while (admitted.load() < enough) std::this_thread::yield();
  }
  over = true;
  workers.clear();
  auto const snapshot = health.snapshot(start);
  Ledger sum = snapshot.departed.ledger;
  for (auto const& endpoint : snapshot.endpoints) sum += endpoint.ledger;
  EXPECT_EQ(sum.started, admitted.load());
  EXPECT_EQ(snapshot.ledger.started, admitted.load());
  EXPECT_EQ(sum.success, snapshot.ledger.success);
  EXPECT_EQ(sum.abandoned, snapshot.ledger.abandoned);
  EXPECT_EQ(snapshot.ledger.in_flight, 0U);
  EXPECT_EQ(sum.in_flight, 0U);
  EXPECT_EQ(snapshot.departed.endpoints, changes);
  // Each endpoint has in its ledger what was seen to go there.
  for (auto const& endpoint : snapshot.endpoints) {
    std::uint64_t there = 0;
    for (auto const& each : seen) there += each.contains(endpoint.id) ? each.at(endpoint.id) : 0;
    EXPECT_EQ(endpoint.ledger.started, there);
  }
}

}  // namespace
}  // namespace candor
