#include "candor/resilience/retry_shadow.hpp"

#include <gtest/gtest.h>

#include "resilience/driver.hpp"

namespace candor {
namespace {

using test::start;

/// A failed attempt that is worth another one.
struct Case {
  explicit Case(RetrySettings settings) : shadow(std::move(settings)) {}

  bool compare(bool another_follows) {
    return shadow.compare(another_follows, history, CircuitState::closed, 10s, start, rng);
  }

  RetryShadow shadow;
  AttemptHistory history{.attempts = 1, .failure = FailureKind::status, .status = 503, .idempotent = true};
  Rng rng{1};
};

TEST(RetryShadow, CountsNothingWhereTheRulesAgree) {
  Case c{{.attempts = 2}};
  EXPECT_TRUE(c.compare(true));
  c.history.attempts = 2;
  EXPECT_TRUE(c.compare(false));
  EXPECT_EQ(c.shadow.added(), 0U);
  EXPECT_EQ(c.shadow.spared(RetryDenied::attempts), 0U);
}

TEST(RetryShadow, CountsRetriesThatItWouldNotHaveMadeByItsReason) {
  Case c{{.attempts = 1}};
  EXPECT_FALSE(c.compare(true)) << "here the request is over for it";
  EXPECT_EQ(c.shadow.spared(RetryDenied::attempts), 1U);
  Case picky{{.on = {{FailureKind::connect}, {}}}};
  EXPECT_FALSE(picky.compare(true));
  EXPECT_EQ(picky.shadow.spared(RetryDenied::condition), 1U);
}

TEST(RetryShadow, CountsRetriesThatItWouldHaveMade) {
  Case c{{.attempts = 3}};
  EXPECT_FALSE(c.compare(false)) << "what they would have come to it can't know";
  EXPECT_EQ(c.shadow.added(), 1U);
}

TEST(RetryShadow, ItsRetriesAreBoundByABudgetOfItsOwn) {
  Case c{{.budget = {.ratio = 0.5, .per_second = 0.2, .over = 10s, .stretch = std::nullopt}}};
  for (int i = 0; i < 10; ++i) c.compare(false);
  EXPECT_EQ(c.shadow.added(), 2U);
  EXPECT_FALSE(c.compare(true));
  EXPECT_EQ(c.shadow.spared(RetryDenied::budget), 1U);
  // What came before them earns nothing for what comes after: no span of ten seconds holds more.
  for (int i = 0; i < 8; ++i) c.shadow.request(start, false);
  for (int i = 0; i < 10; ++i) c.compare(false);
  EXPECT_EQ(c.shadow.added(), 4U);
}

TEST(RetryShadow, ReadsTheCircuitThatItIsGiven) {
  Case c{{}};
  EXPECT_FALSE(c.shadow.compare(true, c.history, CircuitState::open, 10s, start, c.rng));
  EXPECT_EQ(c.shadow.spared(RetryDenied::circuit), 1U);
}

}  // namespace
}  // namespace candor
