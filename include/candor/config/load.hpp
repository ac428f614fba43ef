// From a file to a Config, and back. Every function may be called from any thread; exceptions stay inside.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "candor/config/config.hpp"

namespace candor::config {

/// One thing that is wrong with a file.
struct Problem {
  std::string file;
  std::size_t line = 0;    ///< from 1; 0: the file as a whole
  std::size_t column = 0;  ///< from 1, in characters
  std::string path;        ///< upstreams.payments.retry.atempts; empty: the file
  std::string message;     ///< unknown key (did you mean "attempts"?)

  bool operator==(Problem const&) const = default;

  /// `candor.yaml:14:7: upstreams.payments.retry.atempts: unknown key (did you mean "attempts"?)`
  [[nodiscard]] std::string text() const;
};

using Loaded = std::variant<Config, std::vector<Problem>>;

/// Looks up ${NAME}; nothing if it is not set.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;

/// The environment of this process.
[[nodiscard]] Environment process_environment();

/// Loads YAML or JSON (which is YAML). All problems come at once, in the order of the file.
[[nodiscard]] Loaded load_file(std::filesystem::path const& file, Environment const& environment);
/// `file` is only the name that the problems carry.
[[nodiscard]] Loaded load_text(std::string_view text, std::string const& file,
                               Environment const& environment);

using LoadedEndpoints = std::variant<std::vector<EndpointSettings>, std::vector<Problem>>;

/// Loads a list of endpoints, as `discover.file` names one: written as `endpoints` is, and as strictly read.
[[nodiscard]] LoadedEndpoints load_endpoints_file(std::filesystem::path const& file,
                                                  Environment const& environment);
[[nodiscard]] LoadedEndpoints load_endpoints_text(std::string_view text, std::string const& file,
                                                  Environment const& environment);

/// The whole configuration as YAML, defaults included; loading it again gives the same.
[[nodiscard]] std::string effective(Config const& config);
/// The same as JSON.
[[nodiscard]] std::string effective_json(Config const& config);

/// The JSON Schema (draft 2020-12) of a file.
[[nodiscard]] std::string json_schema();

/// The reference page, as Markdown: every key with what it may be, its default and its meaning.
[[nodiscard]] std::string reference();

}  // namespace candor::config
