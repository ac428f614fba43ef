#include "candor/http/replay_body.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "candor/core/rng.hpp"
#include "candor/core/scheduler.hpp"

namespace candor::http {
namespace {

struct Wait {
  Duration delay = 1ms;
};

/// A caller's body by script: pieces, waits and a break. Holds their bytes until they are discarded.
class ScriptedSource final : public BodySource {
 public:
  explicit ScriptedSource(Scheduler& scheduler) : scheduler_(scheduler) {}

  ScriptedSource& piece(std::string_view bytes) { return add(Piece{bytes, false}); }
  ScriptedSource& last(std::string_view bytes) { return add(Piece{bytes, true}); }
  ScriptedSource& wait(Duration delay = 1ms) { return add(Wait{delay}); }
  ScriptedSource& fails(Failure failure) { return add(failure); }

  std::optional<Result<Piece>> try_next() override {
    EXPECT_FALSE(over_) << "asked again after its end";
    EXPECT_FALSE(steps_.empty());
    if (std::holds_alternative<Wait>(steps_.front())) return std::nullopt;
    auto const step = std::move(steps_.front());
    steps_.pop_front();
    if (auto const* failure = std::get_if<Failure>(&step)) {
      over_ = true;
      return Result<Piece>(*failure);
    }
    auto const piece = std::get<Piece>(step);
    over_ = piece.last;
    return Result<Piece>(piece);
  }

  Task<Result<Piece>> next(CancelScope& scope) override {
    if (auto* wait = std::get_if<Wait>(&steps_.front())) {
      Instant const started = scheduler_.now();
      auto const reason = co_await scheduler_.sleep(wait->delay, scope);
      if (reason) {
        wait->delay -= scheduler_.now() - started;
        co_return Failure{*reason};
      }
      steps_.pop_front();
    }
    co_return *try_next();
  }

  void discard() override { ++discarded; }
  [[nodiscard]] std::string_view trailers() const override { return "X: y\r\n"; }

  int discarded = 0;

 private:
  using Step = std::variant<Piece, Wait, Failure>;

  ScriptedSource& add(Step step) {
    steps_.push_back(std::move(step));
    return *this;
  }

  Scheduler& scheduler_;
  std::deque<Step> steps_;
  bool over_ = false;
};

class ReplayBodyTest : public testing::Test {
 protected:
  /// One attempt's reading: what it got, with '|' between pieces, '.' for the end or '!' for a failure.
  Task<void> read(ReplayBody& body, CancelScope& scope, std::string& out) {
    for (;;) {
      auto piece = body.try_next();
      if (!piece) piece = co_await body.next(scope);
      if (!*piece) {
        out += '!';
        co_return;
      }
      out += (*piece)->bytes;
      if ((*piece)->last) {
        out += '.';
        co_return;
      }
      out += '|';
      body.sent();
    }
  }

  std::string read_whole(ReplayBody& body) {
    std::string out;
    CancelScope scope;
    TaskGroup group;
    group.spawn(read(body, scope, out));
    while (auto const due = scheduler_.next_due()) scheduler_.advance(*due);
    EXPECT_TRUE(group.empty());
    return out;
  }

  Scheduler scheduler_;
  ScriptedSource source_{scheduler_};
  static constexpr Framing chunked{Framing::Kind::chunked, 0};
};

TEST_F(ReplayBodyTest, WithoutABodyIsCompleteAndEndsAtOnce) {
  ReplayBody body;
  EXPECT_TRUE(body.empty());
  EXPECT_TRUE(body.complete());
  EXPECT_TRUE(body.replayable());
  EXPECT_FALSE(body.broken());
  EXPECT_EQ(body.trailers(), "");
  EXPECT_EQ(read_whole(body), ".");
  body.sent();
  body.rewind();
  EXPECT_EQ(read_whole(body), ".");
}

TEST_F(ReplayBodyTest, HandsPiecesOnAsTheyComeAndAgainAfterARewind) {
  source_.piece("one").wait().piece("two").wait().last("three");
  ReplayBody body(source_, chunked, 64_B);
  EXPECT_FALSE(body.complete());
  EXPECT_EQ(read_whole(body), "one|two|three.");
  EXPECT_TRUE(body.complete());
  EXPECT_TRUE(body.replayable());
  EXPECT_EQ(body.bytes(), 11U);
  EXPECT_EQ(body.framing(), chunked);
  EXPECT_EQ(body.trailers(), "X: y\r\n");
  for (int attempt = 0; attempt < 3; ++attempt) {
    body.rewind();
    EXPECT_EQ(read_whole(body), "one|two|three.");
  }
  EXPECT_EQ(body.bytes(), 11U);
  EXPECT_EQ(source_.discarded, 0);
}

TEST_F(ReplayBodyTest, KnowsWhetherItsReaderHasGotAllOfIt) {
  EXPECT_TRUE(ReplayBody{}.read_whole());
  source_.piece("one").last("two");
  ReplayBody body(source_, chunked, 64_B);
  EXPECT_FALSE(body.read_whole());
  ASSERT_TRUE(body.try_next());
  EXPECT_FALSE(body.read_whole()) << "half of it";
  ASSERT_TRUE(body.try_next());
  EXPECT_TRUE(body.read_whole());
  body.rewind();
  EXPECT_TRUE(body.complete());
  EXPECT_FALSE(body.read_whole()) << "another one begins";
  EXPECT_EQ(read_whole(body), "one|two.");
  EXPECT_TRUE(body.read_whole());
}

TEST_F(ReplayBodyTest, ReplaysWhatThereIsAndThenGoesOnReading) {
  source_.piece("one").wait().piece("two").last("");
  ReplayBody body(source_, chunked, 64_B);
  EXPECT_EQ(body.try_next()->value().bytes, "one");
  EXPECT_FALSE(body.try_next());
  body.sent();
  body.rewind();
  EXPECT_EQ(read_whole(body), "one|two|.");
}

TEST_F(ReplayBodyTest, KeepsNeighboursAsOnePiece) {
  std::string const bytes = "abcdef";
  for (std::size_t i = 0; i < bytes.size(); ++i) source_.piece(std::string_view(bytes).substr(i, 1));
  source_.last({bytes.data() + bytes.size(), 0});
  ReplayBody body(source_, chunked, 64_B);
  EXPECT_EQ(read_whole(body), "a|b|c|d|e|f|.");
  body.rewind();
  EXPECT_EQ(read_whole(body), "abcdef.");
}

TEST_F(ReplayBodyTest, OverItsLimitOnlyStreamsAndGivesBackWhatWasSent) {
  source_.piece("1234").piece("5678").piece("9").wait().last("0");
  ReplayBody body(source_, chunked, 8_B);
  EXPECT_EQ(body.try_next()->value().bytes, "1234");
  body.sent();
  EXPECT_EQ(body.try_next()->value().bytes, "5678");
  body.sent();
  EXPECT_TRUE(body.replayable()) << "exactly the limit still fits";
  EXPECT_EQ(source_.discarded, 0);
  EXPECT_EQ(body.try_next()->value().bytes, "9");
  EXPECT_FALSE(body.replayable());
  EXPECT_EQ(source_.discarded, 0) << "not sent yet";
  body.sent();
  EXPECT_EQ(source_.discarded, 1);
  EXPECT_EQ(read_whole(body), "0.");
  EXPECT_EQ(body.bytes(), 10U);
  EXPECT_TRUE(body.complete());
}

TEST_F(ReplayBodyTest, WithALimitOfNothingIsReplayableUntilTheFirstByte) {
  source_.wait().last("x");
  ReplayBody body(source_, chunked, 0_B);
  EXPECT_FALSE(body.try_next());
  EXPECT_TRUE(body.replayable());
  body.rewind();
  EXPECT_EQ(read_whole(body), "x.");
  EXPECT_FALSE(body.replayable());
}

TEST_F(ReplayBodyTest, AnEmptyBodyFitsALimitOfNothing) {
  source_.last("");
  ReplayBody body(source_, {Framing::Kind::length, 0}, 0_B);
  EXPECT_EQ(read_whole(body), ".");
  EXPECT_TRUE(body.replayable());
  body.rewind();
  EXPECT_EQ(read_whole(body), ".");
}

TEST_F(ReplayBodyTest, ThatBrokeStaysBrokenAndDoesNotAskAgain) {
  source_.piece("one").wait().fails(Failure{CallerBodyBroken{}});
  ReplayBody body(source_, chunked, 64_B);
  EXPECT_EQ(read_whole(body), "one|!");
  EXPECT_TRUE(body.broken());
  EXPECT_FALSE(body.complete());
  body.rewind();
  EXPECT_EQ(read_whole(body), "one|!");
  auto const again = body.try_next();
  ASSERT_TRUE(again && again->has_error());
  EXPECT_TRUE(again->error().get<CallerBodyBroken>());
}

TEST_F(ReplayBodyTest, ThatStalledIsBrokenToo) {
  source_.piece("one").fails(Failure{CancelReason::idle_timeout});
  ReplayBody body(source_, chunked, 64_B);
  EXPECT_EQ(read_whole(body), "one|!");
  EXPECT_TRUE(body.broken());
}

TEST_F(ReplayBodyTest, IsNotBrokenByAnAttemptThatStopsWaitingForIt) {
  source_.piece("one").wait(10ms).last("two");
  ReplayBody body(source_, chunked, 64_B);
  std::string first;
  TaskGroup group;
  CancelScope attempt;
  group.spawn(read(body, attempt, first));
  scheduler_.advance(scheduler_.now() + 4ms);
  attempt.cancel(CancelReason::attempt_timeout);
  scheduler_.advance(scheduler_.now());
  EXPECT_EQ(first, "one|!");
  EXPECT_TRUE(group.empty());
  EXPECT_FALSE(body.broken());
  body.rewind();
  EXPECT_EQ(read_whole(body), "one|two.");
}

TEST_F(ReplayBodyTest, NeverLosesOrDoublesAByteHoweverAttemptsComeAndGo) {
  Rng rng{5};
  for (int round = 0; round < 500; ++round) {
    Scheduler scheduler;
    ScriptedSource source(scheduler);
    std::string const bytes(1 + rng.below(40), static_cast<char>('a' + round % 26));
    for (std::size_t at = 0; at < bytes.size();) {
      std::string_view const part = std::string_view(bytes).substr(at, 1 + rng.below(6));
      at += part.size();
      if (at == bytes.size()) {
        source.last(part);
      } else {
        source.piece(part);
      }
    }
    ReplayBody body(source, chunked, Bytes{rng.below(60)});
    for (int attempt = 0; attempt < 5 && body.replayable(); ++attempt) {
      body.rewind();
      std::string got;
      bool ended = false;
      std::uint64_t const patience = rng.below(12);
      for (std::uint64_t i = 0; i < patience && !ended; ++i) {
        auto const piece = body.try_next();
        ASSERT_TRUE(piece && *piece);
        got += (*piece)->bytes;
        ended = (*piece)->last;
        if (rng.chance(0.7)) body.sent();
      }
      ASSERT_EQ(got, bytes.substr(0, got.size()));
      ASSERT_EQ(ended, got.size() == bytes.size());
    }
  }
}

}  // namespace
}  // namespace candor::http
