// The schema and the reference page: that the committed ones are those of today, and that the schema says the
// same as the loader.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>

#include "schema_check.hpp"
#include "support.hpp"

namespace candor::config::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

Json schema() { return Json::parse(json_schema()); }

/// A YAML text as an editor's schema check sees it: by the YAML 1.2 core rules.
Json json_of(YAML::Node const& node) {
  if (node.IsMap()) {
    auto out = Json::object();
    for (auto const& entry : node) {
      if (entry.first.Scalar() != "<<") out[entry.first.Scalar()] = json_of(entry.second);
    }
    return out;
  }
  if (node.IsSequence()) {
    auto out = Json::array();
    for (auto const& item : node) out.push_back(json_of(item));
    return out;
  }
  if (!node.IsScalar()) return nullptr;
  auto const plain = Json::parse(node.Scalar(), nullptr, false);
  return node.Tag() == "!" || plain.is_discarded() || plain.is_structured() ? Json(node.Scalar()) : plain;
}

std::vector<std::string> schema_problems(std::string const& text) {
  return SchemaCheck(schema()).problems(json_of(YAML::Load(text)));
}

/// Every schema in the schema, with its path.
template <class Visit>
void walk(Json const& node, std::string const& path, Visit const& visit) {
  if (!node.is_structured()) return;
  if (node.is_object()) visit(node, path);
  for (auto const& [key, inner] : node.items()) walk(inner, path + "/" + key, visit);
}

TEST(Schema, TheCommittedOneIsOfToday) {
  EXPECT_EQ(read_file(source / "config/candor.schema.json"), json_schema())
      << "stale: candor schema > config/candor.schema.json";
}

TEST(Schema, IsOfTheDraftThatEditorsKnow) {
  EXPECT_EQ(schema()["$schema"], "https://json-schema.org/draft/2020-12/schema");
  EXPECT_EQ(schema()["required"], Json({"upstreams"}));
}

TEST(Schema, EverySectionIsClosedAndEveryKeyExplained) {
  int sections = 0;
  walk(schema(), "", [&](Json const& node, std::string const& path) {
    if (!node.contains("properties") || !node["properties"].is_object()) return;
    ++sections;
    EXPECT_EQ(node.at("additionalProperties"), false) << path;
    for (auto const& [key, property] : node["properties"].items()) {
      EXPECT_FALSE(property.value("description", "").empty()) << path << "/" << key;
    }
  });
  EXPECT_GT(sections, 15);
}

TEST(Schema, EveryReferenceLeadsSomewhere) {
  auto const root = schema();
  walk(root, "", [&](Json const& node, std::string const& path) {
    if (!node.contains("$ref")) return;
    EXPECT_TRUE(root.contains(Json::json_pointer(node["$ref"].get<std::string>().substr(1)))) << path;
  });
}

TEST(Schema, EveryDefaultIsAllowedByItsOwnProperty) {
  auto const root = schema();
  int defaults = 0;
  walk(root, "", [&](Json const& node, std::string const& path) {
    if (!node.contains("default") || !node.contains("description")) return;
    ++defaults;
    auto property = node;
    property["$defs"] = root["$defs"];
    EXPECT_THAT(SchemaCheck(property).problems(node["default"]), IsEmpty()) << path;
  });
  EXPECT_GT(defaults, 50);
}

TEST(Schema, AllowsTheExamplesAndWhatIsWrittenBack) {
  for (auto const* name : {"candor.yaml", "classic.yaml", "full.yaml", "full.json"}) {
    auto const text = read_file(source / "config" / name);
    EXPECT_THAT(schema_problems(text), IsEmpty()) << name;
    EXPECT_THAT(schema_problems(effective(config(text))), IsEmpty()) << name;
  }
}

TEST(Schema, AllowsVariablesWhereverAValueStands) {
  EXPECT_THAT(schema_problems(with_upstream("    retry: {attempts: '${N}', replay: '${R:-never}'}\n"
                                            "    timeouts: {attempt: '${T}', connect: '${T}s'}\n"
                                            "    breaker: {enabled: '${B}', ramp: {from: '${F}'}}\n"
                                            "    hosts: ['${H}.internal']\nlimits: {head: '${S}'}\n")),
              IsEmpty());
}

TEST(Schema, RefusesWhatTheLoaderRefuses) {
  for (std::string_view const rest : {
           "    retires: {}\n",
           "    retry: {attempts: 0}\n",
           "    retry: {attempts: '3'}\n",
           "    retry: {attempts: 1.5}\n",
           "    retry: {on: [conect]}\n",
           "    retry: {on: [600]}\n",
           "    retry: {on: [connect, connect]}\n",
           "    retry: {replay: sometimes}\n",
           "    retry: {replay_limit: 64KB}\n",
           "    retry: null\n",
           "    retry: {budget: {stretch: off}}\n",
           "    balance: random\n",
           "    balance: null\n",
           "    balance: {policy: ring}\n",
           "    balance: {ramp: 2h30}\n",
           "    timeouts: {attempt: 5}\n",
           "    timeouts: {attempt: 5 s}\n",
           "    timeouts: {attempt: -5s}\n",
           "    breaker: {enabled: 'yes'}\n",
           "    breaker: {failure_statuses: ['5xx']}\n",
           "    breaker: {trip: {evidence: {false_trip: 0}}}\n",
           "    hosts: ['a b']\n",
           "    hosts: payments\n",
           "    host_header: a/b\n",
           "workers: 0\n",
           "limits: {head: lots}\n",
           "listeners: [{}]\n",
           "listeners: [{listen: '127.0.0.1'}]\n",
           "listeners: [{listen: '127.0.0.1:80', mode: reverse}]\n",
           "listeners: [{listen: 'unix:relative'}]\n",
           "listeners: [{listen: '127.0.0.1:80', routes: [{upstream: payments}]}]\n",
           "listeners: [{listen: '127.0.0.1:80', routes: [{match: {path_prefix: a}, upstream: payments}]}]\n",
           "listeners: [{listen: '127.0.0.1:80', routes: [{match: {methods: ['A B']}, upstream: "
           "payments}]}]\n",
           "via: a b\n",
           "    upgrades: [a b]\n",
           "access_log: {path: 5}\n",
           "colour: red\n",
       }) {
    auto const text = with_upstream(rest);
    EXPECT_FALSE(problems(text).empty()) << rest;
    EXPECT_FALSE(schema_problems(text).empty()) << rest;
  }
  for (auto const* text :
       {"{}", "upstreams: {}", "upstreams: {p: {listen: '127.0.0.1:1', discover: {on_empty: 'yes'}}}",
        "upstreams: {'a b': {listen: '127.0.0.1:1', endpoints: ['a:1']}}"}) {
    EXPECT_FALSE(problems(text).empty()) << text;
    EXPECT_FALSE(schema_problems(text).empty()) << text;
  }
}

TEST(Reference, TheCommittedOneIsOfToday) {
  EXPECT_EQ(read_file(source / "docs/reference.md"), reference())
      << "stale: candor reference > docs/reference.md";
}

TEST(Reference, SaysHowItIsMade) {
  auto const text = reference();
  EXPECT_THAT(text.substr(0, text.find("\n\n##")), HasSubstr("candor reference > docs/reference.md"));
}

TEST(Reference, HasARowForEveryKeyOfTheSchema) {
  auto const text = reference();
  walk(schema(), "", [&](Json const& node, std::string const& path) {
    if (!node.contains("properties") || !node["properties"].is_object()) return;
    for (auto const& [key, property] : node["properties"].items()) {
      EXPECT_THAT(text, HasSubstr("`" + key + "`")) << path;
    }
  });
}

TEST(Reference, EveryRowOfATableHasItsFourCells) {
  std::istringstream lines(reference());
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('|')) {
      EXPECT_EQ(std::count(line.begin(), line.end(), '|'), 5) << line;
    }
  }
}

TEST(Reference, EveryLinkLeadsToAHeading) {
  auto const text = reference();
  for (std::size_t at = text.find("](#"); at != std::string::npos; at = text.find("](#", at + 1)) {
    auto const anchor = text.substr(at + 3, text.find(')', at) - at - 3);
    bool found = false;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with("## ")) continue;
      std::string slug;
      for (char const c : line.substr(3)) {
        if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_') {
          slug += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        }
      }
      found = found || slug == anchor;
    }
    EXPECT_TRUE(found) << anchor;
  }
}

}  // namespace
}  // namespace candor::config::test
