// What is read at /api/v1/events, as JSON and as a stream.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "candor/admin/routes.hpp"
#include "candor/observe/event_feed.hpp"
#include "support.hpp"

namespace candor::admin {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Play;
using ::testing::StartsWith;

class Events : public ::testing::Test {
 protected:
  Events() { observe::EventFeed::watch(feed, *play.upstream()); }

  Answer ask(Request request) {
    request.host = "localhost";
    Sources sources{.upstreams = [this] { return std::vector{play.upstream()}; },
                    .now = [this] { return play.now; },
                    .wall = [this] { return play.wall; },
                    .events = feed->ring()};
    return Routes{sources, {}}.answer(request);
  }
  nlohmann::json json(std::string target) {
    auto const answer = ask({.target = std::move(target)});
    EXPECT_EQ(answer.status, 200U);
    EXPECT_EQ(answer.content_type, "application/json");
    return nlohmann::json::parse(answer.body);
  }
  static std::string taken(Answer const& answer) {
    EXPECT_EQ(answer.content_type, "text/event-stream");
    return answer.stream ? answer.stream->take() : "no stream";
  }
  void note(std::string const& what) { feed->note(LogSettings::Level::info, what, play.now); }
  void order(std::string const& what) { feed->order(*play.upstream(), what, play.now); }

  Play play;
  std::shared_ptr<observe::EventFeed> feed = std::make_shared<observe::EventFeed>(
      std::make_shared<observe::OperationalLog>(LogSettings{}, [](std::string_view) {}),
      [this] { return play.wall; });
};

TEST_F(Events, AreJsonWhereThatIsAskedFor) {
  play.bad({.method = "POST", .path = "/charge"}, FailureKind::status, 503, 7);
  note("something else");
  for (auto const& list :
       {json("/api/v1/events?format=json"),
        nlohmann::json::parse(ask({.target = "/api/v1/events", .accept = "application/json"}).body)}) {
    ASSERT_EQ(list["events"].size(), 2U);
    auto const& opening = list["events"][0];
    EXPECT_EQ(opening["id"], 1);
    EXPECT_EQ(opening["kind"], "transition");
    EXPECT_EQ(opening["upstream"], "payments");
    EXPECT_EQ(opening["to"], "open");
    EXPECT_EQ(opening["rule"], "evidence_run");
    ASSERT_EQ(opening["attempts"].size(), 7U);
    EXPECT_EQ(opening["attempts"][0]["route"], "POST /charge");
    EXPECT_EQ(opening["attempts"][0]["status"], 503);
    EXPECT_EQ(opening["attempts"][0]["duration_ms"], 10.0);
    EXPECT_EQ(list["last"], 2);
    EXPECT_EQ(list["lost"], 0);
  }
}

TEST_F(Events, AreAStreamOtherwise) {
  order("somebody holds the circuit open");
  auto const answer = ask({.target = "/api/v1/events"});
  auto const text = taken(answer);
  EXPECT_THAT(text, StartsWith("retry: 2000\n\nid: 1\ndata: {\"id\":1,\"at\":\"2024-05-01T12:41:00.000Z\","));
  EXPECT_THAT(text, EndsWith("}\n\n"));
  EXPECT_EQ(answer.stream->take(), "") << "nothing new";
  note("two\nlines");
  EXPECT_THAT(answer.stream->take(), EndsWith("\"text\":\"two\\nlines\"}\n\n"));
}

TEST_F(Events, AStreamGoesOnBehindTheLastThatItsReaderHas) {
  for (int i = 0; i < 4; ++i) note(std::to_string(i));
  EXPECT_THAT(taken(ask({.target = "/api/v1/events", .last_event_id = "3"})),
              StartsWith("retry: 2000\n\nid: 4\n"));
  EXPECT_EQ(json("/api/v1/events?format=json&since=3")["events"].size(), 1U);
  EXPECT_THAT(taken(ask({.target = "/api/v1/events", .last_event_id = "what?"})), HasSubstr("id: 1\n"));
  EXPECT_THAT(taken(ask({.target = "/api/v1/events", .last_event_id = "900"})), HasSubstr("id: 1\n"))
      << "of an earlier run of the program";
}

TEST_F(Events, AReaderThatFallsBehindIsToldHowManyItMissed) {
  note("first");
  auto const answer = ask({.target = "/api/v1/events"});
  std::string text = taken(answer);
  for (int i = 0; i < 3000; ++i) note("more");
  text = answer.stream->take();
  EXPECT_THAT(text, StartsWith("data: {\"kind\":\"lost\",\"count\":1976}\n\nid: 1978\n"));
  EXPECT_LT(text.size(), std::size_t{64} * 1024) << "one piece at a time";
  std::size_t pieces = 1;
  for (text = answer.stream->take(); !text.empty(); text = answer.stream->take()) ++pieces;
  EXPECT_GT(pieces, 1U);
}

TEST_F(Events, OfOneUpstreamAlone) {
  for (int i = 0; i < 200; ++i) note("of nobody");
  order("somebody holds the circuit open");
  EXPECT_EQ(json("/api/v1/events?format=json&upstream=payments")["events"].size(), 1U);
  auto const text = taken(ask({.target = "/api/v1/events?upstream=p%61yments"}));
  EXPECT_THAT(text, HasSubstr("id: 201\n"));
  EXPECT_THAT(text, Not(HasSubstr("of nobody")));
  auto const unknown = ask({.target = "/api/v1/events?upstream=orders"});
  EXPECT_EQ(unknown.status, 404U);
  EXPECT_THAT(unknown.body, HasSubstr("there is: payments."));
}

TEST_F(Events, WakeWhoeverReadsThem) {
  auto const answer = ask({.target = "/api/v1/events"});
  int woken = 0;
  answer.stream->when_more([&woken] { ++woken; });
  note("news");
  EXPECT_EQ(woken, 1);
}

TEST_F(Events, AFormatThatThereIsNotIsRefused) {
  EXPECT_EQ(ask({.target = "/api/v1/events?format=xml"}).status, 400U);
  EXPECT_EQ(ask({.method = "DELETE", .target = "/api/v1/events"}).status, 405U);
}

TEST_F(Events, AreNotHeldOpenByAStrangersPage) {
  for (auto const* target : {"/api/v1/events", "/api/v1/events?format=json"}) {
    for (auto const* site : {"cross-site", "same-site"}) {
      EXPECT_EQ(ask({.target = target, .fetch_site = site}).status, 403U) << target << ' ' << site;
    }
    EXPECT_EQ(ask({.target = target, .origin = "http://evil.example"}).status, 403U) << target;
    EXPECT_EQ(ask({.target = target, .origin = "http://localhost", .fetch_site = "same-origin"}).status,
              200U);
    EXPECT_EQ(ask({.target = target, .fetch_site = "none"}).status, 200U) << "typed in by hand";
  }
}

}  // namespace
}  // namespace candor::admin
