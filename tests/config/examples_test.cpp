// The files under config/: each is loaded, and full.yaml is really full.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <nlohmann/json.hpp>
#include <set>

#include "support.hpp"

namespace candor::config::test {
namespace {

using ::testing::IsEmpty;
using ::testing::StartsWith;

/// Without any variable set: an example works as it stands.
Loaded load_example(std::filesystem::path const& file) { return load_file(file, {}); }

std::vector<std::filesystem::path> examples() {
  std::vector<std::filesystem::path> out;
  for (auto const& entry : std::filesystem::directory_iterator(source / "config")) {
    bool const is_schema = entry.path().filename().string().ends_with(".schema.json");
    if (!is_schema) out.push_back(entry.path());
  }
  return out;
}

using Keys = std::set<std::string>;

/// What a route says beside its match has the keys of its upstream, and so has a shadow: the schema has them
/// once.
bool is_of_the_upstream(std::string const& path) {
  if (path == ".upstreams.*.shadow.retry" || path == ".upstreams.*.shadow.breaker") return true;
  return path.starts_with(".upstreams.*.routes.") && !path.starts_with(".upstreams.*.routes.match") &&
         path != ".upstreams.*.routes.shadow";
}

/// upstreams.*.retry.attempts, and so on; below lists, too.
void collect(YAML::Node const& node, std::string const& path, Keys& out) {
  if (node.IsSequence()) {
    for (auto const& item : node) collect(item, path, out);
  }
  if (!node.IsMap()) return;
  for (auto const& entry : node) {
    bool const by_name = path == ".upstreams" || path.ends_with(".headers");
    auto const below = path + "." + (by_name ? "*" : entry.first.Scalar());
    out.insert(below);
    if (!is_of_the_upstream(below)) collect(entry.second, below, out);
  }
}

void collect(nlohmann::json const& schema, std::string const& path, Keys& out) {
  auto const alternatives = schema.value("anyOf", nlohmann::json::array());
  for (auto const& inner : alternatives) collect(inner, path, out);
  if (schema.contains("items")) collect(schema["items"], path, out);
  if (schema.contains("additionalProperties") && schema["additionalProperties"].is_object()) {
    out.insert(path + ".*");
    collect(schema["additionalProperties"], path + ".*", out);
  }
  auto const properties = schema.value("properties", nlohmann::json::object());
  for (auto const& [key, inner] : properties.items()) {
    out.insert(path + "." + key);
    collect(inner, path + "." + key, out);
  }
}

TEST(Examples, EachIsLoaded) {
  EXPECT_GE(examples().size(), 4U);
  for (auto const& file : examples()) EXPECT_THAT(texts(load_example(file)), IsEmpty());
}

TEST(Examples, EachYamlTellsTheEditorItsSchema) {
  for (auto const& file : examples()) {
    if (file.extension() != ".yaml") continue;
    EXPECT_THAT(read_file(file), StartsWith("# yaml-language-server: $schema=./candor.schema.json\n"))
        << file;
  }
}

TEST(Examples, TheFullOneNamesEveryKeyThereIs) {
  Keys named;
  collect(YAML::Load(read_file(source / "config/full.yaml")), "", named);
  Keys known;
  collect(nlohmann::json::parse(json_schema()), "", known);
  EXPECT_EQ(named, known);
}

TEST(Examples, TheFullJsonSaysTheSameAsTheFullYaml) {
  auto const yaml = load_example(source / "config/full.yaml");
  auto const json = load_example(source / "config/full.json");
  ASSERT_TRUE(std::holds_alternative<Config>(yaml) && std::holds_alternative<Config>(json));
  EXPECT_EQ(effective(std::get<Config>(yaml)), effective(std::get<Config>(json)));
}

TEST(Examples, TheClassicOneHasNoEvidence) {
  auto const classic = std::get<Config>(load_example(source / "config/classic.yaml"));
  EXPECT_EQ(classic.upstreams.at(0).breaker.trip.consecutive_failures, 5U);
  EXPECT_EQ(classic.upstreams.at(0).breaker.trip.evidence, std::nullopt);
  EXPECT_EQ(classic.upstreams.at(1).breaker.trip.evidence, std::nullopt);
  EXPECT_EQ(classic.upstreams.at(1).breaker.open.first, 30s) << "merged from the first upstream";
  EXPECT_FALSE(classic.upstreams.at(2).breaker.enabled);
}

/// What full.yaml says is the default, is.
TEST(Examples, TheFullOneShowsTheDefaultsWhereItSaysNothingElse) {
  auto const full = std::get<Config>(load_example(source / "config/full.yaml"));
  auto plain = config("upstreams: {payments: {listen: 127.0.0.1:9001, endpoints: [a:1]}}");
  auto const& shown = full.upstreams.at(0);
  auto& upstream = plain.upstreams.at(0);
  upstream.hosts = shown.hosts;
  upstream.endpoints = shown.endpoints;
  ASSERT_TRUE(shown.discover);
  EXPECT_EQ(shown.discover->on_empty, DiscoverSettings{}.on_empty);
  upstream.discover = shown.discover;
  upstream.host_header = shown.host_header;
  upstream.timeouts.total = shown.timeouts.total;
  upstream.timeouts.deadline_header = shown.timeouts.deadline_header;
  upstream.retry.hedge = shown.retry.hedge;
  ASSERT_TRUE(shown.fallback && shown.fallback->stale);
  FallbackSettings const fallback;
  EXPECT_EQ(shown.fallback->on, fallback.on);
  EXPECT_EQ(shown.fallback->stale->within, StaleSettings{}.within);
  EXPECT_EQ(shown.fallback->stale->bytes, StaleSettings{}.bytes);
  upstream.fallback = shown.fallback;
  upstream.breaker.trip = shown.breaker.trip;
  upstream.breaker.slow_after = shown.breaker.slow_after;
  ASSERT_TRUE(shown.check);
  EXPECT_EQ(shown.check->statuses, CheckSettings{}.statuses);
  EXPECT_EQ(shown.check->pace.every, CheckPaceSettings{}.every);
  EXPECT_EQ(shown.check->pace.healthy, CheckPaceSettings{}.healthy);
  EXPECT_EQ(shown.check->pace.unhealthy, CheckPaceSettings{}.unhealthy);
  upstream.check = shown.check;
  upstream.limit.adaptive = shown.limit.adaptive;
  upstream.limit.queue = shown.limit.queue;
  upstream.throttle = shown.throttle;
  upstream.shadow = shown.shadow;
  upstream.routes = shown.routes;
  plain.listeners = full.listeners;
  plain.admin.hosts = full.admin.hosts;
  plain.admin.changes = full.admin.changes;
  plain.net.workers = full.net.workers;
  plain.net.via = full.net.via;
  plain.net.limits.body = full.net.limits.body;
  plain.net.limits.body_rate = full.net.limits.body_rate;
  plain.net.pool.connections = full.net.pool.connections;
  plain.net.dns.servers = full.net.dns.servers;
  plain.access_log.mode = full.access_log.mode;
  plain.upstreams.push_back(full.upstreams.at(1));
  EXPECT_EQ(effective(full), effective(plain));
}

}  // namespace
}  // namespace candor::config::test
