#include "candor/app/sidecar.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <future>
#include <mutex>
#include <sstream>
#include <variant>

#include "candor/admin/get.hpp"
#include "candor/app/commands.hpp"
#include "candor/config/load.hpp"
#include "support/eventually.hpp"
#include "support/folder.hpp"

namespace candor::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

config::Config configuration(std::string const& text) {
  auto loaded = config::load_text(text, "test", [](std::string_view) { return std::nullopt; });
  EXPECT_TRUE(std::holds_alternative<config::Config>(loaded));
  return std::get<config::Config>(std::move(loaded));
}

std::shared_ptr<observe::OperationalLog> silent_log() {
  return std::make_shared<observe::OperationalLog>(LogSettings{}, [](std::string_view) {});
}

config::Config one_upstream() {
  return configuration(R"(
workers: 1
admin: {listen: "127.0.0.1:0"}
upstreams: {payments: {listen: "127.0.0.1:0", endpoints: ["127.0.0.1:1"]}}
)");
}

std::string asked(Sidecar const& sidecar, std::string const& path) {
  auto const answered = admin::admin_get(*sidecar.admin_address(), path, 10s);
  auto const* reply = std::get_if<admin::Reply>(&answered);
  return reply ? std::to_string(reply->status) + ' ' + reply->body : std::get<admin::NoReply>(answered).why;
}

TEST(Sidecar, PutsThePortWhereItWasLeftOpen) {
  EXPECT_EQ(with_port("127.0.0.1:0", 81), "127.0.0.1:81");
  EXPECT_EQ(with_port("[::1]:0", 81), "[::1]:81");
}

TEST(Sidecar, SaysWhatItServesAndWhere) {
  Sidecar sidecar{one_upstream(), silent_log(), 1};
  sidecar.start();
  EXPECT_THAT(sidecar.listening(),
              ElementsAre(StartsWith("payments on 127.0.0.1:"), StartsWith("admin on http://127.0.0.1:")));
}

TEST(Sidecar, IsReadyUntilItDrains) {
  Sidecar sidecar{one_upstream(), silent_log(), 1};
  sidecar.start();
  EXPECT_THAT(asked(sidecar, "/readyz"), StartsWith("200"));
  std::promise<void> ended;
  sidecar.drain([&ended] { ended.set_value(); });
  EXPECT_EQ(ended.get_future().wait_for(20s), std::future_status::ready);
  EXPECT_THAT(asked(sidecar, "/readyz"), StartsWith("503"));
  EXPECT_THAT(asked(sidecar, "/livez"), StartsWith("200"));
}

TEST(Sidecar, CountsAndLogsWhatItCarries) {
  auto config = one_upstream();
  test::Folder const folder;
  auto const path = folder.path("access.log");
  config.access_log.mode = AccessLogSettings::Mode::all;
  config.access_log.path = path;
  std::optional<Sidecar> running{std::in_place, config, silent_log(), 1U};
  auto& sidecar = *running;
  sidecar.start();
  // Any GET will do, and nobody listens at its endpoint.
  auto const answered = admin::admin_get(*sidecar.address(0), "/charge", 20s);
  ASSERT_TRUE(std::holds_alternative<admin::Reply>(answered));
  EXPECT_GE(std::get<admin::Reply>(answered).status, 500U);
  sidecar.stop();
  auto const ledger = sidecar.upstreams()[0]->health.snapshot(monotonic_now()).ledger;
  EXPECT_GE(ledger.started, 1U);
  EXPECT_TRUE(ledger.balanced());
  auto const metrics = asked(sidecar, "/metrics");
  EXPECT_THAT(metrics, HasSubstr("candor_build_info{"));
  EXPECT_THAT(metrics, HasSubstr("candor_access_log"));
  EXPECT_THAT(metrics, HasSubstr("result=\"failed\""));
  running.reset();
  std::ifstream file{path};
  std::string const log{std::istreambuf_iterator<char>{file}, {}};
  EXPECT_THAT(log, HasSubstr("/charge"));
}

TEST(Sidecar, HoldsACircuitWhenItIsTold) {
  auto config = one_upstream();
  config.admin.changes = true;
  Sidecar sidecar{config, silent_log(), 1};
  sidecar.start();
  std::ostringstream out;
  std::ostringstream err;
  EXPECT_EQ(run_command({"hold", "payments", "open", "--admin", *sidecar.admin_address()}, out, err), 0)
      << err.str();
  EXPECT_THAT(out.str(), StartsWith("payments: the circuit is held open by hand"));
  auto const answered = admin::admin_get(*sidecar.address(0), "/charge", 20s);
  ASSERT_TRUE(std::holds_alternative<admin::Reply>(answered));
  EXPECT_EQ(std::get<admin::Reply>(answered).status, 503U);
  EXPECT_EQ(sidecar.upstreams()[0]->health.snapshot(monotonic_now()).ledger.started, 0U);
  EXPECT_THAT(asked(sidecar, "/metrics"),
              HasSubstr("candor_circuit_held{upstream=\"payments\",hold=\"open\"} 1\n"));
  EXPECT_EQ(run_command({"hold", "payments", "closed", "--endpoint", "127.0.0.1:2", "--admin",
                         *sidecar.admin_address()},
                        out, err),
            1);
  EXPECT_THAT(err.str(), HasSubstr("it has: 127.0.0.1:1."));
}

TEST(Sidecar, TakesItsEndpointsFromAFileAndShowsWhereTheyAreFrom) {
  test::Folder const folder;
  auto const file = folder.path("endpoints.yaml");
  auto const write = [&file](std::string const& text) { std::ofstream{file} << text; };
  write("- 127.0.0.1:1\n");
  auto config = one_upstream();
  config.upstreams[0].endpoints.clear();
  config.upstreams[0].discover = DiscoverSettings{.file = file};
  std::mutex lock;
  std::string log;
  auto const lines = std::make_shared<observe::OperationalLog>(LogSettings{}, [&](std::string_view line) {
    std::lock_guard const held{lock};
    log += line;
  });
  Sidecar sidecar{config, lines, 1};
  sidecar.start();
  auto const shows = [&sidecar](std::string const& path, std::string const& text) {
    return test::eventually([&] { return asked(sidecar, path).find(text) != std::string::npos; });
  };
  auto const was_said = [&](std::string const& text) {
    return test::eventually([&] {
      std::lock_guard const held{lock};
      return log.find(text) != std::string::npos;
    });
  };
  EXPECT_TRUE(shows("/api/v1/upstreams/payments", "\"address\": \"127.0.0.1:1\""));
  write("- {address: \"127.0.0.1:2\", weight: 3}\n");
  EXPECT_TRUE(shows("/api/v1/upstreams/payments", "\"address\": \"127.0.0.1:2\""));
  EXPECT_TRUE(shows("/api/v1/upstreams/payments", "\"source\": \"file " + file + '"'));
  EXPECT_TRUE(shows("/metrics", "candor_endpoint_changes_total{upstream=\"payments\",change=\"left\"} 1"));
  EXPECT_TRUE(was_said("payments: has 1 endpoint now (file " + file + "): +127.0.0.1:2 -127.0.0.1:1"));
  EXPECT_TRUE(shows("/api/v1/upstreams/payments/explain", "last changed"));
  write("- 127.0.0.1\n");
  EXPECT_TRUE(was_said(file + ":1:3: [0]: must be HOST:PORT"));
  EXPECT_TRUE(shows("/api/v1/upstreams/payments/explain", "which has failed for"));
  EXPECT_TRUE(shows("/metrics", "candor_endpoints{upstream=\"payments\"} 1")) << "it stays as it was";
}

TEST(Sidecar, RefusesAPortThatIsTaken) {
  Sidecar first{one_upstream(), silent_log(), 1};
  first.start();
  auto config = one_upstream();
  config.admin.listen = first.admin_address();
  Sidecar second{config, silent_log(), 1};
  try {
    second.start();
    FAIL() << "it listens on a port that is taken";
  } catch (std::runtime_error const& error) {
    EXPECT_THAT(error.what(), HasSubstr(*first.admin_address()));
  }
}

}  // namespace
}  // namespace candor::app
