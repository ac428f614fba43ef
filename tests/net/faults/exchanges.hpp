// What callers and an upstream do while something goes wrong between them.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "judge.hpp"
#include "stage.hpp"
#include "support/socket_upstream.hpp"

namespace candor::test {

struct ScriptedExchange {
  std::string_view name;
  /// From the caller's connection on; what it got is the judge's.
  std::function<void(SocketCaller&, Judge&)> script;
  /// What the upstream says ends with its connection.
  bool until_close = false;
  Way way = Way::port;
};

[[nodiscard]] std::vector<ScriptedExchange> const& exchanges();

/// The other side of all of them: depends on the request alone.
[[nodiscard]] Reaction react(Received const& request);
/// What it says before it has the body.
[[nodiscard]] std::string react_early(http::RequestHead const& head);
/// Whether that is what comes out of a tunnel, and not a part of it.
[[nodiscard]] bool is_whole(std::string_view tunnelled);
/// What it says then.
constexpr std::string_view farewell = "that was all";

/// The shortest of them, which a proxy that is well answers.
void ask_for_little(SocketCaller& caller, Judge& judge);

}  // namespace candor::test
