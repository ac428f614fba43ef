// The connects that open circuits wait for, over a dialler that nobody answers, on virtual time.
#include "candor/proxy/sensing.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace candor {
namespace {

constexpr Instant start = Instant{} + 1h;

/// Endpoints from which nothing comes back: each connect fails when its patience is over.
class Blackholes final : public Dialler {
 public:
  explicit Blackholes(Scheduler& scheduler) : scheduler_(scheduler) {}

  Task<std::optional<bool>> dial(EndpointId, CancelScope& scope) override {
    ++dials;
    auto const cut_short = co_await scheduler_.sleep(takes, scope);
    if (cut_short) co_return std::nullopt;
    co_return false;
  }
  Task<std::optional<bool>> check(EndpointId, CheckSettings const&, CancelScope&) override {
    co_return std::nullopt;
  }

  Duration takes = 1s;
  unsigned dials = 0;

 private:
  Scheduler& scheduler_;
};

UpstreamSettings with_endpoints(std::size_t count) {
  UpstreamSettings settings{.name = "up"};
  for (std::size_t i = 0; i < count; ++i) {
    settings.endpoints.push_back({"10.0.0." + std::to_string(i) + ":80"});
  }
  return settings;
}

TEST(Sensing, NapsUntilACheckIsDue) {
  EXPECT_EQ(nap_before(start + 5ms, start, false), 5ms);
  EXPECT_EQ(nap_before(start - 5ms, start, false), Duration{});
  EXPECT_GT(nap_before(std::nullopt, start, false), 1h) << "somebody says so when a circuit opens";
}

TEST(Sensing, RestsAfterARoundThatHasTakenNothing) {
  EXPECT_EQ(nap_before(start, start, true), 10ms);
  EXPECT_EQ(nap_before(start - 1h, start, true), 10ms);
  EXPECT_EQ(nap_before(start + 1s, start, true), 1s);
}

TEST(Sensing, GoesOnWhereTwoEndpointsAndTheirUpstreamAreDead) {
  Scheduler scheduler{start};
  Upstream upstream{with_endpoints(2), 0, 7};
  Blackholes dialler{scheduler};
  Sensing sensing{upstream, dialler, scheduler};
  auto& health = upstream.health;
  health.listen([&sensing](Transition const& transition) {
    if (transition.to == CircuitState::open) sensing.circuit_opened();
  });
  for (std::uint64_t request = 0; health.state() == CircuitState::closed;) {
    auto permit = health.admit({.request = {++request}}, scheduler.now());
    ASSERT_TRUE(permit);
    std::move(*permit).settle(Outcome::failed(FailureKind::connect), scheduler.now());
  }
  unsigned turns = 0;
  for (auto due = scheduler.next_due(); due && *due <= start + 60s; due = scheduler.next_due()) {
    scheduler.advance(*due);
    ASSERT_LT(++turns, 10'000U);
  }
  EXPECT_GE(dialler.dials, 20U);
  EXPECT_LE(dialler.dials, 2 * 61U) << "one at a time of each";
}

}  // namespace
}  // namespace candor
