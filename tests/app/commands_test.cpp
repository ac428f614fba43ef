#include "candor/app/commands.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "candor/app/version.hpp"
#include "support/folder.hpp"

namespace candor::app {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

struct Ran {
  int status = 0;
  std::string out;
  std::string err;

  [[nodiscard]] std::vector<std::string> lines_of_err() const {
    std::vector<std::string> lines;
    std::istringstream text{err};
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
  }
};

Ran run(std::vector<std::string> const& arguments) {
  std::ostringstream out;
  std::ostringstream err;
  int const status = run_command(arguments, out, err);
  return {status, out.str(), err.str()};
}

/// A file for the length of a test.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string const& text) { std::ofstream{path_} << text; }

  [[nodiscard]] std::string const& path() const { return path_; }

 private:
  test::Folder folder_;
  std::string path_ = folder_.path("candor.yaml");
};

std::string example(std::string const& name) { return std::string(CANDOR_SOURCE_DIR "/config/") + name; }

constexpr auto two_mistakes = R"(
upstreams:
  a: {listen: "127.0.0.1:9001", endpoints: ["127.0.0.1:80"], timouts: {}}
  b: {endpoints: ["127.0.0.1:80"]}
)";

TEST(Commands, WithoutACommandTheHelpGoesToStderr) {
  auto const ran = run({});
  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.err, HasSubstr("Subcommands:"));
  EXPECT_EQ(ran.out, "");
}

TEST(Commands, HelpThatIsAskedForGoesToStdout) {
  auto const ran = run({"validate", "--help"});
  EXPECT_EQ(ran.status, 0);
  EXPECT_THAT(ran.out, AllOf(HasSubstr("--effective"), HasSubstr("--json")));
  EXPECT_EQ(ran.err, "");
}

TEST(Commands, WhatIsNotUnderstoodIsOneLine) {
  std::vector<std::vector<std::string>> const cases{
      {"rum"},
      {"run"},
      {"run", "-c"},
      {"run", "-c", "a", "b"},
      {"validate", "-c", "a", "--json"},
      {"explain"},
      {"explain", "a", "--admin", "127.0.0.1:1", "-c", "a"},
      {"version", "now"},
      {"demo", "--seconds-per-phase", "0"},
      {"demo", "--callers", "many"},
  };
  for (auto const& arguments : cases) {
    auto const ran = run(arguments);
    EXPECT_EQ(ran.status, 1) << testing::PrintToString(arguments);
    EXPECT_THAT(ran.lines_of_err(), SizeIs(1)) << ran.err;
    EXPECT_THAT(ran.err, StartsWith("candor: "));
    EXPECT_EQ(ran.out, "");
  }
}

TEST(Commands, AMessageCannotMoveTheCursorOrAddALine) {
  auto const ran = run({"run", "-c", "no\nsuch\x1b[2Jfile"});
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.lines_of_err(), SizeIs(1));
  EXPECT_EQ(ran.err.find('\x1b'), std::string::npos);
}

TEST(Commands, VersionIsThatOfTheBuild) {
  EXPECT_EQ(run({"version"}).out, "candor " + std::string(version) + "\n");
  EXPECT_EQ(run({"--version"}).out, run({"version"}).out);
  std::ifstream file{CANDOR_SOURCE_DIR "/CMakeLists.txt"};
  std::string const text{std::istreambuf_iterator<char>{file}, {}};
  EXPECT_THAT(text, HasSubstr("project(candor VERSION " + std::string(version) + " "));
}

TEST(Commands, SchemaAndReferenceAreWhatIsInTheTree) {
  std::ifstream file{example("candor.schema.json")};
  std::string const text{std::istreambuf_iterator<char>{file}, {}};
  EXPECT_EQ(run({"schema"}).out, text);
  EXPECT_THAT(run({"reference"}).out, HasSubstr("upstreams"));
}

TEST(Validate, TakesTheExamples) {
  for (auto const* name : {"candor.yaml", "classic.yaml", "full.yaml", "full.json"}) {
    auto const ran = run({"validate", "-c", example(name)});
    EXPECT_EQ(ran.status, 0) << ran.err;
    EXPECT_EQ(ran.err, "");
  }
}

TEST(Validate, TellsEachProblemWithItsPlace) {
  TemporaryFile const file{two_mistakes};
  auto const ran = run({"validate", "-c", file.path()});
  EXPECT_EQ(ran.status, 1);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.lines_of_err(), SizeIs(2));
  EXPECT_THAT(ran.lines_of_err(), Contains(AllOf(StartsWith(file.path() + ":3:"), HasSubstr("timeouts"))));
}

TEST(Validate, PrintsTheWholeConfigurationSoThatItCanBeReadAgain) {
  auto const yaml = run({"validate", "-c", example("classic.yaml"), "--effective"});
  EXPECT_THAT(yaml.out, HasSubstr("drain_timeout: 30s"));
  TemporaryFile const file{yaml.out};
  EXPECT_EQ(run({"validate", "-c", file.path(), "--effective"}).out, yaml.out);
  auto const json = run({"validate", "-c", example("classic.yaml"), "--effective", "--json"});
  EXPECT_THAT(json.out, StartsWith("{"));
}

TEST(Run, RefusesAConfigurationThatIsNoGood) {
  TemporaryFile const file{two_mistakes};
  auto const ran = run({"run", "-c", file.path()});
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.lines_of_err(), SizeIs(2));
  EXPECT_THAT(ran.lines_of_err(), testing::Each(StartsWith("candor: " + file.path())));
}

TEST(Run, SaysWhyAFileCannotBeRead) {
  auto const missing = run({"run", "-c", "/no/such/file"});
  EXPECT_EQ(missing.status, 1);
  EXPECT_EQ(missing.err, "candor: /no/such/file: cannot be opened: No such file or directory\n");
  auto const directory = run({"run", "-c", testing::TempDir()});
  EXPECT_EQ(directory.status, 1);
  EXPECT_THAT(directory.err, EndsWith("is a directory, not a file\n"));
}

TEST(Asking, SaysWhatIsWrongWithTheAdminPort) {
  EXPECT_THAT(run({"healthcheck", "--admin", "nowhere"}).err,
              AllOf(StartsWith("candor: "), HasSubstr("nowhere is no HOST:PORT")));
  TemporaryFile const none{
      "admin: {listen: null}\nupstreams: {a: {listen: '127.0.0.1:1', endpoints: ['b:1']}}\n"};
  auto const ran = run({"explain", "a", "-c", none.path()});
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.err, HasSubstr("asks for no admin port"));
}

TEST(Asking, NeedsAnAdminPortThatIsKnown) {
  TemporaryFile const any{
      "admin: {listen: '127.0.0.1:0'}\nupstreams: {a: {listen: '127.0.0.1:1', endpoints: ['b:1']}}\n"};
  EXPECT_THAT(run({"healthcheck", "-c", any.path()}).err, HasSubstr("say which one by --admin"));
}

TEST(Asking, AnOrderThatMakesNoSenseIsRefusedBeforeItIsGiven) {
  EXPECT_THAT(run({"hold", "payments", "opened"}).err, HasSubstr("opened"));
  EXPECT_EQ(run({"hold", "payments"}).status, 1);
}

TEST(Commands, AnOutputThatCannotBeWrittenIsAFailure) {
  std::ofstream full{"/dev/full"};
  std::ostringstream err;
  EXPECT_EQ(run_command({"schema"}, full, err), 1);
  EXPECT_EQ(err.str(), "candor: the output could not be written\n");
}

}  // namespace
}  // namespace candor::app
