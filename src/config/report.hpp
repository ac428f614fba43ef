// What is wrong with a file, collected in any order and told in the order of the file; and where each value
// stood.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "candor/config/load.hpp"
#include "source.hpp"

namespace candor::config {

/// Refers to the text and the environment: it must not outlive them.
class Report {
 public:
  Report(Source const& source, Environment const& environment) : source_(source), environment_(environment) {}

  [[nodiscard]] Environment const& environment() const { return environment_; }

  /// `offset` absent: the file as a whole.
  void add(std::optional<std::size_t> offset, std::string path, std::string message);

  /// The file says something at `path`, and there.
  void note(std::string const& path, std::size_t offset) { offsets_.emplace(path, offset); }
  /// Where the file speaks of `path`; nothing where it is silent.
  [[nodiscard]] std::optional<std::size_t> offset_of(std::string const& path) const;
  /// The same, or where it speaks of what `path` is a part of.
  [[nodiscard]] std::optional<std::size_t> offset_near(std::string path) const;
  /// Whether something is wrong with this very value: what else is said about it would only confuse.
  [[nodiscard]] bool is_wrong(std::string const& path) const { return wrong_.contains(path); }
  /// The same of a section, or of anything in it.
  [[nodiscard]] bool is_section_wrong(std::string const& path) const;
  /// The same of a list, or of anything in it.
  [[nodiscard]] bool is_list_wrong(std::string const& path) const;

  [[nodiscard]] bool empty() const { return found_.empty(); }
  /// Beyond so many nobody reads on: what is added is only counted, and its message need not be made.
  [[nodiscard]] bool full() const { return found_.size() >= most; }
  void add_untold() { ++untold_; }

  [[nodiscard]] std::vector<Problem> problems(std::string const& file) const;

  /// The number of the line, for a message that points at another place.
  [[nodiscard]] std::string line(std::size_t offset) const {
    return std::to_string(source_.position(offset).line);
  }

 private:
  static constexpr std::size_t most = 1000;

  struct Found {
    std::optional<std::size_t> offset;
    std::string path;
    std::string message;
  };

  Source const& source_;
  Environment const& environment_;
  std::vector<Found> found_;
  std::size_t untold_ = 0;
  std::set<std::string> wrong_;
  std::map<std::string, std::size_t> offsets_;
};

}  // namespace candor::config
