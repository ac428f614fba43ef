// What comes before an answer: interim answers, and the word that a body is wanted.
#include <gtest/gtest.h>

#include "asked.hpp"

namespace candor::test {
namespace {

constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr std::string_view post_nothing = "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n";

/// The head of a request whose body, "hello", is held back.
std::string expecting(std::string const& method = "POST", std::string const& version = "1.1") {
  return method + " / HTTP/" + version +
         "\r\nHost: test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
}

bool asks_first(std::string const& head) {
  return head.find("Expect: 100-continue\r\n") != std::string::npos;
}

/// The caller gets the word to go on, and does.
void sends_when_told(Asked& asked) {
  EXPECT_EQ(asked.caller.read_head(), go_on);
  asked.caller.send("hello");
  EXPECT_EQ(asked.endpoint.read_bytes(5), "hello");
}

/// The endpoint answers, and that is the answer.
void ends_well(Asked& asked) {
  asked.endpoint.send(fine);
  EXPECT_EQ(asked.caller.read_answer().status, 200U);
}

TEST(Interim, AnswersReachTheCallerAsTheyCome) {
  Asked asked{"GET / HTTP/1.1\r\nHost: test\r\n\r\n"};
  asked.endpoint.send("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nConnection: x\r\nX: y\r\n\r\n");
  EXPECT_EQ(asked.caller.read_head(), "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n");
  asked.endpoint.send("HTTP/1.1 102 Processing\r\n\r\n");
  EXPECT_EQ(asked.caller.read_head(), "HTTP/1.1 102 Processing\r\n\r\n");
  ends_well(asked);
}

TEST(Interim, AnswersAreKeptFromOldCallers) {
  Asked asked{"GET / HTTP/1.0\r\nHost: test\r\n\r\n"};
  asked.endpoint.send("HTTP/1.1 103 Early Hints\r\n\r\n" + std::string(fine));
  EXPECT_TRUE(asked.caller.read_head().starts_with("HTTP/1.0 200 "));
}

TEST(Interim, AContinueThatNobodyWaitsForPassesLikeTheOthers) {
  Asked asked{"GET / HTTP/1.1\r\nHost: test\r\n\r\n"};
  asked.endpoint.send(std::string(go_on) + std::string(fine));
  EXPECT_EQ(asked.caller.read_head(), go_on);
  EXPECT_TRUE(asked.caller.read_head().starts_with("HTTP/1.1 200 "));
}

TEST(Interim, AKeptConnectionThatEndsAfterOneWasNotStale) {
  Asked asked{post_nothing};
  ends_well(asked);
  asked.caller.send(post_nothing);
  asked.endpoint.read_head();
  asked.endpoint.send("HTTP/1.1 102 Processing\r\n\r\n");
  EXPECT_TRUE(asked.caller.read_head().starts_with("HTTP/1.1 102 "));
  asked.endpoint.close();
  EXPECT_EQ(asked.caller.read_answer().status, 502U);
  ASSERT_TRUE(asked.proxy.settles());
  auto const ledger = asked.proxy.ledger();
  EXPECT_EQ(ledger.excluded, 0U);
  EXPECT_EQ(failures(ledger, FailureKind::reset), 1U);
}

TEST(Interim, AnswersWithoutAnEndAreAFailure) {
  Asked asked{post_nothing};
  std::string flood;
  while (flood.size() < 70'000)
    flood += "HTTP/1.1 103 Early Hints\r\nX: " + std::string(900, 'x') + "\r\n\r\n";
  asked.endpoint.send(flood);
  EXPECT_EQ(asked.caller.read_answer().status, 502U);
}

TEST(Expecting, GoesFromEndToEnd) {
  Asked asked{expecting()};
  EXPECT_TRUE(asks_first(asked.received)) << asked.received;
  asked.endpoint.send(go_on);
  sends_when_told(asked);
  ends_well(asked);
}

TEST(Expecting, ABodyThatIsNotWantedIsNeverSent) {
  Asked asked{expecting()};
  asked.endpoint.send("HTTP/1.1 413 Too much\r\nContent-Length: 0\r\n\r\n");
  auto const head = asked.caller.read_head();
  EXPECT_TRUE(head.starts_with("HTTP/1.1 413 ")) << head;
  EXPECT_NE(head.find("Connection: close"), std::string::npos) << head;
  EXPECT_TRUE(asked.endpoint.ended());
  ASSERT_TRUE(asked.proxy.settles());
  EXPECT_EQ(asked.proxy.ledger().success, 1U);
}

TEST(Expecting, IsOverWithAnAnswer) {
  Asked asked{expecting()};
  asked.endpoint.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhe");
  auto const head = asked.caller.read_head();
  EXPECT_TRUE(head.starts_with("HTTP/1.1 200 ") && head.find("Connection: close") != std::string::npos)
      << head;
  EXPECT_EQ(asked.caller.read_bytes(2), "he");
  asked.caller.send("hello");
  asked.endpoint.send("re");
  EXPECT_EQ(asked.caller.read_bytes(4), "re");
}

TEST(Expecting, HurtsNoEndpointThatSaysNothing) {
  Asked asked{expecting(), {.timeouts = {.attempt = 400ms}}};  // half of which it is asked for
  sends_when_told(asked);
  ends_well(asked);
}

TEST(Expecting, ACallerThatSendsAllTheSameIsNotHeldUp) {
  Asked asked{expecting()};
  asked.caller.send("hello");
  EXPECT_EQ(asked.endpoint.read_bytes(5), "hello");
  asked.endpoint.send(std::string(go_on) + std::string(fine));
  EXPECT_TRUE(asked.caller.read_head().starts_with("HTTP/1.1 200 "));
}

TEST(Expecting, ACallerThatSendsItAlongIsNotAskedFor) {
  Asked asked{expecting() + "hello"};
  EXPECT_FALSE(asks_first(asked.received)) << asked.received;
  EXPECT_EQ(asked.endpoint.read_bytes(5), "hello");
}

TEST(Expecting, AnEndpointThatSaysNothingStallsNobody) {
  Asked asked{expecting(), {.timeouts = {.go_ahead = 1ms}}};
  EXPECT_TRUE(asks_first(asked.received)) << asked.received;
  sends_when_told(asked);
  ends_well(asked);
}

TEST(Expecting, IsNotUnderstoodFromOldCallers) {
  Asked asked{expecting("POST", "1.0")};
  EXPECT_FALSE(asks_first(asked.received)) << asked.received;
}

TEST(Expecting, IsAskedAgainOnARetryAsLongAsTheCallerWaits) {
  Asked asked{expecting("PUT")};
  EXPECT_TRUE(asks_first(asked.received)) << asked.received;
  asked.endpoint.send(busy);
  EXPECT_TRUE(asks_first(asked.next_attempt()));
  asked.endpoint.send(go_on);
  sends_when_told(asked);
  ends_well(asked);
}

TEST(Expecting, IsNotAskedAgainOnceTheBodyIsHere) {
  Asked asked{expecting("PUT")};
  asked.endpoint.send(go_on);
  sends_when_told(asked);
  asked.endpoint.send(busy);
  EXPECT_FALSE(asks_first(asked.next_attempt()));
  EXPECT_EQ(asked.endpoint.read_bytes(5), "hello");
  ends_well(asked);
}

}  // namespace
}  // namespace candor::test
