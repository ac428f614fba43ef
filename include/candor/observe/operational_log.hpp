// Thread-safe. What an operator should know, one line of text each: see EventFeed. Never holds up a worker:
// see LineLog.
#pragma once

#include <memory>
#include <string_view>

#include "candor/observe/line_log.hpp"
#include "candor/observe/settings.hpp"
#include "candor/proxy/upstream.hpp"

namespace candor::observe {

class OperationalLog {
 public:
  using Level = LogSettings::Level;

  /// To stderr: stdout is the access log's.
  explicit OperationalLog(LogSettings const& settings);
  OperationalLog(LogSettings const& settings, LineSink sink);

  void say(Level level, std::string_view text);

  static constexpr std::size_t queue = 512;

 private:
  Level least_;
  LineLog lines_;
};

/// The line that reports a transition.
[[nodiscard]] std::string transition_line(Route const& account, Transition const& transition);
/// The same of what the shadow of an account would have done.
[[nodiscard]] std::string shadow_line(Route const& account, Transition const& transition);
/// How loud it is.
[[nodiscard]] LogSettings::Level transition_level(Transition const& transition);

}  // namespace candor::observe
