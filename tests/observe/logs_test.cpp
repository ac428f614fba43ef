#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <nlohmann/json.hpp>
#include <thread>

#include "candor/observe/access_log.hpp"
#include "candor/observe/composite_observer.hpp"
#include "candor/observe/operational_log.hpp"
#include "support.hpp"
#include "support/folder.hpp"

namespace candor::observe {
namespace {

using testing::attempt;
using testing::World;
using Mode = AccessLogSettings::Mode;

/// Lines that arrived; read only after the log is gone.
struct Lines {
  std::shared_ptr<std::vector<std::string>> all = std::make_shared<std::vector<std::string>>();

  [[nodiscard]] LineSink sink() const {
    return [lines = all](std::string_view line) { lines->emplace_back(line); };
  }
};

TEST(AccessLog, ALineHoldsTheRequestAndItsAttempts) {
  World world;
  auto exchange = world.request();
  exchange->attempts.add(attempt(1, exchange->started, 3201us, Outcome::failed(FailureKind::status), 503));
  exchange->attempts.add(
      attempt(2, exchange->started + 20ms, 5ms, Outcome::failed(FailureKind::connect), 0, 1));
  exchange->attempts.add(attempt(3, exchange->started + 40ms, 1ms, Outcome::success(), 200));
  exchange->retries = 2;
  std::string line;
  append_access_line(
      line, *exchange,
      {.status = 200, .body_bytes_in = 10, .body_bytes_out = 20, .at = exchange->started + 41ms},
      world.scheduler.wall());
  EXPECT_EQ(
      line,
      R"({"time":"2024-05-01T12:00:00.000Z","request_id":"2a","upstream":"payments","method":"POST",)"
      R"("path":"/charge","result":"answered","status":200,"duration_ms":41.000,"bytes_in":10,"bytes_out":20,)"
      R"("retries":2,"attempts":[)"
      R"({"n":1,"endpoint":"payments-1:8080","outcome":"failure","kind":"status","status":503,"duration_ms":3.201,"probe":false},)"
      R"({"n":2,"endpoint":"payments-2:8080","outcome":"failure","kind":"connect","status":null,"duration_ms":5.000,"probe":false},)"
      R"({"n":3,"endpoint":"payments-1:8080","outcome":"success","status":200,"duration_ms":1.000,"probe":false}]})");
}

TEST(AccessLog, ARefusedRequestSaysWhyAndHasNoAttempts) {
  World world;
  auto exchange = world.request();
  exchange->denied = RetryDenied::circuit;
  std::string line;
  append_access_line(line, *exchange,
                     {.result = RequestResult::refused,
                      .status = 503,
                      .error = http::ProxyError::destination_unavailable,
                      .details = "circuit_open",
                      .at = exchange->started},
                     world.scheduler.wall());
  auto const json = nlohmann::json::parse(line);
  EXPECT_EQ(json["result"], "refused");
  EXPECT_EQ(json["error"], "destination_unavailable");
  EXPECT_EQ(json["details"], "circuit_open");
  EXPECT_EQ(json["denied"], "circuit");
  EXPECT_TRUE(json["attempts"].empty());
}

TEST(AccessLog, AHedgeAndAFallbackStandInTheLineWithWhatTheOtherUpstreamDid) {
  World world;
  auto settings = testing::payments();
  settings.name = "archive";
  Upstream archive{settings, 1, 2};
  auto exchange = world.request();
  exchange->attempts.add(attempt(1, exchange->started, 9ms, Outcome::failed(FailureKind::reset), 0));
  auto hedge = attempt(2, exchange->started, 9ms, Outcome::failed(FailureKind::reset), 0, 1);
  hedge.hedge = true;
  exchange->attempts.add(hedge);
  exchange->fallback = Fallback{.kind = FallbackKind::upstream, .failure = Failure{FailureKind::reset}};
  exchange->diverted = std::make_unique<Exchange>(exchange->id, archive.own_route(), world.head, world.body,
                                                  exchange->worker, exchange->scope);
  exchange->diverted->attempts.add(attempt(1, exchange->started, 1ms, Outcome::success(), 200));
  std::string line;
  append_access_line(line, *exchange, {.status = 200, .at = exchange->started}, world.scheduler.wall());
  auto const json = nlohmann::json::parse(line);
  EXPECT_EQ(json["attempts"].size(), 2U);
  EXPECT_FALSE(json["attempts"][0].contains("hedge"));
  EXPECT_EQ(json["attempts"][1]["hedge"], true);
  EXPECT_EQ(json["fallback"], "upstream");
  EXPECT_EQ(json["diverted"]["upstream"], "archive");
  EXPECT_EQ(json["diverted"]["attempts"][0]["outcome"], "success");
  EXPECT_FALSE(json["diverted"].contains("fallback"));
}

TEST(AccessLog, BytesOffTheWireCannotBreakTheLine) {
  World world;
  world.head.method_text = "G\"ET";
  world.head.target = "/\xff\n{\"}?secret=1";
  auto exchange = world.request();
  exchange->attempts.add({.number = 1, .started = exchange->started});
  std::string line;
  append_access_line(line, *exchange, {.result = RequestResult::abandoned, .at = exchange->started},
                     world.scheduler.wall());
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_EQ(line.find("secret"), std::string::npos);
  auto const json = nlohmann::json::parse(line);
  EXPECT_EQ(json["path"], "/\xef\xbf\xbd\n{\"}");
  EXPECT_TRUE(json["status"].is_null());
  EXPECT_EQ(json["attempts"][0]["outcome"], "open");
}

TEST(AccessLog, TheTimeIsTheRequestsBeginning) {
  World world;
  Lines lines;
  {
    LineLog log{lines.sink(), 16, LineLog::Form::bare};
    AccessLog access{{.mode = Mode::all}, log, Rng{1}};
    auto exchange = world.request();
    world.pass(1500ms);
    access.request_ended(*exchange, {.status = 200, .at = world.scheduler.now()});
  }
  ASSERT_EQ(lines.all->size(), 1U);
  auto const json = nlohmann::json::parse(lines.all->front());
  EXPECT_EQ(json["time"], "2024-05-01T12:00:00.000Z");
  EXPECT_EQ(json["duration_ms"], 1500.0);
}

std::size_t logged(AccessLogSettings const& settings, RequestEnd const& end, int requests) {
  World world;
  Lines lines;
  {
    LineLog log{lines.sink(), 4096, LineLog::Form::bare};
    AccessLog access{settings, log, Rng{1}};
    for (int i = 0; i < requests; ++i) access.request_ended(*world.request(), end);
  }
  return lines.all->size();
}

TEST(AccessLog, OffWritesNothingAllWritesAllSampledAShare) {
  RequestEnd const good{.status = 200};
  EXPECT_EQ(logged({.mode = Mode::off}, good, 100), 0U);
  EXPECT_EQ(logged({.mode = Mode::all}, good, 100), 100U);
  auto const sampled = logged({.mode = Mode::sampled, .sample = 0.1}, good, 2000);
  EXPECT_GT(sampled, 140U);
  EXPECT_LT(sampled, 260U);
}

TEST(AccessLog, AFailedRequestIsAlwaysInTheSample) {
  AccessLogSettings const settings{.mode = Mode::sampled, .sample = 0};
  EXPECT_EQ(logged(settings, {.status = 503}, 5), 5U);
  EXPECT_EQ(logged(settings, {.result = RequestResult::failed, .status = 502}, 5), 5U);
  EXPECT_EQ(logged(settings, {.result = RequestResult::refused, .status = 503}, 5), 5U);
  EXPECT_EQ(logged(settings, {.result = RequestResult::broken, .status = 200}, 5), 5U);
  EXPECT_EQ(logged(settings, {.status = 404}, 5), 0U);
}

TEST(LineLog, AStuckWriterCostsTheOldestLinesAndHoldsUpNobody) {
  std::promise<void> stuck;
  std::promise<void> go_on;
  auto released = go_on.get_future().share();
  Lines lines;
  bool first = true;
  LineSink const sink = [&, write = lines.sink()](std::string_view line) {
    if (std::exchange(first, false)) {
      stuck.set_value();
      released.wait();
    }
    write(line);
  };
  {
    LineLog log{sink, 4, LineLog::Form::bare};
    log.write("first");
    stuck.get_future().wait();
    for (int i = 1; i <= 7; ++i) log.write(std::to_string(i));
    EXPECT_EQ(log.dropped(), 3U);
    go_on.set_value();
  }
  EXPECT_THAT(*lines.all, ::testing::ElementsAre("first", "4", "5", "6", "7"));
}

TEST(LineLog, AppendsToAFile) {
  test::Folder const folder;
  auto const path = folder.path("lines.log");
  for (auto const* line : {"one", "two"}) LineLog{path, 4, LineLog::Form::bare}.write(line);
  std::ifstream file{path};
  std::string const text{std::istreambuf_iterator<char>{file}, {}};
  EXPECT_EQ(text, "one\ntwo\n");
}

TEST(LineLog, AFileThatCannotBeOpenedIsNamed) {
  try {
    LineLog const log{"/proc/candor/access.log", 4, LineLog::Form::bare};
    FAIL() << "opened";
  } catch (std::runtime_error const& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("/proc/candor/access.log"));
  }
}

TEST(LineLog, ADirectoryThatIsMissingIsNamedAndNotMade) {
  test::Folder const folder;
  std::filesystem::path const directory = folder.path("none");
  try {
    LineLog const log{(directory / "access.log").string(), 4, LineLog::Form::bare};
    FAIL() << "opened";
  } catch (std::runtime_error const& error) {
    EXPECT_THAT(error.what(), ::testing::EndsWith(": there is no directory " + directory.string()));
  }
  EXPECT_FALSE(std::filesystem::exists(directory));
}

TEST(LineLog, WhatAFullDiskCostsIsCountedAndNotSaidOnStderr) {
  ::testing::internal::CaptureStderr();
  std::uint64_t dropped = 0;
  {
    LineLog log{"/dev/full", 64, LineLog::Form::bare};
    for (int i = 0; i < 20; ++i) log.write(std::string(1000, 'x'));
    auto const patience = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    while (dropped < 20 && std::chrono::steady_clock::now() < patience) {
      std::this_thread::yield();
      dropped = log.dropped();
    }
  }
  EXPECT_EQ(dropped, 20U);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST(OperationalLog, ReportsATransitionWithItsReason) {
  World world;
  std::string line;
  world.upstream->health.listen(
      [&](Transition const& transition) { line = transition_line(world.upstream->own_route(), transition); });
  for (std::uint64_t i = 0; i < 7; ++i) {
    world.upstream->health.admit({.request = {i}, .endpoint = EndpointId{}}, world.scheduler.now())
        .value()
        .settle(Outcome::failed(FailureKind::connect), world.scheduler.now());
  }
  EXPECT_THAT(line, ::testing::StartsWith("payments, endpoint payments-1:8080: circuit open, was closed "
                                          "(evidence_run, generation 1): A run of 7 failed attempts. "));
}

TEST(OperationalLog, KeepsQuietBelowItsLevel) {
  Lines lines;
  {
    OperationalLog log{{.level = LogSettings::Level::warn}, lines.sink()};
    log.say(LogSettings::Level::info, "unheard");
    log.say(LogSettings::Level::error, "two\nlines");
  }
  ASSERT_EQ(lines.all->size(), 1U);
  EXPECT_THAT(lines.all->front(), ::testing::EndsWith("error two\xef\xbf\xbdlines"));
}

TEST(OperationalLog, OnlyARuleThatOpensIsAWarning) {
  using Level = LogSettings::Level;
  auto const level = [](CircuitState from, CircuitState to, Rule rule) {
    return transition_level({.from = from,
                             .to = to,
                             .why = {.rule = rule, .value = 1, .threshold = 1},
                             .at = {},
                             .generation = 1});
  };
  EXPECT_EQ(level(CircuitState::closed, CircuitState::open, Rule::evidence_ratio), Level::warn);
  EXPECT_EQ(level(CircuitState::half_open, CircuitState::open, Rule::probe_failure), Level::info);
  EXPECT_EQ(level(CircuitState::open, CircuitState::half_open, Rule::window_elapsed), Level::debug);
  EXPECT_EQ(level(CircuitState::ramping, CircuitState::closed, Rule::ramp_complete), Level::info);
}

TEST(CompositeObserver, TellsEachPartInOrder) {
  struct Part final : Observer {
    Part(std::vector<int>& heard, int which) : log(heard), id(which) {}
    void caller_connected() override { log.push_back(id); }
    std::vector<int>& log;
    int id;
  };
  std::vector<int> heard;
  Part one{heard, 1};
  Part two{heard, 2};
  CompositeObserver both{{&one, &two}};
  both.caller_connected();
  both.caller_refused();
  EXPECT_EQ(heard, (std::vector<int>{1, 2}));
}

}  // namespace
}  // namespace candor::observe
