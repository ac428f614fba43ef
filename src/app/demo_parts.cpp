#include "demo_parts.hpp"

#include <stdexcept>
#include <utility>
#include <variant>

#include "candor/config/load.hpp"
#include "candor/observe/words.hpp"

namespace candor::app {

namespace {

// What one would write for an upstream that answers within milliseconds. All else are the defaults.
constexpr std::string_view file = R"(
admin: {listen: "127.0.0.1:0"}
workers: 2
upstreams:
  demo:
    listen: 127.0.0.1:0
    endpoints: ["${ENDPOINT_1}", "${ENDPOINT_2}"]
    timeouts: {connect: 500ms, attempt: 1s, request: 3s}
    breaker: {slow_after: 200ms}
)";

Upstream const& only_upstream(Sidecar const& sidecar) { return *sidecar.upstreams().front(); }

}  // namespace

config::Config demo_configuration(std::array<std::string, UnrulyUpstream::endpoints> const& endpoints) {
  auto const variables = [&endpoints](std::string_view name) -> std::optional<std::string> {
    return name == "ENDPOINT_1" ? endpoints[0] : endpoints[1];
  };
  auto loaded = config::load_text(file, "demo", variables);
  if (auto const* problems = std::get_if<std::vector<config::Problem>>(&loaded)) {
    throw std::logic_error(problems->front().text());
  }
  return std::get<config::Config>(std::move(loaded));
}

Reading read(Sidecar const& sidecar) {
  auto const& upstream = only_upstream(sidecar);
  Reading out;
  out.at = monotonic_now();
  out.health = upstream.health.snapshot(out.at);
  out.tokens = upstream.budget.available(out.at);
  for (auto const& worker : sidecar.metrics()) add(out, worker->upstream(upstream.index));
  add(out, sidecar.transitions(), upstream.own_route());
  return out;
}

std::optional<Instant> closed_or_left_closed(Upstream const& upstream) {
  auto const transitions = upstream.health.transitions();
  for (auto record = transitions.rbegin(); record != transitions.rend(); ++record) {
    auto const& transition = record->transition;
    if (transition.from == CircuitState::closed || transition.to == CircuitState::closed) {
      return transition.at;
    }
  }
  return std::nullopt;
}

std::optional<Opening> last_opening(Upstream const& upstream, Instant now) {
  auto const transitions = upstream.health.transitions();
  for (auto record = transitions.rbegin(); record != transitions.rend(); ++record) {
    auto const& transition = record->transition;
    if (transition.to != CircuitState::open || transition.why.rule == Rule::probe_failure) continue;
    return Opening{.rule = std::string(name(transition.why.rule)),
                   .why = observe::in_words(transition.why, upstream.settings.breaker),
                   .ago = now - transition.at};
  }
  return std::nullopt;
}

}  // namespace candor::app
