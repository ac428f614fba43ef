// What comes before an answer: interim answers, and the word that a body is wanted.
#include <gtest/gtest.h>

#include "proxy_rig.hpp"
#include "support/hand_upstream.hpp"

namespace candor::test {
namespace {

constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr std::string_view fine = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

std::string post(std::string const& fields, std::string const& version = "1.1") {
  return "POST / HTTP/" + version + "\r\nHost: test\r\nContent-Length: 5\r\n" + fields + "\r\n";
}
std::string const expecting = post("Expect: 100-continue\r\n");

bool asks_first(std::string const& head) {
  return head.find("Expect: 100-continue\r\n") != std::string::npos;
}

/// A caller and an endpoint that has read the caller's head.
struct Asked {
  explicit Asked(std::string_view head) {
    caller.send(head);
    endpoint.emplace(upstream.accept());
    received = endpoint->read_head();
  }

  HandUpstream upstream{};
  Proxy proxy{upstream_of({upstream.address()})};
  SocketCaller caller{proxy.caller()};
  std::optional<SocketCaller> endpoint{};
  std::string received{};
};

TEST(Interim, AnswersReachTheCallerAsTheyCome) {
  Asked asked{"GET / HTTP/1.1\r\nHost: test\r\n\r\n"};
  asked.endpoint->send("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nConnection: x\r\nX: y\r\n\r\n");
  EXPECT_EQ(asked.caller.read_head(), "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n");
  asked.endpoint->send("HTTP/1.1 102 Processing\r\n\r\n");
  EXPECT_EQ(asked.caller.read_head(), "HTTP/1.1 102 Processing\r\n\r\n");
  asked.endpoint->send(fine);
  EXPECT_EQ(asked.caller.read_answer().status, 200U);
}

TEST(Interim, AnswersAreKeptFromOldCallers) {
  Asked asked{"GET / HTTP/1.0\r\nHost: test\r\n\r\n"};
  asked.endpoint->send("HTTP/1.1 103 Early Hints\r\n\r\n" + std::string(fine));
  EXPECT_TRUE(asked.caller.read_head().starts_with("HTTP/1.0 200 "));
}

TEST(Interim, AContinueThatNobodyWaitsForPassesLikeTheOthers) {
  Asked asked{"GET / HTTP/1.1\r\nHost: test\r\n\r\n"};
  asked.endpoint->send(std::string(go_on) + std::string(fine));
  EXPECT_EQ(asked.caller.read_head(), go_on);
  EXPECT_TRUE(asked.caller.read_head().starts_with("HTTP/1.1 200 "));
}

TEST(Interim, AKeptConnectionThatEndsAfterOneWasNotStale) {
  HandUpstream upstream;
  Proxy proxy{upstream_of({upstream.address()})};
  auto caller = proxy.caller();
  caller.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n");
  auto endpoint = upstream.accept();
  endpoint.read_head();
  endpoint.send(fine);
  EXPECT_EQ(caller.read_answer().status, 200U);
  caller.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n");
  endpoint.read_head();
  endpoint.send("HTTP/1.1 102 Processing\r\n\r\n");
  EXPECT_TRUE(caller.read_head().starts_with("HTTP/1.1 102 "));
  endpoint.close();
  EXPECT_EQ(caller.read_answer().status, 502U);
  ASSERT_TRUE(proxy.settles());
  EXPECT_EQ(proxy.ledger().excluded, 0U);
  EXPECT_EQ(proxy.ledger().failures[static_cast<std::size_t>(FailureKind::reset)], 1U);
}

TEST(Interim, AnswersWithoutAnEndAreAFailure) {
  Asked asked{"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n"};
  std::string flood;
  while (flood.size() < 70'000)
    flood += "HTTP/1.1 103 Early Hints\r\nX: " + std::string(900, 'x') + "\r\n\r\n";
  asked.endpoint->send(flood);
  EXPECT_EQ(asked.caller.read_answer().status, 502U);
}

TEST(Expecting, GoesFromEndToEnd) {
  Asked asked{expecting};
  EXPECT_TRUE(asks_first(asked.received)) << asked.received;
  asked.endpoint->send(go_on);
  EXPECT_EQ(asked.caller.read_head(), go_on);
  asked.caller.send("hello");
  EXPECT_EQ(asked.endpoint->read_bytes(5), "hello");
  asked.endpoint->send(fine);
  EXPECT_EQ(asked.caller.read_answer().status, 200U);
}

TEST(Expecting, ABodyThatIsNotWantedIsNeverSent) {
  Asked asked{expecting};
  asked.endpoint->send("HTTP/1.1 413 Too much\r\nContent-Length: 0\r\n\r\n");
  auto const head = asked.caller.read_head();
  EXPECT_TRUE(head.starts_with("HTTP/1.1 413 ")) << head;
  EXPECT_NE(head.find("Connection: close"), std::string::npos) << head;
  EXPECT_TRUE(asked.endpoint->ended());
  ASSERT_TRUE(asked.proxy.settles());
  EXPECT_EQ(asked.proxy.ledger().success, 1U);
}

TEST(Expecting, IsOverWithAnAnswer) {
  Asked asked{expecting};
  asked.endpoint->send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhe");
  auto const head = asked.caller.read_head();
  EXPECT_TRUE(head.starts_with("HTTP/1.1 200 ") && head.find("Connection: close") != std::string::npos)
      << head;
  EXPECT_EQ(asked.caller.read_bytes(2), "he");
  asked.caller.send("hello");
  asked.endpoint->send("re");
  EXPECT_EQ(asked.caller.read_bytes(4), "re");
}

TEST(Expecting, HurtsNoEndpointThatSaysNothing) {
  HandUpstream upstream;
  auto settings = upstream_of({upstream.address()});
  settings.timeouts.attempt = 40ms;  // half of which it is asked for
  Proxy proxy{settings};
  auto caller = proxy.caller();
  caller.send(expecting);
  auto endpoint = upstream.accept();
  endpoint.read_head();
  EXPECT_EQ(caller.read_head(), go_on);
  caller.send("hello");
  EXPECT_EQ(endpoint.read_bytes(5), "hello");
  endpoint.send(fine);
  EXPECT_EQ(caller.read_answer().status, 200U);
}

TEST(Expecting, ACallerThatSendsAllTheSameIsNotHeldUp) {
  Asked asked{expecting};
  asked.caller.send("hello");
  EXPECT_EQ(asked.endpoint->read_bytes(5), "hello");
  asked.endpoint->send(std::string(go_on) + std::string(fine));
  EXPECT_TRUE(asked.caller.read_head().starts_with("HTTP/1.1 200 "));
}

TEST(Expecting, ACallerThatSendsItAlongIsNotAskedFor) {
  Asked asked{expecting + "hello"};
  EXPECT_FALSE(asks_first(asked.received)) << asked.received;
  EXPECT_EQ(asked.endpoint->read_bytes(5), "hello");
}

TEST(Expecting, AnEndpointThatSaysNothingStallsNobody) {
  HandUpstream upstream;
  auto settings = upstream_of({upstream.address()});
  settings.timeouts.go_ahead = 1ms;
  Proxy proxy{settings};
  auto caller = proxy.caller();
  caller.send(expecting);
  auto endpoint = upstream.accept();
  EXPECT_TRUE(asks_first(endpoint.read_head()));
  EXPECT_EQ(caller.read_head(), go_on);
  caller.send("hello");
  EXPECT_EQ(endpoint.read_bytes(5), "hello");
  endpoint.send(fine);
  EXPECT_EQ(caller.read_answer().status, 200U);
}

TEST(Expecting, IsNotUnderstoodFromOldCallers) {
  Asked asked{post("Expect: 100-continue\r\n", "1.0")};
  EXPECT_FALSE(asks_first(asked.received)) << asked.received;
}

TEST(Expecting, IsAskedAgainOnARetryAsLongAsTheCallerWaits) {
  HandUpstream upstream;
  Proxy proxy{upstream_of({upstream.address()})};
  auto caller = proxy.caller();
  caller.send("PUT / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  {
    auto first = upstream.accept();
    EXPECT_TRUE(asks_first(first.read_head()));
    first.send("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  }
  auto second = upstream.accept();
  EXPECT_TRUE(asks_first(second.read_head()));
  second.send(go_on);
  EXPECT_EQ(caller.read_head(), go_on);
  caller.send("hello");
  EXPECT_EQ(second.read_bytes(5), "hello");
  second.send(fine);
  EXPECT_EQ(caller.read_answer().status, 200U);
}

TEST(Expecting, IsNotAskedAgainOnceTheBodyIsHere) {
  HandUpstream upstream;
  Proxy proxy{upstream_of({upstream.address()})};
  auto caller = proxy.caller();
  caller.send("PUT / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  {
    auto first = upstream.accept();
    first.read_head();
    first.send(go_on);
    EXPECT_EQ(caller.read_head(), go_on);
    caller.send("hello");
    EXPECT_EQ(first.read_bytes(5), "hello");
    first.send("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  }
  auto second = upstream.accept();
  EXPECT_FALSE(asks_first(second.read_head()));
  EXPECT_EQ(second.read_bytes(5), "hello");
  second.send(fine);
  EXPECT_EQ(caller.read_answer().status, 200U);
}

}  // namespace
}  // namespace candor::test
