// The names that are looked up again and again, over sockets.
#include "../../src/net/known_names.hpp"

#include <gtest/gtest.h>

#include "support/dns_server.hpp"

namespace candor::test {
namespace {

TEST(KnownNames, AreAskedForInTheFamiliesThatCanBeUsedAtTheTime) {
  DnsServer server;
  server.set("payments.test", {a("10.0.0.1")});
  server.set("payments.test", {aaaa("2001:db8::1")});
  DnsSettings const dns{.timeout = 100ms, .servers = {server.address()}};
  Reactor reactor;
  DnsClient client{reactor, dns};
  Rng rng{1};
  std::vector<int> usable{AF_INET};
  std::vector<std::size_t> counts;
  std::unique_ptr<KnownNames> names;
  names = std::make_unique<KnownNames>(KnownNames::Parts{
      .scheduler = reactor.scheduler(),
      .client = client,
      .rng = rng,
      .families = [&] { return usable; },
      .policy = {.refresh = 10ms},
      .say = [](std::string_view) {},
      .settled =
          [&](std::string const& host, bool changed) {
            if (!changed) return;
            counts.push_back(names->addresses(host).size());
            // An interface comes up, and goes again.
            usable = counts.size() == 1 ? std::vector{AF_INET, AF_INET6} : std::vector{AF_INET};
            if (counts.size() == 3) reactor.stop();
          }});
  reactor.post([&] { EXPECT_TRUE(names->addresses("payments.test").empty()); });
  reactor.run();
  EXPECT_EQ(counts, (std::vector<std::size_t>{1, 2, 1}));
  EXPECT_EQ(names->why_failing("payments.test"), "");
}

}  // namespace
}  // namespace candor::test
