// What is known of what is asked again and again, and the endpoints that it means, on virtual time.
#include <gtest/gtest.h>

#include "../../src/net/endpoint_sets.hpp"

namespace candor::test {
namespace {

constexpr Instant start{1h};

struct Kept {
  explicit Kept(AskingPolicy policy = {}) : answer(policy) {}

  News good(std::vector<int> items, Duration ttl = 10s) {
    return answer.good(std::move(items), ttl, now, rng);
  }
  News bad() { return answer.bad(now, rng); }
  [[nodiscard]] Duration wait() const { return answer.due() - now; }

  KeptAnswer<int> answer;
  Instant now = start;
  Rng rng{1};
};

TEST(KeptAnswer, IsAskedForAgainSomewhatBeforeItsTtlIsOver) {
  for (int i = 0; i < 100; ++i) {
    Kept kept;
    kept.rng = Rng{static_cast<std::uint64_t>(i)};
    kept.good({1}, 10s);
    EXPECT_GE(kept.wait(), 9s);
    EXPECT_LE(kept.wait(), 10s);
  }
}

TEST(KeptAnswer, ATtlHasBounds) {
  Kept kept{{.least_ttl = 2s, .most_ttl = 30s}};
  kept.good({1}, 0s);
  EXPECT_GE(kept.wait(), 1800ms);
  kept.good({1}, 24h);
  EXPECT_LE(kept.wait(), 30s);
  EXPECT_GE(kept.wait(), 27s);
}

TEST(KeptAnswer, RefreshGoesBeforeAnyTtl) {
  Kept kept{{.refresh = 100ms}};
  kept.good({1}, 24h);
  EXPECT_LE(kept.wait(), 100ms);
  kept.bad();
  EXPECT_LE(kept.wait(), 120ms) << "the first time, failures wait no longer";
}

TEST(KeptAnswer, ASetInAnotherOrderIsNoChange) {
  Kept kept;
  EXPECT_TRUE(kept.good({1, 2, 3}).changed);
  EXPECT_FALSE(kept.good({3, 1, 2}).changed);
  EXPECT_FALSE(kept.good({2, 3, 1, 1, 2}).changed) << "nor is one that says something twice";
  EXPECT_TRUE(kept.good({1, 2}).changed);
}

TEST(KeptAnswer, AFailureKeepsTheLastOneAndBeginsOnce) {
  Kept kept;
  kept.good({1, 2});
  EXPECT_TRUE(kept.bad().begins_to_fail);
  EXPECT_FALSE(kept.bad().begins_to_fail);
  EXPECT_TRUE(kept.answer.failing());
  EXPECT_EQ(kept.answer.items(), (std::vector{1, 2}));
  auto const news = kept.good({1, 2});
  EXPECT_TRUE(news.is_well_again);
  EXPECT_FALSE(news.changed);
}

TEST(KeptAnswer, FailuresAreAskedAgainMoreAndMoreSlowly) {
  Kept kept;
  Duration before{};
  for (int i = 0; i < 5; ++i) {
    kept.bad();
    EXPECT_GT(kept.wait(), before);
    before = kept.wait();
  }
  for (int i = 0; i < 1000; ++i) kept.bad();
  EXPECT_LE(kept.wait(), 36s);
  EXPECT_GE(kept.wait(), 24s);
  kept.good({1});
  kept.bad();
  EXPECT_LE(kept.wait(), 1200ms) << "anew, after a good one";
}

TEST(KeptAnswer, AnEmptyOneIsAFailureUnlessItIsBelieved) {
  Kept kept;
  kept.good({1});
  EXPECT_TRUE(kept.good({}).begins_to_fail);
  EXPECT_EQ(kept.answer.items(), std::vector{1});
  Kept believing{{.believes_empty = true}};
  believing.good({1});
  EXPECT_TRUE(believing.good({}).changed);
  EXPECT_TRUE(believing.answer.items().empty());
  EXPECT_FALSE(believing.answer.failing());
}

TEST(KeptAnswer, AnEmptinessThatIsBelievedLivesAsLongAsWhatWasThereBefore) {
  Kept kept{{.believes_empty = true}};
  kept.good({1}, 10s);
  for (int i = 0; i < 5; ++i) {
    kept.good({}, 0s);
    EXPECT_GE(kept.wait(), 9s);
    EXPECT_LE(kept.wait(), 10s);
  }
  kept.good({}, 20s);
  EXPECT_GE(kept.wait(), 18s) << "unless it says how long itself";
}

// --- names, by family ---

AddressAnswer of(std::vector<std::string> const& hosts, Duration ttl = 10s) {
  AddressAnswer answer{.result = LookUpResult::answered, .ttl = ttl};
  for (auto const& host : hosts) answer.addresses.push_back(*Address::literal({host, 0}));
  return answer;
}
AddressAnswer none(LookUpResult result) { return {.result = result, .why = std::string(name(result))}; }

struct Name {
  explicit Name(AskingPolicy policy = {}) : kept(policy, 2) {}
  News settle(AddressAnswer four, AddressAnswer six, std::vector<bool> const& open = {false, false}) {
    why.clear();
    return kept.settle({std::move(four), std::move(six)}, open, start, rng, why);
  }
  [[nodiscard]] std::set<std::string> addresses() const {
    std::set<std::string> out;
    for (auto const& address : kept.addresses()) out.insert(address.text());
    return out;
  }
  KeptName kept;
  Rng rng{1};
  std::string why;
};

TEST(KeptName, HasTheAddressesOfBothFamilies) {
  Name name;
  EXPECT_TRUE(name.settle(of({"10.0.0.1"}), of({"2001:db8::1"}, 5s)).changed);
  EXPECT_EQ(name.addresses(), (std::set<std::string>{"10.0.0.1:0", "[2001:db8::1]:0"}));
  EXPECT_LE(name.kept.answer().due(), start + 5s) << "the shorter TTL counts";
}

TEST(KeptName, MayHaveAddressesInOneFamilyOnly) {
  Name name;
  EXPECT_TRUE(name.settle(of({"10.0.0.1"}), none(LookUpResult::empty)).changed);
  EXPECT_FALSE(name.kept.answer().failing());
  name.settle(of({"10.0.0.1"}), of({"2001:db8::1"}));
  EXPECT_TRUE(name.settle(of({"10.0.0.1"}), none(LookUpResult::empty)).changed);
  EXPECT_EQ(name.addresses(), std::set<std::string>{"10.0.0.1:0"}) << "it has no others any more";
}

TEST(KeptName, AFamilyThatFailsKeepsWhatItHadAndTheOtherFollows) {
  Name name;
  name.settle(of({"10.0.0.1"}), of({"2001:db8::1"}));
  EXPECT_TRUE(name.settle(of({"10.0.0.2"}), none(LookUpResult::timed_out)).changed);
  EXPECT_EQ(name.addresses(), (std::set<std::string>{"10.0.0.2:0", "[2001:db8::1]:0"}));
  EXPECT_LE(name.kept.answer().due(), start + 1200ms) << "and is asked again soon";
}

TEST(KeptName, AFamilyThatNobodyHasAnsweredForYetKeepsWhatItHadAndHurriesNobody) {
  Name name;
  name.settle(of({"10.0.0.1"}), of({"2001:db8::1"}));
  EXPECT_TRUE(name.settle(of({"10.0.0.2"}, 60s), none(LookUpResult::empty), {false, true}).changed);
  EXPECT_EQ(name.addresses(), (std::set<std::string>{"10.0.0.2:0", "[2001:db8::1]:0"}));
  EXPECT_GE(name.kept.answer().due(), start + 50s) << "as its TTL says";
  EXPECT_EQ(name.why, "");
}

TEST(KeptName, OneThatHasNothingKeepsItsLastAddressesAndSaysWhy) {
  Name name;
  name.settle(of({"10.0.0.1"}), none(LookUpResult::empty));
  EXPECT_TRUE(name.settle(none(LookUpResult::no_such_name), none(LookUpResult::no_such_name)).begins_to_fail);
  EXPECT_EQ(name.why, "no_such_name");
  EXPECT_EQ(name.addresses(), std::set<std::string>{"10.0.0.1:0"});
  name.settle(none(LookUpResult::failed), none(LookUpResult::empty));
  EXPECT_EQ(name.why, "failed");
  EXPECT_EQ(name.addresses(), std::set<std::string>{"10.0.0.1:0"});
}

TEST(KeptName, SaysThatItHasNothingOnlyWhenBothFamiliesSayIt) {
  Name name;
  name.settle(of({"10.0.0.1"}), none(LookUpResult::empty));
  name.settle(none(LookUpResult::timed_out), none(LookUpResult::empty));
  EXPECT_FALSE(name.kept.says_empty());
  EXPECT_TRUE(name.settle(none(LookUpResult::empty), none(LookUpResult::no_such_name)).changed);
  EXPECT_TRUE(name.kept.says_empty());
  EXPECT_EQ(name.addresses().size(), 1U) << "whoever does not believe it";
  EXPECT_FALSE(name.settle(none(LookUpResult::timed_out), none(LookUpResult::empty)).changed);
  EXPECT_TRUE(name.kept.says_empty()) << "nobody has said anything else";
  EXPECT_TRUE(name.settle(of({"10.0.0.1"}), none(LookUpResult::empty)).changed);
  EXPECT_FALSE(name.kept.says_empty());
}

TEST(KeptName, ThatItHasNothingIsAskedAgainMoreSlowlyUnlessItIsBelieved) {
  auto const is_empty = [](Name& name) {
    return name.settle(none(LookUpResult::empty), none(LookUpResult::no_such_name));
  };
  Name doubted;
  Name believed;
  believed.kept.believe_empty();
  for (auto* name : {&doubted, &believed}) {
    name->settle(of({"10.0.0.1"}, 5s), none(LookUpResult::empty));
    EXPECT_TRUE(is_empty(*name).begins_to_fail);
    for (int i = 0; i < 9; ++i) is_empty(*name);
  }
  EXPECT_GE(doubted.kept.answer().due(), start + 24s);
  EXPECT_GE(believed.kept.answer().due(), start + 4500ms);
  EXPECT_LE(believed.kept.answer().due(), start + 5s);
  // A failure is one all the same, and the first.
  believed.settle(none(LookUpResult::timed_out), none(LookUpResult::empty));
  EXPECT_LE(believed.kept.answer().due(), start + 2400ms);
}

TEST(KeptName, OneThatIsKnownFromMemoryAloneFails) {
  Name name;
  name.settle(of({"10.0.0.1"}), none(LookUpResult::empty));
  EXPECT_TRUE(name.settle(none(LookUpResult::failed), none(LookUpResult::empty)).begins_to_fail);
  EXPECT_EQ(name.addresses().size(), 1U);
}

// --- endpoints ---

TEST(EndpointSets, EachAddressIsAnEndpoint) {
  auto const endpoints = endpoints_of(
      std::vector{*Address::literal({"10.0.0.1", 0}), *Address::literal({"2001:db8::1", 0})}, 8080);
  EXPECT_EQ(endpoints, (std::vector<EndpointSettings>{{"10.0.0.1:8080"}, {"[2001:db8::1]:8080"}}));
}

TEST(EndpointSets, TheRanksOfPrioritiesAreGroupsAndNoWeightIsNothing) {
  auto const endpoints = endpoints_of({{"a.x", 80, 10, 5}, {"b.x", 81, 10, 0}, {"c.x", 82, 500, 65535}});
  EXPECT_EQ(endpoints,
            (std::vector<EndpointSettings>{{"a.x:80", 5, 0}, {"b.x:81", 1, 0}, {"c.x:82", 65535, 1}}));
  std::vector<SrvTarget> many;
  for (std::uint16_t i = 0; i < 40; ++i) many.push_back({"x", 80, i, 1});
  EXPECT_EQ(endpoints_of(many).back().priority, 15U);
}

}  // namespace
}  // namespace candor::test
