// The file that discover.file names: a list of endpoints alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "support.hpp"
#include "support/folder.hpp"

namespace candor::config::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<EndpointSettings> endpoints(std::string_view text) {
  auto loaded = load_endpoints_text(text, "e.yaml", environment);
  auto* list = std::get_if<std::vector<EndpointSettings>>(&loaded);
  EXPECT_NE(list, nullptr) << text;
  return list != nullptr ? *list : std::vector<EndpointSettings>{};
}
std::vector<std::string> faults(std::string_view text) {
  auto const loaded = load_endpoints_text(text, "e.yaml", environment);
  std::vector<std::string> out;
  if (auto const* problems = std::get_if<std::vector<Problem>>(&loaded)) {
    for (auto const& problem : *problems) out.push_back(problem.text());
  }
  return out;
}

TEST(EndpointsFile, IsWrittenAsTheEndpointsOfAnUpstreamAre) {
  EXPECT_THAT(endpoints("- payments-1:8080\n- {address: \"10.0.0.2:80\", weight: 3, priority: 1}\n"),
              ElementsAre(EndpointSettings{"payments-1:8080"}, EndpointSettings{"10.0.0.2:80", 3, 1}));
  EXPECT_THAT(endpoints(R"(["${HOST}:80", {"address": "[::1]:80"}])"),
              ElementsAre(EndpointSettings{"payments-1:80"}, EndpointSettings{"[::1]:80"}));
  EXPECT_THAT(endpoints("[]"), IsEmpty());
}

TEST(EndpointsFile, IsRefusedWithLineAndColumn) {
  EXPECT_THAT(
      faults("- payments-1:8080\n- {address: payments-2}\n- {adress: x:1, weight: 0}\n"),
      ElementsAre("e.yaml:2:13: [1].address: must be HOST:PORT, such as payments-1:8080, or unix:PATH, "
                  "not \"payments-2\": it has no port",
                  "e.yaml:3:3: [2].address: is needed",
                  "e.yaml:3:4: [2].adress: unknown key (did you mean \"address\"?)",
                  "e.yaml:3:25: [2].weight: must be from 1 to 1000, not 0"));
  EXPECT_THAT(faults("- a:1\n- A.:1\n"),
              ElementsAre("e.yaml:2:3: [1]: the endpoint A.:1 stands in the list twice"));
  EXPECT_THAT(faults(""), ElementsAre("e.yaml: is empty"));
  EXPECT_THAT(faults("endpoints: [a:1]"), ElementsAre("e.yaml:1:1: must be a list, not a map"));
}

TEST(EndpointsFile, IsARegularFileForWhichNobodyWaits) {
  candor::test::Folder const folder;
  auto const pipe = folder.path("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  for (auto const& [file, why] :
       {std::pair{pipe, "is no regular file: a pipe or a device cannot be read again and again"},
        std::pair{std::string("/dev/null"),
                  "is no regular file: a pipe or a device cannot be read again and again"},
        std::pair{folder.path("."), "is a directory, not a file"},
        std::pair{folder.path("none"), "cannot be opened: No such file or directory"}}) {
    auto const loaded = load_endpoints_file(file, environment);
    auto const* problems = std::get_if<std::vector<Problem>>(&loaded);
    ASSERT_NE(problems, nullptr) << file;
    ASSERT_EQ(problems->size(), 1U);
    EXPECT_EQ(problems->front().message, why);
  }
}

}  // namespace
}  // namespace candor::config::test
