// Events: what makes one, what it says, and who gets to read it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "candor/observe/event_feed.hpp"
#include "candor/observe/event_ring.hpp"
#include "candor/observe/event_tallies.hpp"
#include "support.hpp"

namespace candor::observe {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using testing::World;

std::vector<std::uint64_t> numbers(EventRing::Reading const& reading) {
  std::vector<std::uint64_t> out;
  for (auto const& event : reading.events) out.push_back(event->number);
  return out;
}

TEST(EventRing, NumbersEventsAndKeepsTheLast) {
  EventRing ring{3};
  EXPECT_THAT(ring.read(0, 10).events, IsEmpty());
  for (int i = 0; i < 5; ++i) ring.add({});
  auto const all = ring.read(0, 10);
  EXPECT_THAT(numbers(all), ElementsAre(3, 4, 5));
  EXPECT_EQ(all.lost, 0U) << "who asks for what there is has lost nothing";
  EXPECT_EQ(all.next, 6U);
}

TEST(EventRing, AReaderGoesOnWhereItWasAndIsToldWhatItMissed) {
  EventRing ring{3};
  ring.add({});
  auto const first = ring.read(1, 10);
  EXPECT_THAT(numbers(first), ElementsAre(1));
  for (int i = 0; i < 5; ++i) ring.add({});
  auto const later = ring.read(first.next, 10);
  EXPECT_EQ(later.lost, 2U);
  EXPECT_THAT(numbers(later), ElementsAre(4, 5, 6));
  auto const nothing = ring.read(later.next, 10);
  EXPECT_THAT(nothing.events, IsEmpty());
  EXPECT_EQ(nothing.next, 7U);
  EXPECT_EQ(nothing.lost, 0U);
}

TEST(EventRing, GivesNoMoreThanIsWanted) {
  EventRing ring{10};
  for (int i = 0; i < 5; ++i) ring.add({});
  auto const two = ring.read(2, 2);
  EXPECT_THAT(numbers(two), ElementsAre(2, 3));
  EXPECT_EQ(two.next, 4U);
}

TEST(EventRing, ANumberOfAnEarlierRunOfTheProgramBeginsAtTheOldest) {
  EventRing ring{10};
  ring.add({});
  ring.add({});
  EXPECT_THAT(numbers(ring.read(5000, 10)), ElementsAre(1, 2));
}

TEST(EventRing, WhatGoesOnTakesItsOwnPlaceAndMovesToTheEnd) {
  EventRing ring{3};
  auto sum = ring.add({.text = "sum of 1"});
  ring.add({.text = "opening"});
  auto const reader = ring.read(0, 10).next;
  for (int i = 2; i <= 100; ++i) sum = ring.add({.text = "sum of " + std::to_string(i)}, sum);
  auto const all = ring.read(0, 10);
  EXPECT_THAT(numbers(all), ElementsAre(2, 101)) << "nothing has been pushed out";
  EXPECT_EQ(all.next, 102U);
  auto const news = ring.read(reader, 10);
  EXPECT_THAT(numbers(news), ElementsAre(101));
  EXPECT_EQ(news.events.front()->text, "sum of 100");
  EXPECT_EQ(news.lost, 0U) << "of what the reader has not seen, this tells";
  EXPECT_EQ(news.next, 102U);
  EXPECT_EQ(ring.read(1, 1).next, 101U) << "where there is something to read";
}

TEST(EventRing, WhatHasNoPlaceAnyMoreGetsANewOne) {
  EventRing ring{2};
  auto const sum = ring.add({});
  for (int i = 0; i < 2; ++i) ring.add({});
  EXPECT_EQ(ring.add({}, sum), 4U);
  auto const all = ring.read(1, 10);
  EXPECT_THAT(numbers(all), ElementsAre(3, 4));
  EXPECT_EQ(all.lost, 2U);
}

TEST(EventRing, TellsSubscribersAsLongAsTheyLive) {
  EventRing ring;
  int heard = 0;
  {
    EventRing::Subscription const subscription{ring, [&heard] { ++heard; }};
    ring.add({});
    ring.add({});
  }
  ring.add({});
  EXPECT_EQ(heard, 2);
}

/// A feed over one upstream, whose requests are counted by two workers.
struct Fed {
  Fed() { EventFeed::watch(feed, *world.upstream); }

  void fail(unsigned times, std::uint32_t endpoint = 0) {
    for (unsigned i = 0; i < times; ++i) attempt(Outcome::failed(FailureKind::status), 503, endpoint);
  }
  void attempt(Outcome outcome, std::uint16_t status, std::uint32_t endpoint) {
    auto permit = world.upstream->health.admit(
        {.request = {++requests}, .endpoint = EndpointId{endpoint}, .method = "GET", .path = "/items"},
        world.scheduler.now());
    world.pass(1ms);
    std::move(permit.value()).settle(outcome, world.scheduler.now(), status);
  }
  void refuse(unsigned times, std::string_view reason, std::size_t worker = 0) {
    auto const request = world.request();
    for (unsigned i = 0; i < times; ++i) {
      workers[worker]->request_ended(*request,
                                     {.result = RequestResult::refused, .status = 503, .details = reason});
    }
  }
  void break_off(unsigned times, std::uint32_t endpoint = 0) {
    for (unsigned i = 0; i < times; ++i) {
      late_breaks->late_break(world.upstream->own_route(),
                              testing::attempt(1, world.start, 1s, Outcome::success(), 200, endpoint));
    }
  }
  [[nodiscard]] std::vector<std::shared_ptr<Event const>> events() const {
    return feed->ring()->read(0, 1000).events;
  }
  /// Their words, oldest first.
  [[nodiscard]] std::vector<std::string> texts() const {
    std::vector<std::string> out;
    for (auto const& event : events()) out.push_back(event->text);
    return out;
  }

  World world;
  std::shared_ptr<std::vector<std::string>> lines = std::make_shared<std::vector<std::string>>();
  std::shared_ptr<EventFeed> feed = std::make_shared<EventFeed>(
      std::make_shared<OperationalLog>(LogSettings{.level = LogSettings::Level::debug},
                                       [lines = lines](std::string_view line) { lines->emplace_back(line); }),
      [wall = WallClock{world.start, world.scheduler.wall()}] { return wall; });
  std::vector<std::shared_ptr<WorkerMetrics>> workers{
      std::make_shared<WorkerMetrics>(std::vector{world.upstream}),
      std::make_shared<WorkerMetrics>(std::vector{world.upstream})};
  std::shared_ptr<LateBreaks> late_breaks = std::make_shared<LateBreaks>();
  EventTallies tallies{feed,
                       {.upstreams = {world.upstream},
                        .workers = {workers.begin(), workers.end()},
                        .late_breaks = late_breaks},
                       world.start};
  std::uint64_t requests = 0;
};

TEST(EventFeed, ATransitionIsAnEventWithTheAttemptsThatDecided) {
  Fed fed;
  fed.fail(7);
  auto const events = fed.events();
  ASSERT_FALSE(events.empty());
  auto const& ejection = *events.front();
  EXPECT_EQ(ejection.kind, Event::Kind::transition);
  EXPECT_EQ(ejection.upstream, "payments");
  EXPECT_THAT(ejection.text, StartsWith("payments, endpoint payments-1:8080: circuit open"));
  EXPECT_THAT(ejection.members, StartsWith("\"at\":\"2024-05-01T12:00:00."));
  EXPECT_THAT(ejection.members, HasSubstr("\"kind\":\"transition\",\"upstream\":\"payments\""));
  EXPECT_THAT(ejection.members, HasSubstr("\"from\":\"closed\",\"to\":\"open\",\"rule\":\"evidence_run\""));
  EXPECT_THAT(ejection.members, HasSubstr("\"value\":7,\"threshold\":7"));
  EXPECT_THAT(ejection.members, HasSubstr("\"route\":\"GET /items\",\"endpoint\":\"payments-"));
  std::size_t attempts = 0;
  for (auto at = ejection.members.find("request_id"); at != std::string::npos;
       at = ejection.members.find("request_id", at + 1)) {
    ++attempts;
  }
  EXPECT_EQ(attempts, 7U);
}

TEST(EventFeed, AnEjectionNamesTheAttemptsOfItsEndpointAlone) {
  Fed fed;
  fed.fail(5);
  fed.fail(1, 1);
  fed.attempt(Outcome::success(), 200, 1);
  fed.fail(2);
  ASSERT_EQ(fed.events().size(), 1U);
  auto const& members = fed.events().front()->members;
  EXPECT_THAT(members, HasSubstr("\"value\":7"));
  EXPECT_THAT(members, ::testing::Not(HasSubstr("payments-2:8080")));
}

TEST(EventFeed, WhatAShadowWouldHaveDoneIsToldApartAndNeverLoudly) {
  Fed fed;
  fed.world.upstream = testing::make_upstream([] {
    auto settings = testing::payments();
    settings.shadow = as_a_shadow(settings);
    settings.shadow->breaker.trip = {.evidence = std::nullopt, .consecutive_failures = 2};
    return settings;
  }());
  EventFeed::watch(fed.feed, *fed.world.upstream);
  fed.fail(2);
  ASSERT_EQ(fed.events().size(), 1U);
  auto const& event = *fed.events().front();
  EXPECT_EQ(event.kind, Event::Kind::shadow);
  EXPECT_THAT(event.text, StartsWith("payments: by its shadow, which does not act: circuit open, was closed "
                                     "(consecutive_failures, generation 1): "));
  EXPECT_THAT(event.members, HasSubstr("\"kind\":\"shadow\",\"upstream\":\"payments\""));
  EXPECT_THAT(event.members, ::testing::Not(HasSubstr("\"attempts\":[")));
}

TEST(EventFeed, ARoutesTransitionNamesIt) {
  Fed fed;
  fed.world.upstream = testing::make_upstream([] {
    auto settings = testing::payments();
    settings.endpoints.resize(1);
    auto& route = settings.routes.emplace_back(as_a_route(settings));
    route.match.path_prefix = "/items";
    route.circuit = RouteCircuit::own;
    return settings;
  }());
  EventFeed::watch(fed.feed, *fed.world.upstream);
  auto& route = fed.world.upstream->routes()[1];
  for (std::uint64_t request = 1; request <= 7; ++request) {
    auto permit = route.health.admit({.request = {request}}, fed.world.scheduler.now());
    std::move(permit.value()).settle(Outcome::failed(FailureKind::status), fed.world.scheduler.now(), 503);
  }
  ASSERT_EQ(fed.events().size(), 1U);
  EXPECT_THAT(fed.texts().front(), StartsWith("payments (route /items): circuit open, was closed"));
  EXPECT_THAT(fed.events().front()->members, HasSubstr("\"route\":\"/items\",\"from\":\"closed\""));
}

TEST(EventFeed, OneProbeDecidesAboutItsTransition) {
  Fed fed;
  fed.world.upstream = testing::make_upstream([] {
    auto settings = testing::payments();
    settings.endpoints.resize(1);
    return settings;
  }());
  EventFeed::watch(fed.feed, *fed.world.upstream);
  fed.fail(7);
  fed.world.pass(1s);
  fed.fail(1);
  auto const& probe = *fed.events().back();
  EXPECT_THAT(probe.members, HasSubstr("\"rule\":\"probe_failure\""));
  auto const first = probe.members.find("request_id");
  ASSERT_NE(first, std::string::npos);
  EXPECT_EQ(probe.members.find("request_id", first + 1), std::string::npos);
}

TEST(EventFeed, WhatOperatorsDoAndWhatCandorSaysAreEventsToo) {
  Fed fed;
  fed.feed->order(*fed.world.upstream, "127.0.0.1:5 holds the circuit open", fed.world.start);
  fed.feed->note(LogSettings::Level::warn, "no \"file\" descriptors left", fed.world.start);
  auto const events = fed.events();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0]->members,
            "\"at\":\"2024-05-01T12:00:00.000Z\",\"kind\":\"order\",\"upstream\":\"payments\","
            "\"text\":\"payments: 127.0.0.1:5 holds the circuit open\"");
  EXPECT_EQ(
      events[1]->members,
      "\"at\":\"2024-05-01T12:00:00.000Z\",\"kind\":\"note\",\"text\":\"no \\\"file\\\" descriptors left\"");
}

TEST(EventFeed, EveryEventIsALineOfTheOperationalLog) {
  auto fed = std::make_unique<Fed>();
  fed->fail(7);
  fed->feed->note(LogSettings::Level::warn, "hello", fed->world.scheduler.now());
  fed->refuse(1, "held");
  fed->tallies.collect(fed->world.scheduler.now());
  auto const texts = fed->texts();
  auto const lines = fed->lines;
  fed.reset();  // and with it the log, when it has written
  ASSERT_EQ(lines->size(), texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) EXPECT_THAT((*lines)[i], EndsWith(' ' + texts[i]));
}

TEST(EventTallies, AnOutageIsOneEventForEachReason) {
  Fed fed;
  fed.refuse(9000, "circuit_open");
  fed.refuse(1000, "circuit_open", 1);
  fed.refuse(3, "probe_in_flight");
  fed.refuse(2, "connections");
  for (int i = 0; i < 40; ++i)
    fed.workers[1]->retry_denied(fed.world.upstream->own_route(), RetryDenied::budget);
  fed.tallies.collect(fed.world.start + 1s);
  EXPECT_THAT(fed.texts(), ElementsAre("payments: 10,000 requests refused within 1s (circuit_open)",
                                       "payments: 3 requests refused within 1s (probe_in_flight)",
                                       "payments: 2 requests refused within 1s (other)",
                                       "payments: 40 failed attempts not retried within 1s (budget)"));
  EXPECT_THAT(fed.events().front()->members,
              EndsWith("\"reason\":\"circuit_open\",\"count\":10000,\"since\":\"2024-05-01T12:00:00.000Z\""));
}

TEST(EventTallies, WhatHasBeenToldIsNotToldAgain) {
  Fed fed;
  fed.refuse(5, "held");
  fed.tallies.collect(fed.world.start + 1s);
  auto const number = fed.events().back()->number;
  fed.tallies.collect(fed.world.start + 2s);
  ASSERT_EQ(fed.texts().size(), 1U);
  EXPECT_EQ(fed.events().back()->number, number);
}

TEST(EventTallies, AnOutageHoweverLongPushesNoTransitionOutOfTheRing) {
  Fed fed;
  fed.fail(7);
  auto const transitions = fed.events().size();
  auto last_seen = fed.events().back()->number;
  for (int second = 1; second <= 7200; ++second) {
    fed.refuse(100, "circuit_open");
    if (second % 10 == 0) fed.refuse(1, "probe_in_flight");
    fed.tallies.collect(fed.world.start + std::chrono::seconds{second});
    auto const news = fed.feed->ring()->read(last_seen + 1, 10);
    ASSERT_FALSE(news.events.empty()) << "whoever follows it sees it grow";
    ASSERT_EQ(news.lost, 0U);
    last_seen = news.next - 1;
  }
  auto const texts = fed.texts();
  ASSERT_EQ(texts.size(), transitions + 2);
  EXPECT_THAT(texts.front(), HasSubstr("circuit open, was closed"));
  EXPECT_THAT(texts[transitions], "payments: 720,000 requests refused within 2h (circuit_open)");
  EXPECT_THAT(texts[transitions + 1], "payments: 720 requests refused within 1h 59min (probe_in_flight)");
  EXPECT_THAT(fed.events().back()->members, HasSubstr("\"since\":\"2024-05-01T12:00:09.000Z\""));
}

TEST(EventTallies, AnOutageIsALineOfTheLogEachTimeItIsTwiceAsLong) {
  auto fed = std::make_unique<Fed>();
  for (int second = 1; second <= 100; ++second) {
    fed->refuse(1, "held");
    fed->tallies.collect(fed->world.start + std::chrono::seconds{second});
  }
  auto const lines = fed->lines;
  fed.reset();  // and with it the log, when it has written
  ASSERT_EQ(lines->size(), 7U);
  EXPECT_THAT(lines->front(), EndsWith("payments: 1 request refused within 1s (held)"));
  EXPECT_THAT(lines->back(), EndsWith("payments: 64 requests refused within 1min 4s (held)"));
}

TEST(EventTallies, WhatComesAfterAQuietMinuteIsAnotherSum) {
  Fed fed;
  fed.refuse(5, "held");
  fed.tallies.collect(fed.world.start + 1s);
  fed.refuse(2, "held");
  fed.tallies.collect(fed.world.start + 60s);
  EXPECT_THAT(fed.texts(), ElementsAre("payments: 7 requests refused within 1min (held)"));
  fed.tallies.collect(fed.world.start + 120s);
  fed.refuse(1, "held");
  fed.tallies.collect(fed.world.start + 121s);
  EXPECT_THAT(fed.texts(), ElementsAre("payments: 7 requests refused within 1min (held)",
                                       "payments: 1 request refused within 1s (held)"));
}

TEST(EventTallies, AnswersThatBreakOffLateAreSummedUpByEndpoint) {
  auto fed = std::make_unique<Fed>();
  fed->break_off(2000);
  fed->break_off(1, 1);
  fed->tallies.collect(fed->world.start + 1s);
  fed->break_off(500);
  fed->tallies.collect(fed->world.start + 2s);
  EXPECT_THAT(
      fed->texts(),
      ElementsAre("payments, endpoint payments-2:8080: 1 streamed answer broke off after the attempt had "
                  "settled as a success, within 1s",
                  "payments, endpoint payments-1:8080: 2,500 streamed answers broke off after the "
                  "attempt had settled as a success, within 2s"));
  EXPECT_THAT(
      fed->events().back()->members,
      EndsWith("\"endpoint\":\"payments-1:8080\",\"count\":2500,\"since\":\"2024-05-01T12:00:00.000Z\""));
  auto const lines = fed->lines;
  fed.reset();  // and with it the log, when it has written
  ASSERT_EQ(lines->size(), 3U) << "not one for each of them";
  EXPECT_THAT(lines->front(), HasSubstr(" warn "));
}

}  // namespace
}  // namespace candor::observe
