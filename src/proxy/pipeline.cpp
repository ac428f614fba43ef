#include "candor/proxy/pipeline.hpp"

#include <algorithm>

#include "candor/proxy/layers.hpp"

namespace candor {

std::unique_ptr<Pipeline> build_pipeline(Upstream& upstream, Transport& transport) {
  auto const& settings = upstream.settings;
  auto pipeline = std::make_unique<Pipeline>(upstream);

  // Outermost: one deadline for the request, with all its attempts and waits.
  pipeline->push<DeadlineLayer>(settings.timeouts);
  // Above retry: it helps when that has given up. Below the deadline: another upstream gets no more time.
  if (settings.fallback) pipeline->push<FallbackLayer>(upstream, *pipeline);
  // Above everything that concerns one attempt: each try goes through all of it anew.
  pipeline->push<RetryLayer>(upstream, pipeline->waits());
  // Below retry, which decides when both have failed. Above the breaker: a hedge goes to another endpoint.
  if (settings.retry.hedge) pipeline->push<HedgeLayer>(upstream);
  // Below retry and hedge: each attempt waits for itself, while it holds nothing. Above the breaker: what has
  // waited has to ask all the same, and its wait is nobody's failure.
  if (settings.limit.queue) pipeline->push<LimitLayer>(upstream);
  // Below retry: each attempt must ask, and may go to another endpoint: it is picked with the permit, since
  // the choice reads the account, too. Above the timeout: a timeout must count.
  pipeline->push<BreakerLayer>(upstream);
  // Below the breaker: it marks the permit of an attempt in flight.
  if (settings.breaker.slow_after) pipeline->push<SlowMarkLayer>(*settings.breaker.slow_after);
  // Innermost: it times what the endpoint does, and nothing that we do before.
  pipeline->push<TimeoutLayer>(settings.timeouts.attempt);

  pipeline->end(transport);
  return pipeline;
}

void link_fallbacks(std::vector<std::unique_ptr<Pipeline>> const& pipelines) {
  for (auto const& pipeline : pipelines) {
    auto const& fallback = pipeline->upstream().settings.fallback;
    if (!fallback || !fallback->upstream) continue;
    auto const named = std::find_if(pipelines.begin(), pipelines.end(), [&fallback](auto const& each) {
      return each->upstream().name() == *fallback->upstream;
    });
    if (named != pipelines.end()) pipeline->fall_back_to(**named);
  }
}

}  // namespace candor
