// Any text as a configuration: it gives a Config or problems, and a Config is one that loads back.
#include <algorithm>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "candor/config/load.hpp"
#include "fuzz.hpp"

namespace candor::fuzz {

namespace {

/// The variables that the seeds use.
std::optional<std::string> environment(std::string_view name) {
  if (name == "PORT") return "9001";
  if (name == "HOST") return "payments-1";
  if (name == "TEN") return "10";
  if (name == "EMPTY") return "";
  return std::nullopt;
}

config::Config reload(std::string const& text) {
  auto loaded = config::load_text(text, "again", environment);
  if (auto const* problems = std::get_if<std::vector<config::Problem>>(&loaded)) {
    std::fprintf(stderr, "%s\n%s\n", problems->front().text().c_str(), text.c_str());
  }
  require(std::holds_alternative<config::Config>(loaded), "what is written loads again");
  return std::get<config::Config>(std::move(loaded));
}

void check_problem(config::Problem const& problem, std::size_t lines) {
  require(!problem.message.empty(), "a problem says what it is");
  require(problem.line <= lines, "a problem stands in the file");
  require((problem.line == 0) == (problem.column == 0), "a line has a column");
  auto const text = problem.text();
  require(text.find('\n') == std::string::npos, "a problem is one line");
}

}  // namespace

void check(std::string_view input) {
  auto const loaded = config::load_text(input, "f", environment);
  if (auto const* problems = std::get_if<std::vector<config::Problem>>(&loaded)) {
    require(!problems->empty(), "a refusal has a problem");
    auto const lines = static_cast<std::size_t>(std::count(input.begin(), input.end(), '\n')) + 1;
    for (auto const& problem : *problems) check_problem(problem, lines);
    return;
  }
  auto const& config = std::get<config::Config>(loaded);
  auto const yaml = config::effective(config);
  auto const json = config::effective_json(config);
  auto const again = reload(yaml);
  require(config::effective(again) == yaml, "YAML says the same when it is loaded again");
  require(config::effective_json(reload(json)) == json, "so does JSON");
  require(config::effective_json(again) == json, "and both say the same");
}

}  // namespace candor::fuzz
