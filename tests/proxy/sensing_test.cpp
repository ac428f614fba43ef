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
  EXPECT_GT(nap_before(std::nullopt, start, false), 1h) << "somebody says so when there may be one";
}

TEST(Sensing, RestsAfterARoundThatHasTakenNothing) {
  EXPECT_EQ(nap_before(start, start, true), 10ms);
  EXPECT_EQ(nap_before(start - 1h, start, true), 10ms);
  EXPECT_EQ(nap_before(start + 1s, start, true), 1s);
}

/// An upstream none of whose endpoints takes a connection.
struct Dead {
  explicit Dead(std::size_t endpoints) : upstream{with_endpoints(endpoints), 0, 7} {
    health.listen([this](Transition const&) { sensing.something_changed(); });
    for (std::uint64_t request = 0; health.state() == CircuitState::closed;) {
      auto permit = health.admit({.request = {++request}}, scheduler.now());
      std::move(permit.value()).settle(Outcome::failed(FailureKind::connect), scheduler.now());
    }
  }

  void run_for(Duration span) {
    auto const until = scheduler.now() + span;
    unsigned turns = 0;
    for (auto due = scheduler.next_due(); due && *due <= until; due = scheduler.next_due()) {
      scheduler.advance(*due);
      ASSERT_LT(++turns, 10'000U);
    }
    scheduler.set_now(until);
  }

  Scheduler scheduler{start};
  Upstream upstream;
  Health& health = upstream.health;
  Blackholes dialler{scheduler};
  Sensing sensing{upstream, dialler, scheduler};
};

TEST(Sensing, GoesOnWhereTwoEndpointsAndTheirUpstreamAreDead) {
  Dead dead{2};
  dead.run_for(60s);
  EXPECT_GE(dead.dialler.dials, 20U);
  EXPECT_LE(dead.dialler.dials, 2 * 61U) << "one at a time of each";
}

TEST(Sensing, AsksTheOnlyEndpointAtOnceWhenItIsGivenBack) {
  Dead dead{1};
  dead.health.hold(EndpointId{0}, Hold::open, dead.scheduler.now());
  dead.run_for(5s);
  EXPECT_EQ(dead.dialler.dials, 0U) << "there is nobody to ask";
  dead.health.hold(EndpointId{0}, std::nullopt, dead.scheduler.now());
  ASSERT_EQ(dead.health.snapshot(dead.scheduler.now()).endpoints[0].state, CircuitState::closed);
  dead.run_for(10ms);
  EXPECT_EQ(dead.dialler.dials, 1U);
}

TEST(Sensing, AsksAnEndpointAtOnceThatComesWhileNobodyElseCanBeAsked) {
  Dead dead{1};
  dead.health.hold(EndpointId{0}, Hold::open, dead.scheduler.now());
  dead.run_for(5s);
  dead.health.set_endpoints({{EndpointId{0}, {}}, {EndpointId{1}, {}}}, dead.scheduler.now());
  dead.sensing.something_changed();
  dead.run_for(10ms);
  EXPECT_EQ(dead.dialler.dials, 1U);
}

}  // namespace
}  // namespace candor
