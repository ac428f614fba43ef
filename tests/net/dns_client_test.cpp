// What is made of what name servers say, over sockets.
#include "../../src/net/dns_client.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "support/dns_server.hpp"
#include "support/folder.hpp"

namespace candor::test {
namespace {

DnsSettings asking(std::vector<std::string> servers) {
  return {.timeout = 100ms, .servers = std::move(servers), .addresses = DnsSettings::Addresses::both};
}

/// One question, from the first packet to the answer.
AddressAnswer ask(DnsSettings const& settings, std::string const& host, int family = AF_INET) {
  Reactor reactor;
  DnsClient client{reactor, settings};
  AddressAnswer got;
  client.ask_for_addresses(host, family, [&](AddressAnswer answer) {
    got = std::move(answer);
    reactor.stop();
  });
  reactor.run();
  return got;
}
SrvAnswer ask_for_targets(DnsSettings const& settings, std::string const& service) {
  Reactor reactor;
  DnsClient client{reactor, settings};
  SrvAnswer got;
  client.ask_for_targets(service, [&](SrvAnswer answer) {
    got = std::move(answer);
    reactor.stop();
  });
  reactor.run();
  return got;
}
std::set<std::string> texts(AddressAnswer const& answer) {
  std::set<std::string> out;
  for (auto const& address : answer.addresses) out.insert(address.text());
  return out;
}

TEST(DnsClient, TakesAddressesAndTheShortestTtl) {
  DnsServer server;
  server.set("payments.test", {a("10.0.0.1", 30), a("10.0.0.2", 20)});
  auto const answer = ask(asking({server.address()}), "payments.test");
  EXPECT_EQ(answer.result, LookUpResult::answered);
  EXPECT_EQ(texts(answer), (std::set<std::string>{"10.0.0.1:0", "10.0.0.2:0"}));
  EXPECT_EQ(answer.ttl, 20s);
  EXPECT_EQ(server.asked("payments.test", RecordType::aaaa), 0U);
}

TEST(DnsClient, TakesAddressesOfTheOtherFamily) {
  DnsServer server;
  server.set("payments.test", {aaaa("2001:db8::1", 7)});
  auto const answer = ask(asking({server.address()}), "payments.test", AF_INET6);
  EXPECT_EQ(texts(answer), std::set<std::string>{"[2001:db8::1]:0"});
  EXPECT_EQ(answer.ttl, 7s);
}

TEST(DnsClient, FollowsAnAliasWhoseTtlCountsToo) {
  DnsServer server;
  auto address = a("10.0.0.1", 60);
  address.name = "real.test";
  server.set("payments.test", RecordType::a, {.records = {cname("real.test", 5), address}});
  auto const answer = ask(asking({server.address()}), "payments.test");
  EXPECT_EQ(texts(answer), std::set<std::string>{"10.0.0.1:0"});
  EXPECT_EQ(answer.ttl, 5s);
}

TEST(DnsClient, TellsWhatIsNoAnswerApart) {
  DnsServer server;
  auto const settings = asking({server.address()});
  EXPECT_EQ(ask(settings, "nobody.test").result, LookUpResult::no_such_name);
  server.set("payments.test", {a("10.0.0.1")});
  EXPECT_EQ(ask(settings, "payments.test", AF_INET6).result, LookUpResult::empty);
  server.set("payments.test", RecordType::a, {.code = 2});
  EXPECT_EQ(ask(settings, "payments.test").result, LookUpResult::failed);
  server.set("payments.test", RecordType::a, {.code = 5});
  EXPECT_EQ(ask(settings, "payments.test").result, LookUpResult::failed);
  server.set("payments.test", RecordType::a, {.silent = true});
  auto const silent = ask(settings, "payments.test");
  EXPECT_EQ(silent.result, LookUpResult::timed_out);
  EXPECT_EQ(silent.why, "no name server answers");
  for (auto const& garbage : {std::string("x"), std::string(11, '\xff'), std::string(600, '\xff')}) {
    server.set("payments.test", RecordType::a, {.garbage = garbage});
    EXPECT_NE(ask(settings, "payments.test").result, LookUpResult::answered);
  }
}

TEST(DnsClient, AsksOverTcpWhereAnAnswerWasCutShort) {
  DnsServer server;
  std::vector<Record> many;
  for (int i = 0; i < 100; ++i) many.push_back(a("10.0.1." + std::to_string(i)));
  server.set("payments.test", RecordType::a, {.records = many, .truncated = true});
  EXPECT_EQ(ask(asking({server.address()}), "payments.test").addresses.size(), 100U);
  EXPECT_EQ(server.asked_over_tcp(), 1U);
}

TEST(DnsClient, WaitsForTheAnswerToItsOwnQuestion) {
  DnsServer server;
  server.set("payments.test", RecordType::a, {.records = {a("127.0.0.9")}, .wrong_id_first = true});
  EXPECT_EQ(texts(ask(asking({server.address()}), "payments.test")), std::set<std::string>{"127.0.0.9:0"});
}

TEST(DnsClient, AsksTheNextServerWhereOneSaysNothing) {
  DnsServer silent;
  silent.set("payments.test", RecordType::a, {.silent = true});
  DnsServer other;
  other.set("payments.test", {a("10.0.0.1")});
  EXPECT_EQ(ask(asking({silent.address(), other.address()}), "payments.test").result, LookUpResult::answered);
  EXPECT_EQ(silent.asked("payments.test", RecordType::a), 1U);
}

/// A name of /etc/hosts with an IPv4 address; empty: there is none but localhost.
std::string name_of_hosts_file() {
  std::ifstream hosts{"/etc/hosts"};
  for (std::string line; std::getline(hosts, line);) {
    std::istringstream words{line};
    std::string address;
    std::string name;
    words >> address >> name;
    bool const is_taken = !name.empty() && name[0] != '#' && name.find("localhost") == name.npos;
    if (is_taken && Address::literal({address, 0}) && address.find(':') == address.npos) return name;
  }
  return {};
}

TEST(DnsClient, LooksIntoTheHostsFileFirst) {
  auto const name = name_of_hosts_file();
  if (name.empty()) GTEST_SKIP() << "/etc/hosts has no name but localhost";
  DnsServer server;
  EXPECT_EQ(ask(asking({server.address()}), name).result, LookUpResult::answered);
  EXPECT_EQ(server.asked(name, RecordType::a), 0U);
}

TEST(DnsClient, LocalhostIsThisMachineWhateverAnybodySays) {
  DnsServer server;
  auto const settings = asking({server.address()});
  for (auto const* name : {"localhost", "LocalHost", "localhost.", "payments.localhost"}) {
    server.set(name, {a("10.0.0.1")});
    server.set(name, {aaaa("2001:db8::1")});
    EXPECT_EQ(texts(ask(settings, name)), std::set<std::string>{"127.0.0.1:0"}) << name;
    EXPECT_EQ(texts(ask(settings, name, AF_INET6)), std::set<std::string>{"[::1]:0"}) << name;
  }
  server.set("notlocalhost.test", {a("10.0.0.1")});
  server.set("localhost.test", {a("10.0.0.2")});
  EXPECT_EQ(texts(ask(settings, "notlocalhost.test")), std::set<std::string>{"10.0.0.1:0"});
  EXPECT_EQ(texts(ask(settings, "localhost.test")), std::set<std::string>{"10.0.0.2:0"});
}

TEST(DnsClient, TakesTargetsOfAService) {
  DnsServer server;
  server.set("_http._tcp.payments.test",
             {srv(10, 5, 8080, "one.test", 40), srv(20, 0, 8081, "two.test", 30), srv(0, 0, 0, "", 50)});
  auto const answer = ask_for_targets(asking({server.address()}), "_http._tcp.payments.test");
  EXPECT_EQ(answer.result, LookUpResult::answered);
  EXPECT_EQ(answer.targets, (std::vector<SrvTarget>{{"one.test", 8080, 10, 5}, {"two.test", 8081, 20, 0}}));
  EXPECT_EQ(answer.ttl, 30s);
}

TEST(DnsClient, LeavesOutTargetsThatCannotBeHosts) {
  DnsServer server;
  server.set("_http._tcp.payments.test",
             {srv(0, 1, 80, "unix:/run/x"), srv(0, 1, 80, "one_1.test"), srv(0, 1, 80, "two words.test")});
  auto const answer = ask_for_targets(asking({server.address()}), "_http._tcp.payments.test");
  EXPECT_EQ(answer.targets, (std::vector<SrvTarget>{{"one_1.test", 80, 0, 1}}));
  EXPECT_EQ(answer.left_out, "a target is left out whose name cannot be a host's");
  server.set("_http._tcp.payments.test", {srv(0, 1, 80, "unix:/run/x")});
  EXPECT_EQ(ask_for_targets(asking({server.address()}), "_http._tcp.payments.test").result,
            LookUpResult::empty);
}

TEST(DnsClient, TakesOnlySoManyOfOneAnswerAndTheSameOnesInAnyOrder) {
  DnsServer server;
  std::vector<Record> many;
  std::vector<Record> services;
  for (unsigned i = 0; i < 1100; ++i) {
    many.push_back(a("10.0." + std::to_string(i / 100) + '.' + std::to_string(i % 100)));
    services.push_back(srv(i < 1050 ? 0 : 1, 1, 80, std::to_string(i) + ".test"));
  }
  auto const addresses = [&] {
    server.set("payments.test", RecordType::a, {.records = many, .truncated = true});
    return ask(asking({server.address()}), "payments.test");
  };
  auto const first = addresses();
  EXPECT_EQ(first.addresses.size(), 1000U);
  EXPECT_EQ(first.left_out, "there are more addresses than 1000; the others are left out");
  std::reverse(many.begin(), many.end());
  EXPECT_EQ(texts(addresses()), texts(first));
  server.set("_http._tcp.payments.test", RecordType::srv, {.records = services, .truncated = true});
  auto const answer = ask_for_targets(asking({server.address()}), "_http._tcp.payments.test");
  EXPECT_EQ(answer.targets.size(), 1000U);
  EXPECT_TRUE(std::all_of(answer.targets.begin(), answer.targets.end(),
                          [](auto const& target) { return target.priority == 0; }));
  EXPECT_EQ(answer.left_out, "there are more targets than 1000; the others are left out");
}

TEST(DnsClient, RefusesTargetsThatCannotBeRead) {
  DnsServer server;
  auto cut = srv(10, 5, 8080, "one.test");
  cut.data.resize(5);
  server.set("_http._tcp.payments.test", {cut});
  EXPECT_EQ(ask_for_targets(asking({server.address()}), "_http._tcp.payments.test").result,
            LookUpResult::malformed);
  EXPECT_EQ(ask_for_targets(asking({server.address()}), "_none._tcp.test").result,
            LookUpResult::no_such_name);
}

TEST(DnsClient, BeginsAnewWhenTheSystemsServersChangeThoughSomethingIsOpen) {
  DnsServer server;
  server.set("silent.test", RecordType::a, {.silent = true});
  server.set("payments.test", {a("10.0.0.1")});
  Folder const folder;
  auto const system = folder.path("resolv.conf");
  Reactor reactor;
  auto settings = asking({server.address()});
  settings.timeout = 10min;
  DnsClient client{reactor, settings, system};
  AddressAnswer open;
  AddressAnswer next;
  unsigned left = 2;
  auto const into = [&](AddressAnswer& got) {
    return [&](AddressAnswer answer) {
      got = std::move(answer);
      if (--left == 0) reactor.stop();
    };
  };
  client.ask_for_addresses("silent.test", AF_INET, into(open));
  std::ofstream{system} << "nameserver 127.0.0.1\n";
  client.ask_for_addresses("payments.test", AF_INET, into(next));
  reactor.run();
  EXPECT_EQ(open.result, LookUpResult::failed);
  EXPECT_EQ(texts(next), std::set<std::string>{"10.0.0.1:0"});
}

TEST(DnsClient, MayBeDroppedWhileItWaits) {
  DnsServer server;
  server.set("payments.test", RecordType::a, {.silent = true});
  Reactor reactor;
  auto const settings = asking({server.address()});
  DnsClient client{reactor, settings};
  client.ask_for_addresses("payments.test", AF_INET, [](AddressAnswer const&) { FAIL() << "it is gone"; });
}

}  // namespace
}  // namespace candor::test
