// What `explain` says of endpoints that are out, and of what was refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "explained.hpp"

namespace candor::admin {
namespace {

using testing::explained;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Play;

/// Endpoints with circuits of their own.
Play play_of(std::size_t endpoints) {
  std::vector<std::string> addresses;
  for (std::size_t i = 1; i <= endpoints; ++i) addresses.push_back("payments-" + std::to_string(i) + ":8080");
  return Play{{}, addresses, {}};
}

TEST(ExplainEndpoints, AnEjectionIsExplainedLikeAnOpening) {
  auto play = play_of(3);
  play.good({.endpoint = 0}, 30);
  play.bad({.method = "POST", .path = "/charge", .endpoint = 1}, FailureKind::status, 503, 7);
  play.good({.endpoint = 0}, 5);
  auto const text = explained(play);
  EXPECT_THAT(text, HasSubstr("Endpoints: 1 of 3 not simply in\n  payments-2:8080 is EJECTED for 50ms. Rule "
                              "evidence_run: A run of 7 failed attempts."));
  EXPECT_THAT(text, HasSubstr("    7 × POST /charge  503\n"));
  EXPECT_THAT(text,
              HasSubstr("The next request that can go elsewhere if it fails probes it, in 50ms or later."));
  EXPECT_THAT(text, Not(HasSubstr("payments-1:8080 is")));
}

TEST(ExplainEndpoints, OneThatIsHeldSaysSo) {
  auto play = play_of(2);
  play.upstream()->health.hold(EndpointId{0}, Hold::open, play.now);
  play.pass(2min);
  auto const text = explained(play);
  EXPECT_THAT(text, HasSubstr("  payments-1:8080 is held open by an operator for 2min.\n"
                              "  It gets nothing until an operator gives it back.\n"));
}

TEST(ExplainEndpoints, NoMoreThanThreeAreShown) {
  auto play = play_of(8);
  for (std::uint32_t i = 0; i < 5; ++i) play.upstream()->health.hold(EndpointId{i}, Hold::open, play.now);
  auto const text = explained(play);
  EXPECT_THAT(text, HasSubstr("Endpoints: 5 of 8 not simply in"));
  EXPECT_THAT(text, HasSubstr("  and 2 more\n"));
}

TEST(ExplainEndpoints, WhereAllAreInThereIsNothingToSay) {
  auto play = play_of(3);
  play.good({}, 3);
  EXPECT_THAT(explained(play), Not(HasSubstr("Endpoints")));
}

TEST(ExplainRefusals, GivesTheNumbersByReason) {
  auto play = play_of(2);
  auto account = play.account();
  EXPECT_THAT(explain(account), Not(HasSubstr("by reason")));
  account.refusals.refused[static_cast<std::size_t>(Refusal::circuit_open)] = 9000;
  account.refusals.refused.back() = 2;
  account.refusals.denied[static_cast<std::size_t>(RetryDenied::budget)] = 40;
  EXPECT_THAT(explain(account), HasSubstr("Since Candor started, by reason\n"
                                          "  Requests refused: 9,000 circuit_open, 2 other.\n"
                                          "  Failed attempts not retried: 40 budget.\n"));
}

}  // namespace
}  // namespace candor::admin
