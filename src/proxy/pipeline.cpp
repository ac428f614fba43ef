#include "candor/proxy/pipeline.hpp"

#include <algorithm>

#include "candor/proxy/layers.hpp"

namespace candor {

std::unique_ptr<Pipeline> build_pipeline(Route& route, Transport& transport) {
  auto const& settings = route.settings;
  auto pipeline = std::make_unique<Pipeline>(route);

  // Outermost: one deadline for the request, with all its attempts and waits.
  pipeline->push<DeadlineLayer>(settings.timeouts);
  // Above retry: it helps when that has given up. Below the deadline: another upstream gets no more time.
  if (settings.fallback) pipeline->push<FallbackLayer>(route, *pipeline);
  // Above everything that concerns one attempt: each try goes through all of it anew.
  pipeline->push<RetryLayer>(route, pipeline->waits());
  // Below retry, which decides when both have failed. Above the breaker: a hedge goes to another endpoint.
  if (settings.retry.hedge) pipeline->push<HedgeLayer>(route);
  // Below retry and hedge: each attempt waits for itself, while it holds nothing. Above the breaker: what has
  // waited has to ask all the same, and its wait is nobody's failure.
  if (route.queue != nullptr) pipeline->push<LimitLayer>(route);
  // Below retry: each attempt must ask, and may go to another endpoint: it is picked with the permit, since
  // the choice reads the account, too. Above the timeout: a timeout must count.
  pipeline->push<BreakerLayer>(route);
  // Innermost: it times what the endpoint does, and nothing that we do before; and it marks slow an attempt
  // that has its permit.
  pipeline->push<TimeoutLayer>(settings.timeouts.attempt, settings.breaker.slow_after);

  pipeline->end(transport);
  return pipeline;
}

Pipelines::Pipelines(Upstream& upstream, Transport& transport) : upstream_(upstream) {
  for (auto& route : upstream.routes()) by_place_.push_back(build_pipeline(route, transport));
}

void Pipelines::circuit_opened(std::uint32_t account) {
  auto const& opened = upstream_.routes()[account].health;
  for (auto const& pipeline : by_place_) {
    if (&pipeline->route().health == &opened) pipeline->circuit_opened();
  }
}

void link_fallbacks(std::vector<std::unique_ptr<Pipelines>> const& all) {
  auto const named = [&all](std::string const& name) {
    return std::find_if(all.begin(), all.end(),
                        [&name](auto const& each) { return each->upstream().name() == name; });
  };
  for (auto const& pipelines : all) {
    for (auto const& pipeline : pipelines->all()) {
      auto const& fallback = pipeline->route().settings.fallback;
      if (!fallback || !fallback->upstream) continue;
      if (auto const other = named(*fallback->upstream); other != all.end()) pipeline->fall_back_to(**other);
    }
  }
}

}  // namespace candor
