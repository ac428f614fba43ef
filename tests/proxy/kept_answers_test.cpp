// Which answers are kept for later, which requests they are for, and that what is kept stays within its
// bound.
#include "candor/proxy/kept_answers.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace candor::test {
namespace {

using Lines = std::vector<std::pair<std::string, std::string>>;

/// Heads with fields of their own.
struct Get {
  explicit Get(std::string where, Lines with = {}) : target(std::move(where)), lines(std::move(with)) {
    head.method_text = "GET";
    head.method = http::Method::get;
    head.target = target;
    head.host = "shop";
    add(head.fields);
  }
  void add(http::Fields& fields) const {
    for (auto const& [name, value] : lines) {
      fields.add({.name = name, .value = value, .line = {}, .id = http::field_id(name)});
    }
  }

  std::string target;
  Lines lines;
  http::RequestHead head;
};

struct Given {
  explicit Given(Lines with = {}, std::uint16_t status = 200) : lines(std::move(with)) {
    head.status = status;
    head.reason = "Fine";
    for (auto const& [name, value] : lines) {
      head.fields.add({.name = name, .value = value, .line = {}, .id = http::field_id(name)});
    }
  }

  Lines lines;
  http::ResponseHead head;
};

class Keeping {
 public:
  explicit Keeping(StaleSettings const& with = {}) : settings(with) {}

  /// Whether it is recorded to its end.
  bool pass(Get const& request, Given const& answer, std::string const& body = "hello") {
    auto const tap = answers.record(request.head, answer.head, now, wall);
    if (!tap) return false;
    auto const half = body.size() / 2;
    if (!tap->passed({.bytes = std::string_view{body}.substr(0, half)})) return false;
    tap->passed({.bytes = std::string_view{body}.substr(half), .last = true});
    return answers.find(request.head, now) != nullptr;
  }

  StaleSettings settings;
  KeptAnswers answers{settings};
  Instant now{};
  WallTime wall{std::chrono::seconds{784'111'777}};
};

TEST(KeptAnswers, GiveTheLastGoodAnswerToTheSameRequest) {
  Keeping keeping;
  EXPECT_TRUE(keeping.pass(Get{"/a?b"}, Given{{{"Content-Type", "text/plain"}, {"Age", "7"}}}, "first"));
  keeping.now += 5s;
  EXPECT_TRUE(keeping.pass(Get{"/a?b"}, Given{{{"Content-Type", "text/plain"}}}, "second"));
  auto const kept = keeping.answers.find(Get{"/a?b"}.head, keeping.now);
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->body, "second");
  EXPECT_EQ(kept->reason, "Fine");
  EXPECT_EQ(kept->lines,
            "Content-Type: text/plain\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 6\r\n");
  EXPECT_EQ(kept->at, Instant{} + 5s);
  EXPECT_EQ(keeping.answers.size(), 1U);
  for (auto const* other : {"/a", "/a?c", "/A?b"}) {
    EXPECT_FALSE(keeping.answers.find(Get{other}.head, keeping.now)) << other;
  }
  Get elsewhere{"/a?b"};
  elsewhere.head.host = "bank";
  EXPECT_FALSE(keeping.answers.find(elsewhere.head, keeping.now));
}

TEST(KeptAnswers, AreNotCopiedOverAndOverUnderLoad) {
  Keeping keeping{{.within = 60s}};
  Lines const gzip{{"Accept-Encoding", "gzip"}};
  Given const varying{{{"Vary", "Accept-Encoding"}}};
  auto const kept = [&] { return keeping.answers.find(Get("/", gzip).head, keeping.now)->body; };
  keeping.pass(Get("/", gzip), varying, "first");
  keeping.now += 1s - 1ns;
  EXPECT_FALSE(keeping.answers.record(Get("/", gzip).head, varying.head, keeping.now, keeping.wall));
  EXPECT_TRUE(keeping.pass(Get("/other", gzip), varying));
  EXPECT_EQ(kept(), "first");
  keeping.now += 1ns;
  keeping.pass(Get("/", gzip), varying, "second");
  EXPECT_EQ(kept(), "second");
  EXPECT_TRUE(keeping.pass(Get{"/"}, varying, "for another")) << "that is not as good for it";
}

TEST(KeptAnswers, AreCopiedMoreOftenWhereTheyAgeSoon) {
  Keeping keeping{{.within = 2s}};
  keeping.pass(Get{"/"}, Given{}, "first");
  keeping.now += 200ms;
  keeping.pass(Get{"/"}, Given{}, "second");
  EXPECT_EQ(keeping.answers.find(Get{"/"}.head, keeping.now)->body, "second");
}

TEST(KeptAnswers, ThatAreNotCopiedAgainCountAsUsed) {
  Keeping keeping{{.bytes = 16_KiB}};
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(keeping.pass(Get{"/" + std::to_string(i)}, Given{}, std::string(1000, 'x')));
    EXPECT_FALSE(keeping.answers.record(Get{"/0"}.head, Given{}.head, keeping.now, keeping.wall));
  }
  EXPECT_TRUE(keeping.answers.find(Get{"/0"}.head, keeping.now));
}

TEST(KeptAnswers, KeepTheDateThatTheyCameWith) {
  Keeping keeping;
  keeping.pass(Get{"/"}, Given{{{"date", "its own"}}});
  EXPECT_EQ(keeping.answers.find(Get{"/"}.head, keeping.now)->lines,
            "date: its own\r\nContent-Length: 5\r\n");
}

TEST(KeptAnswers, CarryTheAgeThatTheyCameWith) {
  Keeping keeping;
  keeping.pass(Get{"/"}, Given{{{"Age", "7"}}});
  EXPECT_EQ(keeping.answers.find(Get{"/"}.head, keeping.now)->age, 7s);
  keeping.now += 1s;
  keeping.pass(Get{"/"}, Given{{{"Age", "99999999999999999999"}}});
  EXPECT_EQ(keeping.answers.find(Get{"/"}.head, keeping.now)->age, std::chrono::seconds{1LL << 31});
  keeping.now += 1s;
  keeping.pass(Get{"/"}, Given{{{"Age", "-7"}}});
  EXPECT_EQ(keeping.answers.find(Get{"/"}.head, keeping.now)->age, 0s);
}

TEST(KeptAnswers, AreNotGivenWhenTheyAreTooOld) {
  Keeping keeping{{.within = 60s}};
  keeping.pass(Get{"/"}, Given{});
  EXPECT_TRUE(keeping.answers.find(Get{"/"}.head, keeping.now + 60s));
  EXPECT_FALSE(keeping.answers.find(Get{"/"}.head, keeping.now + 60s + 1ns));
  EXPECT_EQ(keeping.answers.bytes(), 0U) << "and not kept any longer";
}

TEST(KeptAnswers, AreOnlyThoseThatAnybodyMaySee) {
  Keeping keeping;
  for (auto const& lines : std::vector<Lines>{{{"Authorization", "Basic x"}},
                                              {{"Cookie", "a=b"}},
                                              {{"cache-control", "No-Store"}},
                                              {{"Cache-Control", "max-age=0, no-cache"}}}) {
    EXPECT_FALSE(keeping.pass(Get("/", lines), Given{})) << lines[0].second;
  }
  for (auto const& lines : std::vector<Lines>{{{"Cache-Control", "no-store"}},
                                              {{"Cache-Control", "max-age=5"}, {"Cache-Control", "Private"}},
                                              {{"Cache-Control", "private=\"x-user\", max-age=5"}},
                                              {{"Cache-Control", "no-cache"}},
                                              {{"Cache-Control", "max-age=5,must-revalidate"}},
                                              {{"Cache-Control", "proxy-revalidate"}},
                                              {{"Set-Cookie", "a=b"}},
                                              {{"Vary", "*"}},
                                              {{"candor-fallback", "stale"}}}) {
    EXPECT_FALSE(keeping.pass(Get{"/"}, Given{lines})) << lines[0].second;
  }
  for (auto const status : std::vector<std::uint16_t>{201, 203, 206, 301, 404, 500}) {
    EXPECT_FALSE(keeping.pass(Get{"/"}, Given({}, status))) << status;
  }
  Get posted{"/"};
  posted.head.method = http::Method::post;
  EXPECT_FALSE(keeping.pass(posted, Given{}));
  Get with_body{"/"};
  with_body.head.framing = {http::Framing::Kind::length, 1};
  EXPECT_FALSE(keeping.pass(with_body, Given{}));
  EXPECT_EQ(keeping.answers.size(), 0U);
  EXPECT_TRUE(keeping.pass(Get{"/"}, Given{{{"Cache-Control", "public, max-age=60"}}}));
}

TEST(KeptAnswers, AreNotShownToWhoAsksForSomethingFresh) {
  Keeping keeping;
  keeping.pass(Get{"/"}, Given{});
  for (auto const& lines :
       std::vector<Lines>{{{"Cache-Control", "no-cache"}}, {{"Authorization", "x"}}, {{"Cookie", "a=b"}}}) {
    EXPECT_FALSE(keeping.answers.find(Get("/", lines).head, keeping.now));
  }
}

TEST(KeptAnswers, AreForRequestsThatLookTheSameWhereTheAnswerVaries) {
  Keeping keeping;
  Lines const gzip{{"Accept-Encoding", "gzip"}};
  keeping.pass(Get("/", gzip), Given{{{"Vary", "accept-encoding, Accept-Language"}}});
  EXPECT_TRUE(keeping.answers.find(Get("/", gzip).head, keeping.now));
  EXPECT_TRUE(keeping.answers.find(Get("/", {{"accept-encoding", "gzip"}, {"X", "y"}}).head, keeping.now));
  EXPECT_FALSE(keeping.answers.find(Get("/", {{"Accept-Encoding", "br"}}).head, keeping.now));
  EXPECT_FALSE(keeping.answers.find(Get{"/"}.head, keeping.now));
  EXPECT_FALSE(keeping.answers.find(Get("/", {gzip[0], {"Accept-Language", "de"}}).head, keeping.now));
}

TEST(KeptAnswers, WhatBreaksOffIsNotKept) {
  Keeping keeping;
  {
    auto const tap = keeping.answers.record(Get{"/"}.head, Given{}.head, keeping.now, keeping.wall);
    EXPECT_TRUE(tap->passed({.bytes = "half"}));
    EXPECT_GT(keeping.answers.bytes(), 0U);
  }
  EXPECT_EQ(keeping.answers.size(), 0U);
  EXPECT_EQ(keeping.answers.bytes(), 0U);
}

TEST(KeptAnswers, ARecordingThatGrowsTooLargeGivesUp) {
  Keeping keeping{{.bytes = 16_KiB}};
  std::string const large(8000, 'x');
  EXPECT_FALSE(keeping.pass(Get{"/"}, Given{}, large));
  Given announced;
  announced.head.framing = {http::Framing::Kind::length, 8000};
  EXPECT_FALSE(keeping.answers.record(Get{"/"}.head, announced.head, keeping.now, keeping.wall))
      << "not even begun";
  EXPECT_EQ(keeping.answers.bytes(), 0U);
  EXPECT_TRUE(keeping.pass(Get{"/"}, Given{}, std::string(2000, 'x')));
}

TEST(KeptAnswers, StayWithinTheirBoundAndLetTheLeastUsedGo) {
  Keeping keeping{{.bytes = 16_KiB}};
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(keeping.pass(Get{"/" + std::to_string(i)}, Given{}, std::string(1000, 'x')));
    EXPECT_TRUE(keeping.answers.find(Get{"/0"}.head, keeping.now)) << "it is asked for all the time";
    EXPECT_LE(keeping.answers.bytes(), 16 * 1024U);
  }
  EXPECT_GE(keeping.answers.size(), 8U);
  EXPECT_TRUE(keeping.answers.find(Get{"/99"}.head, keeping.now));
  EXPECT_FALSE(keeping.answers.find(Get{"/1"}.head, keeping.now));
}

TEST(KeptAnswers, ManyRecordingsTogetherStayWithinTheBoundToo) {
  Keeping keeping{{.bytes = 16_KiB}};
  std::vector<std::unique_ptr<BodyTap>> taps;
  for (int i = 0; i < 100; ++i) {
    auto tap =
        keeping.answers.record(Get{"/" + std::to_string(i)}.head, Given{}.head, keeping.now, keeping.wall);
    if (tap && tap->passed({.bytes = std::string(100, 'x')})) taps.push_back(std::move(tap));
    EXPECT_LE(keeping.answers.bytes(), 4 * 1024U);
  }
  EXPECT_GT(taps.size(), 5U);
  EXPECT_LT(taps.size(), 100U);
  for (auto& tap : taps) tap->passed({.bytes = "end", .last = true});
  EXPECT_EQ(keeping.answers.size(), taps.size());
  taps.clear();
  EXPECT_LE(keeping.answers.bytes(), 16 * 1024U);
}

TEST(KeptAnswers, OneThatIsBeingSentStaysWhole) {
  Keeping keeping;
  keeping.pass(Get{"/"}, Given{}, "old");
  auto const being_sent = keeping.answers.find(Get{"/"}.head, keeping.now);
  keeping.now += 1s;
  keeping.pass(Get{"/"}, Given{}, "new");
  EXPECT_EQ(being_sent->body, "old");
}

}  // namespace
}  // namespace candor::test
