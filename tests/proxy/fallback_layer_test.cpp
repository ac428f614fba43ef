// What a request gets in the place of an answer, when, and how it is told from the real thing.
#include <gtest/gtest.h>

#include "candor/proxy/answer.hpp"
#include "support/rig.hpp"

namespace candor::test {
namespace {

using Kinds = std::vector<FallbackKind>;

UpstreamSettings falling_back(FallbackSettings fallback) {
  auto settings = plain_settings();
  settings.fallback = std::move(fallback);
  return settings;
}

FallbackSettings fixed(std::uint16_t status = 200) {
  return {.status = status,
          .content_type = "application/json",
          .headers = {{"X-Degraded", "yes"}, {"Retry-After", "5"}},
          .body = "{}"};
}

std::string value_of(Call const& call, std::string_view field) {
  auto const* found = call.response->head().fields.find(field);
  return found == nullptr ? "" : std::string(found->value);
}

std::string content_of(Call& call) {
  auto const piece = call.response->try_next();
  EXPECT_TRUE(piece && *piece && (*piece)->last) << "it is there, whole, at once";
  return std::string((*piece)->bytes);
}

RequestEnd end_of(Call const& call) {
  RequestEnd end{.result = RequestResult::answered, .status = *call.status};
  describe_fallback(*call.exchange, end);
  return end;
}

TEST(FixedFallback, IsGivenWhenTheCircuitRefuses) {
  Rig rig{falling_back(fixed())};
  rig.open_circuit();
  auto& call = rig.send({.reads = false});
  ASSERT_TRUE(call.response);
  EXPECT_EQ(call.status, 200);
  EXPECT_FALSE(call.good) << "no attempt was";
  EXPECT_EQ(value_of(call, "Content-Type"), "application/json");
  EXPECT_EQ(value_of(call, "X-Degraded"), "yes");
  EXPECT_EQ(value_of(call, "Content-Length"), "2");
  EXPECT_EQ(content_of(call), "{}");
  auto const marks = marks_of(*call.exchange, *call.response);
  EXPECT_EQ(marks.proxy_status,
            R"(candor; error=destination_unavailable; details="circuit_open; fallback: fixed")");
  EXPECT_EQ(marks.candor_fallback, "fixed");
  EXPECT_EQ(marks.candor_retry, "refused");
  auto const end = end_of(call);
  EXPECT_EQ(end.result, RequestResult::refused);
  EXPECT_EQ(end.error, http::ProxyError::destination_unavailable);
  EXPECT_EQ(end.details, "circuit_open");
  EXPECT_EQ(rig.observer.fallbacks, Kinds{FallbackKind::fixed});
  rig.expect_all_told();
}

TEST(FixedFallback, IsGivenWhenTheAttemptsFailedAndTouchesNoAccount) {
  Rig rig{falling_back(fixed())};
  rig.transport.usually = fails(FailureKind::reset);
  auto& call = rig.send({.reads = false});
  rig.run_for(1s);
  EXPECT_EQ(call.status, 200);
  EXPECT_EQ(rig.health().ledger.started, 3U);
  EXPECT_EQ(rig.health().ledger.failed(), 3U);
  EXPECT_EQ(rig.health().window.answered, 0U);
  auto const marks = marks_of(*call.exchange, *call.response);
  EXPECT_EQ(marks.proxy_status,
            "candor; error=connection_terminated; "
            "details=\"reset; attempts=3; retries denied: attempts; fallback: fixed\"");
  EXPECT_EQ(marks.candor_retry, "exhausted");
  EXPECT_EQ(end_of(call).result, RequestResult::failed);
  rig.expect_all_told();
}

TEST(FixedFallback, IsGivenWhenTheTimeIsOver) {
  auto settings = falling_back(fixed());
  settings.timeouts.request = 100ms;
  Rig rig{settings};
  rig.transport.usually = hangs();
  auto& call = rig.send();
  rig.run_for(100ms);
  EXPECT_EQ(call.status, 200);
  EXPECT_EQ(call.content, "{}");
  EXPECT_EQ(call.ended_at, Instant{} + 100ms);
  rig.expect_all_told();
}

TEST(FixedFallback, LeavesAFailingAnswerAloneUnlessTold) {
  auto settings = falling_back(fixed());
  Rig without{settings};
  without.transport.usually = {.status = 503, .body = {{.bytes = "no", .last = true}}};
  auto& passed = without.send();
  without.run_for(1s);
  EXPECT_EQ(passed.content, "no");
  EXPECT_TRUE(without.observer.fallbacks.empty());

  settings.fallback->on = {FallbackOn::failing_answer};
  Rig with{settings};
  with.transport.usually = without.transport.usually;
  auto& replaced = with.send({.reads = false});
  with.run_for(1s);
  EXPECT_EQ(content_of(replaced), "{}");
  EXPECT_EQ(marks_of(*replaced.exchange, *replaced.response).proxy_status,
            "candor; received-status=503; details=\"attempts=3; retries denied: attempts; fallback: fixed\"");
  EXPECT_EQ(with.transport.answers_held, 0U) << "the failing answer is gone";
  with.expect_all_told();

  with.open_circuit();
  EXPECT_EQ(with.send().refusal(), Refusal::circuit_open) << "not on its list";
}

TEST(FixedFallback, HasNoBodyForHeadAndWhereTheStatusAllowsNone) {
  Rig rig{falling_back(fixed())};
  rig.open_circuit();
  auto& head = rig.send({.method = "HEAD", .reads = false});
  EXPECT_EQ(value_of(head, "Content-Length"), "2");
  EXPECT_EQ(head.response->head().framing.kind, http::Framing::Kind::none);
  EXPECT_EQ(content_of(head), "");

  Rig empty{falling_back({.status = 204})};
  empty.open_circuit();
  auto& nothing = empty.send({.reads = false});
  EXPECT_EQ(nothing.status, 204);
  EXPECT_EQ(value_of(nothing, "Content-Length"), "");
  EXPECT_EQ(value_of(nothing, "Content-Type"), "");
}

TEST(Fallback, IsNotForTunnelsNorForCallersWhoseRequestBrokeOffOrWhoLeft) {
  Rig rig{falling_back(fixed())};
  auto& broken = rig.send({.method = "PUT", .body = {"half"}, .body_breaks = true});
  rig.run_for(1s);
  EXPECT_TRUE(broken.failure->get<CallerBodyBroken>());
  rig.transport.usually = hangs();
  auto& leaving = rig.send();
  leaving.hang_up();
  rig.run_for(0s);
  EXPECT_EQ(leaving.cancelled(), CancelReason::caller_left);
  rig.open_circuit();
  EXPECT_EQ(rig.send({.method = "CONNECT"}).refusal(), Refusal::circuit_open);
  EXPECT_TRUE(rig.observer.fallbacks.empty());
  rig.expect_all_settled();
}

// Stale.

FallbackSettings kept(Duration within = 60s) { return {.stale = StaleSettings{.within = within}}; }

Step page(std::string_view bytes) {
  return {.fields = {{"Content-Type", "text/html"}, {"Age", "3"}},
          .body = {{.bytes = bytes.substr(0, 1)}, {.after = 10ms, .bytes = bytes.substr(1), .last = true}}};
}

TEST(StaleFallback, GivesTheLastGoodAnswerWithItsAge) {
  Rig rig{falling_back(kept())};
  rig.transport.then(page("first"));
  rig.transport.then(page("second"));
  for (auto const* expected : {"first", "second"}) {
    auto& call = rig.send();
    rig.run_for(5s);
    EXPECT_EQ(call.content, expected) << "what passes is not touched";
  }
  rig.open_circuit();
  auto& call = rig.send({.reads = false});
  ASSERT_TRUE(call.response);
  EXPECT_EQ(call.status, 200);
  EXPECT_EQ(value_of(call, "Content-Type"), "text/html");
  EXPECT_EQ(value_of(call, "Age"), "8") << "3 when it came, 5 since then";
  EXPECT_EQ(value_of(call, "Cache-Status"), "candor; hit");
  EXPECT_EQ(value_of(call, "Content-Length"), "6");
  EXPECT_EQ(content_of(call), "second");
  EXPECT_EQ(marks_of(*call.exchange, *call.response).candor_fallback, "stale");
  EXPECT_EQ(rig.observer.fallbacks, Kinds{FallbackKind::stale});
}

TEST(StaleFallback, SaysThatTheUpstreamWasAskedInVain) {
  auto settings = falling_back(kept());
  settings.fallback->on = {FallbackOn::failed, FallbackOn::failing_answer};
  Rig rig{settings};
  rig.transport.then(page("page"));
  rig.send();
  rig.run_for(1s);
  rig.transport.usually = answers(503);
  auto& failing = rig.send({.reads = false});
  rig.run_for(1s);
  EXPECT_EQ(value_of(failing, "Cache-Status"), "candor; fwd=stale; fwd-status=503");
  rig.transport.usually = fails(FailureKind::reset);
  auto& failed = rig.send({.reads = false});
  rig.run_for(1s);
  ASSERT_TRUE(failed.response);
  EXPECT_EQ(value_of(failed, "Cache-Status"), "candor; fwd=stale");
}

TEST(StaleFallback, KeepsOnlyWhatCameWhole) {
  Rig rig{falling_back(kept())};
  rig.transport.then(
      {.body = {{.bytes = "half"}, {.after = 1ms, .failure = Failure{FailureKind::truncated}}}});
  rig.send();
  rig.run_for(1s);
  rig.transport.then(page("page"));
  auto& leaving = rig.send();
  leaving.hang_up();
  rig.run_for(1s);
  rig.open_circuit();
  EXPECT_EQ(rig.send().refusal(), Refusal::circuit_open);
}

TEST(StaleFallback, IsNotGivenWhenItIsTooOldOrOfSomethingElse) {
  Rig rig{falling_back(kept(2s))};
  rig.transport.then(page("page"));
  rig.send({.path = "/a"});
  rig.run_for(1s);
  rig.open_circuit();
  EXPECT_EQ(rig.send({.path = "/b"}).refusal(), Refusal::circuit_open);
  EXPECT_EQ(rig.send({.method = "HEAD", .path = "/a"}).refusal(), Refusal::circuit_open);
  EXPECT_EQ(rig.send({.path = "/a"}).content, "page");
}

TEST(StaleFallback, AStreamThatIsTooLargeStreamsOn) {
  auto settings = falling_back(kept());
  settings.fallback->stale->bytes = 4_KiB;
  Rig rig{settings};
  std::string const large(3000, 'x');
  rig.transport.then({.body = {{.bytes = large}, {.after = 10ms, .bytes = large, .last = true}}});
  auto& call = rig.send();
  rig.run_for(1s);
  EXPECT_EQ(call.content.size(), 6000U);
  rig.expect_all_told();
}

// Another upstream.

struct Pair {
  explicit Pair(FallbackSettings fallback = {.upstream = "other"},
                UpstreamSettings of_other = other_settings())
      : other(std::move(of_other), 1, 9), rig(falling_back(std::move(fallback))) {
    pipelines.push_back(std::exchange(rig.pipelines, nullptr));
    pipelines.push_back(std::make_unique<Pipelines>(other, transport));
    link_fallbacks(pipelines);
    rig.pipelines = std::move(pipelines[0]);
  }
  static UpstreamSettings other_settings() {
    auto settings = plain_settings();
    settings.name = "other";
    return settings;
  }
  [[nodiscard]] Ledger ledger() const { return other.health.snapshot(rig.scheduler.now()).ledger; }

  Upstream other;
  ScriptedTransport transport;
  Rng rng{2};
  std::vector<std::unique_ptr<Pipelines>> pipelines;
  Rig rig;
};

TEST(UpstreamFallback, AsksTheOtherOneOnItsOwnAccount) {
  Pair pair;
  pair.rig.open_circuit();
  pair.transport.usually = {.body = {{.bytes = "from "}, {.after = 20ms, .bytes = "there", .last = true}}};
  auto& call = pair.rig.send();
  pair.rig.run_for(10ms);
  ASSERT_TRUE(call.response);
  auto const marks = marks_of(*call.exchange, *call.response);
  EXPECT_EQ(marks.candor_fallback, "upstream");
  EXPECT_EQ(marks.candor_retry, "");
  EXPECT_EQ(marks.proxy_status,
            R"(candor; error=destination_unavailable; details="circuit_open; fallback: upstream")");
  pair.rig.run_for(1s);
  EXPECT_EQ(call.content, "from there");
  EXPECT_TRUE(call.good);
  EXPECT_EQ(end_of(call).result, RequestResult::answered);
  EXPECT_TRUE(call.attempts().empty());
  EXPECT_EQ(call.exchange->diverted->attempts.size(), 1U);
  EXPECT_EQ(pair.ledger().success, 1U);
  EXPECT_TRUE(pair.ledger().balanced());
  EXPECT_EQ(pair.rig.observer.fallbacks, Kinds{FallbackKind::upstream});
}

TEST(UpstreamFallback, SendsTheBodyAgainIfItMayBeSentTwice) {
  Pair pair;
  pair.rig.transport.usually = fails(FailureKind::reset);
  auto& put = pair.rig.send({.method = "PUT", .body = {"one", "two"}});
  pair.rig.run_for(1s);
  EXPECT_EQ(put.status, 200);
  ASSERT_EQ(pair.transport.sent.size(), 1U);
  EXPECT_EQ(pair.transport.sent[0].body, "onetwo");

  auto& post = pair.rig.send({.method = "POST", .body = {"one"}});
  pair.rig.run_for(1s);
  EXPECT_TRUE(post.failure->get<AttemptFailed>()) << "who knows what became of it";
  EXPECT_EQ(pair.transport.sent.size(), 1U);

  pair.rig.transport.usually = {.no_connection = Failure{FailureKind::connect}};
  auto& untouched = pair.rig.send({.method = "POST", .body = {"one"}});
  pair.rig.run_for(1s);
  EXPECT_EQ(untouched.status, 200) << "no byte of it had left";
}

TEST(UpstreamFallback, ASecondFailureLeavesTheFirstOneToBeTold) {
  Pair pair;
  pair.rig.transport.usually = fails(FailureKind::reset);
  pair.transport.usually = fails(FailureKind::protocol);
  auto& call = pair.rig.send();
  pair.rig.run_for(1s);
  EXPECT_EQ(call.failure->get<AttemptFailed>()->kind, FailureKind::reset);
  EXPECT_FALSE(call.exchange->fallback);
  EXPECT_TRUE(pair.rig.observer.fallbacks.empty());
  EXPECT_EQ(pair.ledger().failed(), 1U) << "not on the list of what is worth a retry";
}

TEST(UpstreamFallback, ItsFailingAnswerIsBetterThanNoneAndWorseThanAFixedOne) {
  Pair pair;
  pair.rig.open_circuit();
  pair.transport.usually = {.status = 500, .body = {{.bytes = "sorry", .last = true}}};
  auto& call = pair.rig.send();
  pair.rig.run_for(1s);
  EXPECT_EQ(call.content, "sorry");
  EXPECT_EQ(call.exchange->fallback->kind, FallbackKind::upstream);

  auto both = fixed();
  both.upstream = "other";
  Pair with_fixed{both};
  with_fixed.rig.open_circuit();
  with_fixed.transport.usually = pair.transport.usually;
  auto& better = with_fixed.rig.send();
  with_fixed.rig.run_for(1s);
  EXPECT_EQ(better.content, "{}");
  EXPECT_EQ(with_fixed.rig.observer.fallbacks, Kinds{FallbackKind::fixed});
  EXPECT_EQ(with_fixed.transport.answers_held, 0U);
}

TEST(UpstreamFallback, GetsNoMoreTimeThanIsLeft) {
  auto settings = Pair::other_settings();
  settings.timeouts.request = 1h;
  settings.timeouts.attempt = 1h;
  Pair pair{{.upstream = "other"}, settings};
  pair.rig.transport.usually = {.head = 1s, .no_head = Failure{FailureKind::protocol}};
  pair.transport.usually = hangs();
  auto& call = pair.rig.send();
  pair.rig.run_for(15s);
  ASSERT_TRUE(call.ended());
  EXPECT_EQ(call.ended_at, Instant{} + 15s);
  EXPECT_EQ(call.exchange->diverted->deadline, Instant{} + 15s);
  EXPECT_EQ(pair.ledger().in_flight, 0U);
}

TEST(UpstreamFallback, ACallerWhoLeavesLeavesBoth) {
  Pair pair;
  pair.rig.open_circuit();
  pair.transport.usually = hangs();
  for (bool const drops : {false, true}) {
    auto& call = pair.rig.send();
    pair.rig.run_for(1ms);
    if (drops) call.drop();
    if (!drops) call.hang_up();
    pair.rig.run_for(1ms);
    EXPECT_TRUE(call.ended());
    EXPECT_EQ(pair.ledger().in_flight, 0U);
  }
  EXPECT_EQ(pair.ledger().abandoned, 2U);
}

TEST(UpstreamFallback, OneThatIsDroppedWhileItsAnswerStreamsSettles) {
  Pair pair;
  pair.rig.open_circuit();
  pair.transport.usually = {.body = {{.bytes = "a"}}};
  auto& call = pair.rig.send({.reads = false});
  ASSERT_TRUE(call.response);
  call.drop();
  EXPECT_EQ(pair.ledger().abandoned, 1U);
  EXPECT_EQ(pair.transport.answers_held, 0U);
}

TEST(UpstreamFallback, CarriesTheCallersDeadlineAlong) {
  auto settings = Pair::other_settings();
  settings.timeouts.deadline_header = {"X-Request-Timeout", DeadlineFormat::milliseconds};
  Pair pair{{.upstream = "other"}, settings};
  pair.rig.transport.usually = {.head = 500ms, .no_head = Failure{FailureKind::protocol}};
  pair.transport.usually = hangs();
  auto& call = pair.rig.send({.fields = {{"X-Request-Timeout", "2000"}}});
  pair.rig.run_for(10s);
  EXPECT_EQ(call.ended_at, Instant{} + 2s)
      << "counted from when the caller asked, not from when it was sent on";
}

TEST(Fallback, NothingIsGivenThatNobodyAskedFor) {
  Rig rig;
  rig.open_circuit();
  auto& call = rig.send();
  EXPECT_EQ(call.refusal(), Refusal::circuit_open);
  EXPECT_FALSE(call.exchange->fallback);
}

}  // namespace
}  // namespace candor::test
