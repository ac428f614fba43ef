#include "candor/observe/catalogue.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

namespace candor::observe {
namespace {

TEST(Catalogue, NamesAreUniqueAndFollowTheConventions) {
  std::set<std::string_view> names;
  for (auto const& row : catalogue()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_TRUE(row.name.starts_with("candor_") || row.name.starts_with("process_")) << row.name;
    EXPECT_EQ(row.name.ends_with("_total"), row.kind == MetricKind::counter) << row.name;
    if (!row.unit.empty()) {
      EXPECT_NE(row.name.find("_" + std::string(row.unit)), std::string_view::npos) << row.name;
    }
    EXPECT_FALSE(row.help.empty()) << row.name;
    EXPECT_TRUE(row.help.ends_with('.')) << row.name;
  }
}

/// A route is one of the configuration's, by name: there are as many as it says, whatever callers ask for.
TEST(Catalogue, NoLabelIsAPathOrARequest) {
  for (auto const& row : catalogue()) {
    for (auto const label : row.labels) {
      EXPECT_NE(label, "path") << row.name;
      EXPECT_NE(label, "request") << row.name;
    }
  }
}

TEST(Catalogue, TheReferencePageIsTheOneInDocs) {
  std::ifstream file{CANDOR_SOURCE_DIR "/docs/metrics.md"};
  std::stringstream page;
  page << file.rdbuf();
  EXPECT_TRUE(page.str() == metrics_reference())
      << "docs/metrics.md is stale; write metrics_reference() into it";
}

}  // namespace
}  // namespace candor::observe
