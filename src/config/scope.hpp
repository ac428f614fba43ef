// Where the settings of an upstream, or of one of its routes, are said; for the rules between them. Private
// to config.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "place.hpp"
#include "report.hpp"
#include "scalar_text.hpp"

namespace candor::config {

/// An item of a list, as paths have it.
[[nodiscard]] inline std::string item(std::string const& path, std::size_t index) {
  return path + "[" + std::to_string(index) + "]";
}

/// A section and the one that it is an heir of. Keys are paths below it: "timeouts.attempt".
class Scope {
 public:
  /// `from`: whose settings hold where this is silent, and what they are called; empty: the defaults do.
  Scope(Report& report, std::string path, std::string from = {}, std::string_view called = "its upstream")
      : report_(report), path_(std::move(path)), from_(std::move(from)), called_(called) {}

  [[nodiscard]] std::string path(std::string_view key) const { return path_ + "." + std::string(key); }
  /// Whether it says this itself.
  [[nodiscard]] bool says(std::string_view key) const { return report_.offset_of(path(key)).has_value(); }
  /// Whether anybody does: it, or the one it is an heir of.
  [[nodiscard]] bool is_said(std::string_view key) const {
    return says(key) || (!from_.empty() && report_.offset_of(from_ + "." + std::string(key)));
  }
  /// Whether it is to blame when these don't fit together: it says one of them. What has come together from
  /// elsewhere has been judged there.
  template <class... Keys>
  [[nodiscard]] bool answers_for(Keys const&... keys) const {
    return from_.empty() || (says(keys) || ...);
  }
  /// Whether something is known to be wrong with the value that holds.
  [[nodiscard]] bool is_wrong(std::string_view key) const {
    if (report_.is_wrong(path(key))) return true;
    return !from_.empty() && !says(key) && report_.is_wrong(from_ + "." + std::string(key));
  }
  /// The same of a list, or of anything in it.
  [[nodiscard]] bool is_list_wrong(std::string_view key) const {
    if (report_.is_list_wrong(path(key))) return true;
    return !from_.empty() && !says(key) && report_.is_list_wrong(from_ + "." + std::string(key));
  }
  /// " by default", of a value that it does not say.
  [[nodiscard]] std::string origin(std::string_view key) const {
    if (says(key)) return "";
    return from_.empty() ? " by default" : " from " + std::string(called_);
  }

  /// Told at the key, or at the nearest section that the file has.
  void problem(std::string_view key, std::string message) const {
    report_.add(report_.offset_near(path(key)), path(key), std::move(message));
  }

 private:
  Report& report_;
  std::string path_;
  std::string from_;
  std::string_view called_;
};

/// A value and its key, for comparing it with a neighbour's.
template <class T>
struct Setting {
  std::string_view key;
  T value;
};

/// `lower` must not be above `upper`; both keys stand in `section`. Told at the one that the file speaks of.
template <class T>
void in_order(Scope const& scope, std::string const& section, Setting<T> lower, Setting<T> upper) {
  auto const lower_key = join(section, lower.key);
  auto const upper_key = join(section, upper.key);
  if (lower.value <= upper.value || scope.is_wrong(lower_key) || scope.is_wrong(upper_key)) return;
  if (!scope.answers_for(lower_key, upper_key)) return;
  auto const shown = [&scope](Setting<T> const& setting, std::string const& key) {
    return std::string(setting.key) + ", " + text_of(setting.value) + scope.origin(key);
  };
  if (scope.says(lower_key)) {
    scope.problem(lower_key, text_of(lower.value) + " is above " + shown(upper, upper_key));
  } else {
    scope.problem(upper_key, text_of(upper.value) + " is below " + shown(lower, lower_key));
  }
}

}  // namespace candor::config
