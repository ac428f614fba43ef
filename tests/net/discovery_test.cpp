// Endpoints that a running server learns of: by DNS, from a file; and names that stand in its configuration.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "proxy_rig.hpp"
#include "support/dns_server.hpp"
#include "support/folder.hpp"

namespace candor::test {
namespace {

/// Looks often, so that a test need not wait.
DnsSettings often(DnsServer const& server) {
  return {.refresh = 100ms, .timeout = 200ms, .servers = {server.address()}};
}

SocketUpstream saying(std::string const& what, std::string const& at) {
  return SocketUpstream{[what](Received const&) { return answer(200, what); }, at};
}

UpstreamSettings discovering(DiscoverSettings discover) {
  auto settings = upstream_of({});
  settings.discover = std::move(discover);
  settings.retry.attempts = 1;
  return settings;
}

std::set<std::string> endpoints(Proxy const& proxy) {
  std::set<std::string> out;
  for (auto const& entry : proxy.upstreams[0]->endpoints.all()) out.insert(entry->settings.address);
  return out;
}
DiscoveryReading reading(Proxy const& proxy) { return proxy.upstreams[0]->discovery.read(); }
std::uint64_t updates(Proxy const& proxy, UpdateResult result) {
  return reading(proxy).updates[static_cast<std::size_t>(result)];
}

/// Two upstreams at one port of two addresses of loopback, as a name has them.
struct OnePort {
  SocketUpstream first = saying("first", "127.0.0.1:0");
  std::string port = ":" + std::to_string(first.port());
  SocketUpstream second = saying("second", "127.0.0.2" + port);
};

TEST(Discovery, EachAddressOfANameIsAnEndpoint) {
  OnePort ups;
  DnsServer server;
  server.set("payments.test", {a("127.0.0.1"), a("127.0.0.2")});
  Proxy proxy{discovering({.dns = "payments.test" + ups.port}), {.dns = often(server)}};
  EXPECT_EQ(endpoints(proxy), (std::set<std::string>{"127.0.0.1" + ups.port, "127.0.0.2" + ups.port}));
  std::set<std::string> answers;
  auto caller = proxy.caller();
  for (int i = 0; i < 4; ++i) answers.insert(caller.get("/").body);
  EXPECT_EQ(answers, (std::set<std::string>{"first", "second"}));
}

TEST(Discovery, FollowsANameUnderTrafficAndFailsNoRequest) {
  OnePort ups;
  DnsServer server;
  server.set("payments.test", {a("127.0.0.1")});
  Proxy proxy{discovering({.dns = "payments.test" + ups.port}), {.dns = often(server)}};
  auto caller = proxy.caller();
  EXPECT_EQ(caller.get("/").body, "first");
  for (int i = 0; i < 5; ++i) {
    std::string const next = i % 2 == 0 ? "127.0.0.2" : "127.0.0.1";
    server.set("payments.test", {a(next)});
    ASSERT_TRUE(eventually([&] {
      EXPECT_EQ(caller.get("/").status, 200U);
      return endpoints(proxy) == std::set{next + ups.port};
    }));
  }
  // The account follows the register a moment later.
  ASSERT_TRUE(eventually([&] { return caller.get("/").body == "second"; }));
  ASSERT_TRUE(proxy.settles());
  EXPECT_EQ(proxy.ledger().failed(), 0U);
  EXPECT_EQ(reading(proxy).left, 5U);
}

TEST(Discovery, AnAnswerInAnotherOrderChangesNothing) {
  DnsServer server;
  server.set("payments.test", {a("127.0.0.1"), a("127.0.0.2"), a("127.0.0.3")});
  Proxy proxy{discovering({.dns = "payments.test:80"}), {.dns = often(server)}};
  ASSERT_EQ(endpoints(proxy).size(), 3U);
  server.set("payments.test", {a("127.0.0.3"), a("127.0.0.1"), a("127.0.0.2"), a("127.0.0.1")});
  auto const before = server.asked("payments.test", RecordType::a);
  ASSERT_TRUE(eventually([&] { return server.asked("payments.test", RecordType::a) >= before + 3; }));
  EXPECT_EQ(reading(proxy).came, 3U);
  EXPECT_EQ(reading(proxy).left, 0U);
  EXPECT_EQ(updates(proxy, UpdateResult::changed), 1U);
}

TEST(Discovery, AFailureKeepsTheLastGoodAnswerAndIsSaidOnce) {
  OnePort ups;
  DnsServer server;
  server.set("payments.test", {a("127.0.0.1")});
  Proxy proxy{discovering({.dns = "payments.test" + ups.port}), {.dns = often(server)}};
  for (auto const& bad : {DnsReply{.code = 2}, DnsReply{.code = 3}, DnsReply{}}) {
    server.set("payments.test", RecordType::a, bad);
    auto const before = updates(proxy, UpdateResult::failed);
    ASSERT_TRUE(eventually([&] { return updates(proxy, UpdateResult::failed) >= before + 2; }));
    EXPECT_EQ(proxy.caller().get("/").body, "first");
    EXPECT_TRUE(reading(proxy).failing_since);
  }
  EXPECT_EQ(proxy.times_said("cannot look up payments.test"), 1U);
  server.set("payments.test", {a("127.0.0.2")});
  ASSERT_TRUE(eventually([&] { return proxy.caller().get("/").body == "second"; }));
  EXPECT_EQ(proxy.times_said("looked up payments.test again"), 1U);
  EXPECT_FALSE(reading(proxy).failing_since);
  auto const counts = proxy.names->read().at("payments.test").look_ups;
  EXPECT_GE(counts[static_cast<std::size_t>(LookUpResult::failed)], 1U);
  EXPECT_GE(counts[static_cast<std::size_t>(LookUpResult::no_such_name)], 1U);
}

TEST(Discovery, AnEmptyAnswerRemovesThemOnlyWhereItIsBelieved) {
  OnePort ups;
  DnsServer server;
  server.set("payments.test", {a("127.0.0.1")});
  Proxy proxy{discovering({.dns = "payments.test" + ups.port, .on_empty = DiscoverSettings::Empty::remove}),
              {.dns = often(server)}};
  EXPECT_EQ(proxy.caller().get("/").body, "first");
  server.set("payments.test", RecordType::a, {});
  ASSERT_TRUE(eventually([&] { return endpoints(proxy).empty(); }));
  auto const refused = proxy.caller().get("/");
  EXPECT_EQ(refused.status, 503U);
  EXPECT_TRUE(refused.has("error=destination_not_found")) << refused.head;
}

TEST(Discovery, AnEmptyAnswerThatIsBelievedIsAskedForAgainAsAnyOther) {
  OnePort ups;
  DnsServer server;
  server.set("payments.test", {a("127.0.0.1")});
  auto dns = often(server);
  dns.refresh = 20ms;
  Proxy proxy{discovering({.dns = "payments.test" + ups.port, .on_empty = DiscoverSettings::Empty::remove}),
              {.dns = dns}};
  server.set("payments.test", RecordType::a, {});
  ASSERT_TRUE(eventually([&] { return endpoints(proxy).empty(); }));
  // With the waits of failures, it would take minutes to have asked so often.
  auto const before = server.asked("payments.test", RecordType::a);
  ASSERT_TRUE(eventually([&] { return server.asked("payments.test", RecordType::a) >= before + 15; }));
  server.set("payments.test", {a("127.0.0.2")});
  ASSERT_TRUE(eventually([&] { return proxy.caller().get("/").body == "second"; }));
}

TEST(Discovery, AFamilyThatNobodyAnswersForDoesNotHoldUpTheOther) {
  OnePort ups;
  DnsServer server;
  server.set("payments.test", {a("127.0.0.1")});
  server.set("payments.test", RecordType::aaaa, {.silent = true});
  DnsSettings const patient{.refresh = 100ms,
                            .timeout = 10min,
                            .servers = {server.address()},
                            .addresses = DnsSettings::Addresses::both};
  Proxy proxy{discovering({.dns = "payments.test" + ups.port}), {.dns = patient}};
  ASSERT_TRUE(eventually([&] { return proxy.caller().get("/").body == "first"; }));
  server.set("payments.test", {a("127.0.0.2")});
  ASSERT_TRUE(eventually([&] { return proxy.caller().get("/").body == "second"; }));
  EXPECT_EQ(proxy.times_said("cannot look up"), 0U);
  EXPECT_EQ(server.asked("payments.test", RecordType::aaaa), 1U) << "that question is still open";
}

TEST(Discovery, TheOtherFamilyJoinsWhenItIsAnsweredAndKeepsWhatItHadUntilThen) {
  OnePort ups;
  DnsServer server;
  server.set("payments.test", {a("127.0.0.1")});
  server.set("payments.test", {aaaa("::1")});
  auto dns = often(server);
  dns.addresses = DnsSettings::Addresses::both;
  Proxy proxy{discovering({.dns = "payments.test" + ups.port}), {.dns = dns}};
  std::set<std::string> const both{"127.0.0.1" + ups.port, "[::1]" + ups.port};
  ASSERT_TRUE(eventually([&] { return endpoints(proxy) == both; }));
  server.set("payments.test", RecordType::aaaa, {.silent = true});
  auto const before = server.asked("payments.test", RecordType::a);
  ASSERT_TRUE(eventually([&] { return server.asked("payments.test", RecordType::a) >= before + 3; }));
  EXPECT_EQ(endpoints(proxy), both);
  EXPECT_EQ(reading(proxy).left, 0U);
}

TEST(Discovery, StartsWithoutAnyEndpointAndRefusesUntilOneIsKnown) {
  OnePort ups;
  DnsServer server;
  server.set("payments.test", RecordType::a, {.silent = true});
  Proxy proxy{discovering({.dns = "payments.test" + ups.port}), {.dns = often(server)}};
  EXPECT_EQ(proxy.times_said("test: no endpoint is known yet (dns payments.test" + ups.port + ")"), 1U);
  EXPECT_EQ(proxy.caller().get("/").status, 503U);
  server.set("payments.test", {a("127.0.0.1")});
  ASSERT_TRUE(eventually([&] { return proxy.caller().get("/").body == "first"; }));
  EXPECT_EQ(proxy.ledger().failed(), 0U);
}

TEST(Discovery, TargetsOfAServiceHaveTheirPortsAndTheNextPriorityStandsIn) {
  auto first = saying("first", "127.0.0.1:0");
  auto second = saying("second", "127.0.0.1:0");
  DnsServer server;
  server.set("one.test", {a("127.0.0.1")});
  server.set("two.test", {a("127.0.0.1")});
  server.set("_http._tcp.payments.test",
             {srv(10, 1, first.port(), "one.test"), srv(20, 1, second.port(), "two.test")});
  Proxy proxy{discovering({.srv = "_http._tcp.payments.test"}), {.dns = often(server)}};
  auto caller = proxy.caller();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(caller.get("/").body, "first");
  server.set("_http._tcp.payments.test", {srv(20, 1, second.port(), "two.test")});
  ASSERT_TRUE(eventually([&] { return caller.get("/").body == "second"; }));
  EXPECT_EQ(proxy.ledger().failed(), 0U);
  ASSERT_TRUE(eventually([&] { return !proxy.names->read().contains("one.test"); })) << "nobody asks for it";
}

TEST(Discovery, ATargetWithoutAnAddressIsNotThereYet) {
  auto first = saying("first", "127.0.0.1:0");
  DnsServer server;
  server.set("one.test", {a("127.0.0.1")});
  server.set("_http._tcp.payments.test", {srv(0, 1, first.port(), "one.test"), srv(0, 1, 1, "two.test")});
  Proxy proxy{discovering({.srv = "_http._tcp.payments.test"}), {.dns = often(server)}};
  auto caller = proxy.caller();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(caller.get("/").body, "first");
  EXPECT_EQ(endpoints(proxy), std::set{"one.test:" + std::to_string(first.port())});
}

TEST(Discovery, TargetsStayUntilTheNamesThatFollowThemHaveAddresses) {
  auto first = saying("first", "127.0.0.1:0");
  auto second = saying("second", "127.0.0.1:0");
  DnsServer server;
  server.set("one.test", {a("127.0.0.1")});
  server.set("_http._tcp.payments.test", {srv(0, 1, first.port(), "one.test")});
  Proxy proxy{discovering({.srv = "_http._tcp.payments.test"}), {.dns = often(server)}};
  auto caller = proxy.caller();
  EXPECT_EQ(caller.get("/").body, "first");
  server.set("two.test", RecordType::a, {.silent = true});
  server.set("_http._tcp.payments.test", {srv(0, 1, second.port(), "two.test")});
  ASSERT_TRUE(eventually([&] {
    EXPECT_EQ(caller.get("/").body, "first");
    return proxy.times_said("no name that it lists has an address (two.test: no name server answers)") == 1;
  }));
  EXPECT_TRUE(reading(proxy).failing_since);
  EXPECT_EQ(endpoints(proxy), std::set{"one.test:" + std::to_string(first.port())});
  server.set("two.test", {a("127.0.0.1")});
  ASSERT_TRUE(eventually([&] {
    auto const answer = caller.get("/");
    EXPECT_EQ(answer.status, 200U);
    return answer.body == "second";
  }));
  EXPECT_EQ(endpoints(proxy), std::set{"two.test:" + std::to_string(second.port())});
  EXPECT_EQ(proxy.times_said("learns of its endpoints again"), 1U);
  ASSERT_TRUE(eventually([&] { return !reading(proxy).failing_since; }));
  EXPECT_EQ(proxy.ledger().failed(), 0U);
  EXPECT_EQ(reading(proxy).left, 1U);
}

TEST(Discovery, ANameOfTheConfigurationIsOneEndpointWhoseAddressesMayChange) {
  OnePort ups;
  DnsServer server;
  server.set("payments.test", {a("127.0.0.1")});
  auto settings = upstream_of({"payments.test" + ups.port});
  settings.retry.attempts = 1;
  Proxy proxy{settings, {.pool = {.idle = 0s}, .dns = often(server)}};
  EXPECT_EQ(proxy.caller().get("/").body, "first");
  server.set("payments.test", {a("127.0.0.2")});
  ASSERT_TRUE(eventually([&] { return proxy.caller().get("/").body == "second"; }));
  EXPECT_EQ(endpoints(proxy), std::set{"payments.test" + ups.port});
  EXPECT_EQ(proxy.health().departed.endpoints, 0U);
  EXPECT_EQ(proxy.ledger().failed(), 0U);
}

TEST(Discovery, EndpointsOfTheConfigurationStayBesideThoseThatAreDiscovered) {
  OnePort ups;
  DnsServer server;
  server.set("payments.test", {a("127.0.0.1")});
  auto settings = discovering({.dns = "payments.test" + ups.port});
  settings.endpoints = {{.address = ups.second.address(), .priority = 1}};
  Proxy proxy{settings, {.dns = often(server)}};
  auto caller = proxy.caller();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(caller.get("/").body, "first");
  EXPECT_EQ(endpoints(proxy).size(), 2U);
  EXPECT_EQ(proxy.upstreams[0]->endpoints.find({0})->source, "");
  EXPECT_EQ(proxy.upstreams[0]->endpoints.find({1})->source, "dns payments.test" + ups.port);
}

// --- a file ---

/// An address a line; "bad" is wrong.
ReadEndpoints reads_lines() {
  return [](std::string const& file) -> std::variant<std::vector<EndpointSettings>, std::string> {
    std::ifstream in{file};
    if (!in) return file + ": cannot be opened";
    std::vector<EndpointSettings> endpoints;
    for (std::string line; std::getline(in, line);) {
      if (line == "bad") return file + ":" + std::to_string(endpoints.size() + 1) + ":1: is bad";
      endpoints.push_back({line});
    }
    return endpoints;
  };
}

void write(std::string const& file, std::string const& text) { std::ofstream{file} << text; }

TEST(DiscoveryByFile, FollowsAFileThatIsWrittenAnewOrReplaced) {
  OnePort ups;
  Folder folder;
  auto const file = folder.path("endpoints");
  write(file, ups.first.address() + "\n");
  Proxy proxy{discovering({.file = file}), {.read_endpoints = reads_lines()}};
  EXPECT_EQ(proxy.caller().get("/").body, "first");
  write(file, ups.second.address() + "\n");
  ASSERT_TRUE(eventually([&] { return proxy.caller().get("/").body == "second"; }));
  write(folder.path("new"), ups.first.address() + "\n");
  std::filesystem::rename(folder.path("new"), file);
  ASSERT_TRUE(eventually([&] { return proxy.caller().get("/").body == "first"; }));
  EXPECT_EQ(proxy.ledger().failed(), 0U);
}

TEST(DiscoveryByFile, FollowsALinkThatIsSwappedAsThoseOfConfigMapsAre) {
  OnePort ups;
  Folder folder;
  for (auto const* version : {"..1", "..2"}) std::filesystem::create_directory(folder.path(version));
  write(folder.path("..1/endpoints"), ups.first.address() + "\n");
  write(folder.path("..2/endpoints"), ups.second.address() + "\n");
  std::filesystem::create_symlink("..1", folder.path("..data"));
  std::filesystem::create_symlink("..data/endpoints", folder.path("endpoints"));
  Proxy proxy{discovering({.file = folder.path("endpoints")}), {.read_endpoints = reads_lines()}};
  EXPECT_EQ(proxy.caller().get("/").body, "first");
  std::filesystem::create_symlink("..2", folder.path("..tmp"));
  std::filesystem::rename(folder.path("..tmp"), folder.path("..data"));
  ASSERT_TRUE(eventually([&] { return proxy.caller().get("/").body == "second"; }));
}

TEST(DiscoveryByFile, ABadOneOrNoneChangesNothingAndSaysWhyOnce) {
  OnePort ups;
  Folder folder;
  auto const file = folder.path("endpoints");
  write(file, ups.first.address() + "\n");
  Proxy proxy{discovering({.file = file}), {.read_endpoints = reads_lines()}};
  write(file, "bad\n");
  ASSERT_TRUE(eventually([&] { return proxy.times_said(file + ":1:1: is bad") == 1; }));
  std::filesystem::remove(file);
  ASSERT_TRUE(eventually([&] { return proxy.times_said("cannot be opened") == 1; }));
  write(file, "");
  ASSERT_TRUE(eventually([&] { return proxy.times_said("lists no endpoint") == 1; }));
  EXPECT_EQ(proxy.caller().get("/").body, "first");
  write(file, ups.second.address() + "\n");
  ASSERT_TRUE(eventually([&] { return proxy.caller().get("/").body == "second"; }));
  EXPECT_EQ(proxy.times_said("learns of its endpoints again"), 1U);
}

TEST(DiscoveryByFile, OtherNamesTakeOverWhenTheyHaveAddressesAndMisspeltOnesNever) {
  auto first = saying("first", "127.0.0.1:0");
  auto second = saying("second", "127.0.0.1:0");
  auto const port = [](SocketUpstream const& of) { return ":" + std::to_string(of.port()); };
  DnsServer server;
  server.set("one.test", {a("127.0.0.1")});
  server.set("two.test", {a("127.0.0.1")});
  Folder folder;
  auto const file = folder.path("endpoints");
  write(file, "one.test" + port(first) + "\n");
  Proxy proxy{discovering({.file = file}), {.dns = often(server), .read_endpoints = reads_lines()}};
  auto caller = proxy.caller();
  EXPECT_EQ(caller.get("/").body, "first");
  write(file, "tow.test" + port(second) + "\n");
  ASSERT_TRUE(eventually([&] {
    EXPECT_EQ(caller.get("/").body, "first");
    return proxy.times_said("no name that it lists has an address (tow.test: there is no such name)") == 1;
  }));
  EXPECT_EQ(endpoints(proxy), std::set{"one.test" + port(first)});
  // One that can be reached is enough.
  write(file, "tow.test" + port(second) + "\ntwo.test" + port(second) + "\n");
  ASSERT_TRUE(eventually([&] {
    auto const answer = caller.get("/");
    EXPECT_EQ(answer.status, 200U);
    return answer.body == "second";
  }));
  ASSERT_TRUE(eventually([&] { return endpoints(proxy) == std::set{"two.test" + port(second)}; }));
  EXPECT_FALSE(reading(proxy).failing_since);
  EXPECT_EQ(proxy.ledger().failed(), 0U);
}

TEST(DiscoveryByFile, MayComeLater) {
  OnePort ups;
  Folder folder;
  auto const file = folder.path("endpoints");
  Proxy proxy{discovering({.file = file}), {.read_endpoints = reads_lines()}};
  EXPECT_EQ(proxy.caller().get("/").status, 503U);
  write(file, ups.first.address() + "\n");
  ASSERT_TRUE(eventually([&] { return proxy.caller().get("/").body == "first"; }));
}

}  // namespace
}  // namespace candor::test
