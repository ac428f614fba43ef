#include "candor/admin/server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <deque>
#include <future>
#include <mutex>
#include <thread>

#include "candor/admin/get.hpp"
#include "support/eventually.hpp"

namespace candor::admin {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string local(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); }

/// A connection that speaks raw bytes.
class Wire {
 public:
  explicit Wire(std::uint16_t port) { socket_.connect({asio::ip::address_v4::loopback(), port}); }

  void send(std::string_view text) { asio::write(socket_, asio::buffer(text)); }

  /// Until the peer closes.
  std::string rest() {
    std::string text;
    boost::system::error_code ended;
    asio::read(socket_, asio::dynamic_buffer(text), ended);
    return std::exchange(kept_, {}) + text;
  }
  /// Up to and with `end`.
  std::string until(std::string_view end) {
    auto const size = asio::read_until(socket_, asio::dynamic_buffer(kept_), end);
    auto const text = kept_.substr(0, size);
    kept_.erase(0, size);
    return text;
  }
  std::string bytes(std::size_t count) {
    if (kept_.size() < count) {
      asio::read(socket_, asio::dynamic_buffer(kept_), asio::transfer_exactly(count - kept_.size()));
    }
    auto const text = kept_.substr(0, count);
    kept_.erase(0, count);
    return text;
  }

 private:
  asio::io_context io_;
  tcp::socket socket_{io_};
  std::string kept_;
};

constexpr auto get = "GET /hello?x=1 HTTP/1.1\r\nHost: localhost\r\n\r\n";
constexpr auto get_and_close = "GET /last HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

Answer echo(Request const& request) {
  return {.status = 200, .body = request.method + ' ' + request.target + '\n'};
}

class Server : public ::testing::Test {
 protected:
  void start(Handler handler = echo) { server.start("127.0.0.1:0", std::move(handler)); }
  std::string exchange(std::string_view text) {
    Wire wire{server.port()};
    wire.send(text);
    return wire.rest();
  }

  AdminServer server{{.connections = 2, .head = 2_KiB, .body = 1_KiB, .timeout = 30s}};
};

TEST_F(Server, KeepsAConnectionForTheNextRequest) {
  start();
  Wire wire{server.port()};
  wire.send(get);
  EXPECT_THAT(wire.until("GET /hello?x=1\n"), StartsWith("HTTP/1.1 200 OK\r\n"));
  wire.send(get_and_close);
  auto const last = wire.rest();
  EXPECT_THAT(last, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(last, HasSubstr("Cache-Control: no-store\r\n"));
  EXPECT_THAT(last, EndsWith("\r\n\r\nGET /last\n"));
}

TEST_F(Server, SaysWhenItAnsweredWhateverTheAnswer) {
  AdminServer dated{{}, [] { return WallTime{std::chrono::seconds{784'111'777}}; }};
  dated.start("127.0.0.1:0", echo);
  for (auto const* request : {get_and_close, "no such thing\r\n\r\n"}) {
    Wire wire{dated.port()};
    wire.send(request);
    EXPECT_THAT(wire.rest(), HasSubstr("\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n")) << request;
  }
}

TEST_F(Server, HeadGetsTheLengthAndNoBody) {
  start();
  auto const answer = exchange("HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Length: 7\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST_F(Server, AnHttp10CallerIsAnsweredAndTheConnectionClosed) {
  start();
  EXPECT_THAT(exchange("GET / HTTP/1.0\r\n\r\n"), EndsWith("\r\n\r\nGET /\n"));
}

TEST_F(Server, BoundsHeadAndBody) {
  start();
  EXPECT_THAT(exchange("GET / HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(4000, 'x') + "\r\n\r\n"),
              StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(
      exchange("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\n" + std::string(5000, 'x')),
      StartsWith("HTTP/1.1 413 "));
}

TEST_F(Server, WhatIsNoHttpGetsAProblem) {
  start();
  auto const answer = exchange("\x16\x03\x01 this is TLS, or worse\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(answer, HasSubstr("Content-Type: application/problem+json\r\n"));
}

TEST_F(Server, AHandlerThatThrowsIsA500) {
  start([](Request const&) -> Answer { throw std::runtime_error("no such luck"); });
  auto const answer = exchange(get_and_close);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(answer, HasSubstr("no such luck"));
}

TEST_F(Server, ASilentCallerIsPutOutAfterTheTimeout) {
  AdminServer impatient{{.timeout = 20ms}};
  impatient.start("127.0.0.1:0", echo);
  Wire silent{impatient.port()};
  silent.send("GET / HT");
  EXPECT_EQ(silent.rest(), "");
}

TEST_F(Server, HalfSentRequestsDontKeepAHealthCheckOut) {
  AdminServer usual;
  usual.start("127.0.0.1:0", echo);
  std::deque<Wire> slow;
  for (int i = 0; i < 70; ++i) slow.emplace_back(usual.port()).send("GET /livez HTTP/1.1\r\nHo");
  Wire healthy{usual.port()};
  healthy.send(get_and_close);
  EXPECT_THAT(healthy.rest(), EndsWith("GET /last\n"));
  EXPECT_EQ(slow.front().rest(), "");
  // Who came late enough still has its place.
  slow.back().send("st: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(slow.back().rest(), EndsWith("GET /livez\n"));
}

TEST_F(Server, TheOneThatHasBeenWaitingLongestGivesItsPlace) {
  start();
  Wire first{server.port()};
  Wire second{server.port()};
  for (auto* wire : {&first, &second, &first}) {
    wire->send(get);
    wire->until("GET /hello?x=1\n");
  }
  Wire third{server.port()};
  third.send(get);
  third.until("GET /hello?x=1\n");
  EXPECT_EQ(second.rest(), "");
  first.send(get_and_close);
  EXPECT_THAT(first.rest(), EndsWith("GET /last\n"));
}

TEST_F(Server, AnAnswerUnderWayKeepsItsPlace) {
  std::string const much(std::size_t{32} << 20U, 'x');
  start([&much](Request const& request) {
    return request.target == "/last" ? echo(request) : Answer{.status = 200, .body = much};
  });
  Wire first{server.port()};
  Wire second{server.port()};
  for (auto* wire : {&first, &second}) {
    wire->send(get);
    wire->until("\r\n\r\n");
  }
  Wire third{server.port()};
  third.send(get_and_close);
  auto waiting = std::async(std::launch::async, [&third] { return third.rest(); });
  EXPECT_EQ(waiting.wait_for(std::chrono::milliseconds{50}), std::future_status::timeout);
  // Once its answer has gone out, a connection that is kept gives its place.
  EXPECT_EQ(second.bytes(much.size()), much);
  EXPECT_THAT(waiting.get(), EndsWith("GET /last\n"));
  EXPECT_EQ(first.bytes(much.size()), much);
}

/// A stream whose pieces the test gives.
class Fountain final : public Stream {
 public:
  std::string take() override {
    std::lock_guard const held{lock_};
    return std::exchange(ready_, {});
  }
  void when_more(std::function<void()> more) override {
    std::lock_guard const held{lock_};
    more_ = std::move(more);
  }
  void pour(std::string const& piece) {
    std::lock_guard const held{lock_};
    ready_ += piece;
    if (more_) more_();
  }

 private:
  std::mutex lock_;
  std::string ready_;
  std::function<void()> more_;
};

constexpr auto get_stream = "GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// Answers /stream with what is poured, anything else with an echo.
struct Streaming {
  explicit Streaming(ServerLimits limits) : server(limits) {
    server.start("127.0.0.1:0", [fountain = fountain](Request const& request) {
      return request.target == "/stream" ? Answer{.content_type = "text/event-stream", .stream = fountain}
                                         : echo(request);
    });
  }
  /// Whether another reader gets a stream.
  [[nodiscard]] bool has_place() const {
    Wire next{server.port()};
    next.send(get_stream);
    return next.until("\r\n").starts_with("HTTP/1.1 200 ");
  }

  std::shared_ptr<Fountain> fountain = std::make_shared<Fountain>();
  AdminServer server;
};

TEST(Streams, GoOutAsTheyComeAndOthersAreAnsweredMeanwhile) {
  Streaming streaming{{.connections = 4, .timeout = 30s}};
  Wire reader{streaming.server.port()};
  reader.send(get_stream);
  auto const head = reader.until("\r\n\r\n");
  EXPECT_THAT(head, HasSubstr("Content-Type: text/event-stream\r\n"));
  EXPECT_THAT(head, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(head, ::testing::Not(HasSubstr("Content-Length")));
  streaming.fountain->pour("one\n");
  EXPECT_EQ(reader.until("\n"), "one\n");
  Wire other{streaming.server.port()};
  other.send(get_and_close);
  EXPECT_THAT(other.rest(), EndsWith("GET /last\n"));
  streaming.fountain->pour("two\n");
  EXPECT_EQ(reader.until("\n"), "two\n");
}

TEST(Streams, AHeadRequestGetsNoStream) {
  Streaming streaming{{.timeout = 30s}};
  Wire wire{streaming.server.port()};
  wire.send("HEAD /stream HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(wire.rest(), EndsWith("\r\n\r\n"));
}

TEST(Streams, ShowThatTheyLiveWhenThereIsNothingToSay) {
  Streaming streaming{{.heartbeat = 5ms, .timeout = 30s}};
  Wire reader{streaming.server.port()};
  reader.send(get_stream);
  reader.until("\r\n\r\n");
  EXPECT_EQ(reader.until("\n\n"), ":\n\n");
  EXPECT_EQ(reader.until("\n\n"), ":\n\n");
}

TEST(Streams, AreBoundedAndAReaderThatLeavesGivesItsPlaceAtOnce) {
  Streaming streaming{{.connections = 8, .streams = 1, .heartbeat = 1h, .timeout = 30s}};
  {
    Wire reader{streaming.server.port()};
    reader.send(get_stream);
    reader.until("\r\n\r\n");
    Wire second{streaming.server.port()};
    second.send(get_stream);
    auto const full = second.rest();
    EXPECT_THAT(full, StartsWith("HTTP/1.1 503 "));
    EXPECT_THAT(full, HasSubstr("Retry-After: "));
  }
  // Its end is seen without anything being sent; how soon is the kernel's affair.
  EXPECT_TRUE(test::eventually([&streaming] { return streaming.has_place(); }));
}

TEST(Streams, AReaderThatTakesNothingIsPutOut) {
  Streaming streaming{{.streams = 1, .heartbeat = 1h, .timeout = 50ms}};
  Wire slow{streaming.server.port()};
  slow.send(get_stream);
  slow.until("\r\n\r\n");
  streaming.fountain->pour(std::string(std::size_t{64} << 20U, 'x'));
  EXPECT_TRUE(test::eventually([&streaming] { return streaming.has_place(); }));
}

TEST(Streams, DontHoldUpTheEnd) {
  Streaming streaming{{.heartbeat = 1h, .timeout = 30s}};
  Wire reader{streaming.server.port()};
  reader.send(get_stream);
  reader.until("\r\n\r\n");
  streaming.server.stop();
  EXPECT_EQ(reader.rest(), "");
}

TEST_F(Server, StopClosesWhatIsOpenAndFreesThePort) {
  start();
  Wire wire{server.port()};
  wire.send(get);
  wire.until("GET /hello?x=1\n");
  auto const port = server.port();
  server.stop();
  EXPECT_EQ(wire.rest(), "");
  server.start(local(port), echo);
  EXPECT_THAT(exchange(get_and_close), EndsWith("GET /last\n"));
}

std::string why_not(std::string const& address) {
  try {
    AdminServer server;
    server.start(address, echo);
  } catch (std::runtime_error const& error) {
    return error.what();
  }
  return "it listens";
}

TEST_F(Server, AnAddressThatCannotBeHadIsNamedWithTheReason) {
  start();
  auto const taken = local(server.port());
  EXPECT_EQ(why_not(taken), "admin: cannot listen on " + taken + ": Address already in use");
  EXPECT_EQ(why_not("127.0.0.1"), "admin: cannot listen on 127.0.0.1: it is no HOST:PORT");
  EXPECT_THAT(why_not("192.0.2.1:80"), StartsWith("admin: cannot listen on 192.0.2.1:80: "));
}

TEST_F(Server, AdminGetBringsTheReply) {
  start();
  auto const reply = std::get<Reply>(admin_get(local(server.port()), "/livez", 10s));
  EXPECT_EQ(reply.status, 200U);
  EXPECT_EQ(reply.body, "GET /livez\n");
  EXPECT_EQ(reply.content_type, "text/plain; charset=utf-8");
}

TEST_F(Server, AdminGetAsksLoopbackForAWildcardAndSendsAHostThatIsTaken) {
  std::string host;
  start([&host](Request const& request) {
    host = request.host;
    return echo(request);
  });
  EXPECT_TRUE(std::holds_alternative<Reply>(admin_get("0.0.0.0:" + std::to_string(server.port()), "/", 10s)));
  server.stop();
  EXPECT_EQ(host, "127.0.0.1");
}

TEST_F(Server, AdminGetSaysWhyThereIsNoReply) {
  start();
  auto const gone = local(server.port());
  server.stop();
  EXPECT_EQ(std::get<NoReply>(admin_get(gone, "/", 10s)).why, gone + " does not answer: Connection refused");
  EXPECT_EQ(std::get<NoReply>(admin_get("nowhere", "/", 10s)).why, "nowhere is no HOST:PORT");
}

TEST(Said, AProblemSpeaksByItsDetail) {
  EXPECT_EQ(said({200, "text/plain; charset=utf-8", "open\n"}), "open\n");
  EXPECT_EQ(said({404, "application/problem+json", R"({"title": "No", "detail": "There is none."})"}),
            "There is none.\n");
  EXPECT_EQ(said({500, "application/problem+json", "[broken"}), "[broken");
  EXPECT_EQ(said({500, "application/problem+json", R"({"detail": 5})"}), R"({"detail": 5})");
}

/// Takes connections into its backlog.
struct Listener {
  asio::io_context io;
  tcp::acceptor acceptor{io, {asio::ip::address_v4::loopback(), 0}};
  [[nodiscard]] std::string address() const { return local(acceptor.local_endpoint().port()); }
};

TEST_F(Server, AdminPostSendsJsonAndTheHandlerLearnsWhoAsks) {
  Request seen;
  start([&seen](Request const& request) {
    seen = request;
    return echo(request);
  });
  auto const reply = std::get<Reply>(admin_post(local(server.port()), "/order", R"({"a": 1})", 10s));
  EXPECT_EQ(reply.body, "POST /order\n");
  server.stop();
  EXPECT_EQ(seen.body, R"({"a": 1})");
  EXPECT_EQ(seen.content_type, "application/json");
  EXPECT_THAT(seen.peer, StartsWith("127.0.0.1:"));
}

TEST_F(Server, TheHandlerLearnsWhosePageAsks) {
  Request seen;
  start([&seen](Request const& request) {
    seen = request;
    return echo(request);
  });
  exchange(
      "POST / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\nSec-Fetch-Site: cross-site\r\n"
      "Content-Length: 0\r\nConnection: close\r\n\r\n");
  server.stop();
  EXPECT_EQ(seen.origin, "http://evil.example");
  EXPECT_EQ(seen.fetch_site, "cross-site");
}

TEST_F(Server, AdminGetDoesNotWaitLongerThanItMay) {
  Listener const silent;
  EXPECT_EQ(std::get<NoReply>(admin_get(silent.address(), "/", 30ms)).why,
            silent.address() + " gave no answer within 30ms");
}

TEST_F(Server, AdminGetNoticesWhatIsNoHttp) {
  Listener other;
  std::thread peer{[&other] {
    auto socket = other.acceptor.accept();
    std::string request;
    asio::read_until(socket, asio::dynamic_buffer(request), "\r\n\r\n");
    asio::write(socket, asio::buffer(std::string_view("220 mail.example ESMTP\r\n")));
  }};
  EXPECT_THAT(std::get<NoReply>(admin_get(other.address(), "/", 10s)).why,
              StartsWith(other.address() + " gave no answer that could be read: "));
  peer.join();
}

}  // namespace
}  // namespace candor::admin
