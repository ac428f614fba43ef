#include "candor/proxy/answer.hpp"

#include <gtest/gtest.h>

#include "support/rig.hpp"

namespace candor::test {
namespace {

using http::ProxyError;

struct Expected {
  Failure failure;
  std::uint16_t status;
  ProxyError error;
  std::string_view details;
};

TEST(OwnAnswer, EveryFailureHasItsStatusItsErrorAndItsDetails) {
  Rig rig;
  auto& call = rig.send();
  std::vector<Expected> const all{
      {Failure{FailureKind::connect}, 502, ProxyError::connection_refused, "connect"},
      {Failure{FailureKind::dns}, 502, ProxyError::dns_error, "dns"},
      {Failure{FailureKind::tls}, 502, ProxyError::tls_protocol_error, "tls"},
      {Failure{FailureKind::timeout}, 504, ProxyError::http_response_timeout, "attempt_timeout"},
      {Failure{FailureKind::reset}, 502, ProxyError::connection_terminated, "reset"},
      {Failure{FailureKind::truncated}, 502, ProxyError::http_response_incomplete, "truncated"},
      {Failure{FailureKind::protocol}, 502, ProxyError::http_protocol_error, "protocol"},
      {Failure{StaleConnection{}}, 502, ProxyError::connection_terminated, "stale_connection"},
      {Failure{CallerBodyBroken{}, "body_cut"}, 400, ProxyError::http_request_error, "body_cut"},
      {Failure{CallerBodyBroken{.late = true}, "body_late"}, 408, ProxyError::http_request_error,
       "body_late"},
      {Failure{Refusal::circuit_open}, 503, ProxyError::destination_unavailable, "circuit_open"},
      {Failure{Refusal::probe_in_flight}, 503, ProxyError::destination_unavailable, "probe_in_flight"},
      {Failure{Refusal::ramping}, 503, ProxyError::destination_unavailable, "ramping"},
      {Failure{Refusal::limit}, 503, ProxyError::connection_limit_reached, "limit"},
      {Failure{Refusal::queue_full}, 503, ProxyError::connection_limit_reached, "queue_full"},
      {Failure{Refusal::queue_timeout}, 503, ProxyError::connection_limit_reached, "queue_timeout"},
      {Failure{Refusal::throttled}, 503, ProxyError::destination_unavailable, "throttled"},
      {Failure{CancelReason::deadline}, 504, ProxyError::http_response_timeout, "deadline"},
      {Failure{CancelReason::attempt_timeout}, 504, ProxyError::http_response_timeout, "attempt_timeout"},
      {Failure{CancelReason::connect_timeout}, 504, ProxyError::connection_timeout, "connect_timeout"},
      {Failure{CancelReason::idle_timeout}, 504, ProxyError::connection_read_timeout, "idle_timeout"},
      {Failure{CancelReason::shutdown}, 503, ProxyError::proxy_internal_response, "shutdown"},
  };
  for (auto const& expected : all) {
    auto const answer = own_answer(expected.failure, *call.exchange);
    EXPECT_EQ(answer.status, expected.status) << expected.details;
    ASSERT_TRUE(answer.error) << expected.details;
    EXPECT_EQ(name(*answer.error), name(expected.error)) << expected.details;
    EXPECT_EQ(answer.details, expected.details);
    EXPECT_EQ(answer.history, "") << expected.details;
  }
}

TEST(OwnAnswer, ADetailOfTheFailureIsMoreThanTheUsualOne) {
  Rig rig;
  auto& call = rig.send();
  EXPECT_EQ(own_answer(Failure{FailureKind::protocol, "head_too_large"}, *call.exchange).details,
            "head_too_large");
}

TEST(OwnAnswer, ARefusalSaysWhyAndWhenToComeBackAndThatItIsNoRetry) {
  Rig rig;
  rig.open_circuit();
  auto& call = rig.send();
  auto const answer = own_answer(*call.failure, *call.exchange);
  EXPECT_EQ(answer.candor_retry, "refused");
  ASSERT_TRUE(answer.retry_after);
  EXPECT_EQ(*answer.retry_after, rig.health().retry_after);
  EXPECT_NE(answer.explanation.find("circuit of up is open"), std::string::npos) << answer.explanation;
}

TEST(OwnAnswer, AfterRetriesItSaysThatTheyAreExhausted) {
  Rig rig;
  rig.transport.usually = fails(FailureKind::reset);
  auto& call = rig.send();
  rig.run_for(1s);
  EXPECT_EQ(own_answer(*call.failure, *call.exchange).candor_retry, "exhausted");
}

TEST(OwnAnswer, WithoutARetryItDoesNot) {
  Rig rig;
  rig.transport.usually = fails(FailureKind::reset);
  auto& call = rig.send({.method = "POST"});
  rig.run_for(1s);
  EXPECT_EQ(own_answer(*call.failure, *call.exchange).candor_retry, "");
}

TEST(OwnAnswer, ItSaysWhyThereWasNoFurtherRetryBehindItsToken) {
  Rig rig;
  rig.transport.usually = fails(FailureKind::reset);
  auto& posted = rig.send({.method = "POST"});
  rig.run_for(1s);
  auto const once = own_answer(*posted.failure, *posted.exchange);
  EXPECT_EQ(once.details, "reset");
  EXPECT_EQ(once.history, "attempts=1; retries denied: not_replayable");
  auto& got = rig.send();
  rig.run_for(1s);
  EXPECT_EQ(own_answer(*got.failure, *got.exchange).history, "attempts=3; retries denied: attempts");
}

TEST(OwnAnswer, ARefusalWithoutAnAttemptHasNoHistory) {
  Rig rig;
  rig.open_circuit();
  auto& call = rig.send();
  auto const answer = own_answer(*call.failure, *call.exchange);
  EXPECT_EQ(answer.details, "circuit_open");
  EXPECT_EQ(answer.history, "");
}

TEST(OwnAnswer, ADeadlineDuringARetrySaysHowManyAttemptsThereWere) {
  auto settings = plain_settings();
  settings.timeouts.request = 100ms;
  Rig rig{settings};
  rig.transport.then(fails(FailureKind::reset));
  rig.transport.usually = hangs();
  auto& call = rig.send();
  rig.run_for(1s);
  auto const answer = own_answer(*call.failure, *call.exchange);
  EXPECT_EQ(answer.details, "deadline");
  EXPECT_EQ(answer.history, "attempts=2");
}

TEST(ProxyStatus, IsNotAddedToWhatCandorHadNoHandIn) {
  Rig rig;
  auto& call = rig.send();
  EXPECT_EQ(proxy_status_of(*call.exchange, 200, true), "");
}

TEST(ProxyStatus, TellsOfAttemptsBeforeAGoodAnswer) {
  Rig rig;
  rig.transport.then(answers(503));
  auto& call = rig.send();
  rig.run_for(1s);
  EXPECT_EQ(proxy_status_of(*call.exchange, 200, true),
            "candor; received-status=200; details=\"attempts=2\"");
}

TEST(ProxyStatus, TellsWhyAFailureWasNotRetried) {
  auto settings = plain_settings();
  settings.retry.budget = {.ratio = 0, .per_second = 0.2, .over = 10s};  // two tokens
  settings.retry.attempts = 5;
  Rig rig{settings};
  rig.transport.usually = answers(503);
  auto& call = rig.send();
  rig.run_for(1s);
  EXPECT_EQ(proxy_status_of(*call.exchange, 503, false),
            "candor; received-status=503; details=\"attempts=3; retries denied: budget\"");
}

TEST(ProxyStatus, AStaleConnectionIsNoAttemptMore) {
  Rig rig;
  rig.transport.then(finds_it_stale());
  auto& call = rig.send();
  EXPECT_EQ(proxy_status_of(*call.exchange, 200, true), "");
}

}  // namespace
}  // namespace candor::test
