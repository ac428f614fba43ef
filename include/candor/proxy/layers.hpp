// The layers of a route's pipeline, in the order in which a request meets them. Each carries out what a
// policy decides; none decides itself.
#pragma once

#include <optional>

#include "candor/core/rng.hpp"
#include "candor/proxy/attempt_queue.hpp"
#include "candor/proxy/kept_answers.hpp"
#include "candor/proxy/retry_waits.hpp"
#include "candor/proxy/route.hpp"
#include "candor/proxy/service.hpp"
#include "candor/resilience/hedge.hpp"

namespace candor {

class Pipeline;

/// One deadline over everything until the answer begins to flow: ours, or the caller's own if that is
/// earlier.
class DeadlineLayer final : public Layer<Service, Service> {
 public:
  explicit DeadlineLayer(TimeoutSettings const& settings) : settings_(settings) {}
  Task<Result<Response>> call(Exchange& exchange) override;

 private:
  void take_callers(Exchange& exchange, DeadlineHeaderSettings const& header) const;

  TimeoutSettings const& settings_;
};

/// Gives something else to a request that ends without an answer, and says so. The account of its upstream
/// knows nothing of that: there was no attempt.
class FallbackLayer final : public Layer<Service, Service> {
 public:
  /// The route has settings for it. `pipeline`: whose layer it is, for its alternative().
  FallbackLayer(Route& route, Pipeline const& pipeline);
  Task<Result<Response>> call(Exchange& exchange) override;

 private:
  [[nodiscard]] bool applies(Exchange const& exchange, Result<Response> const& result) const;
  [[nodiscard]] bool may_divert(Exchange const& exchange) const;
  Task<Result<Response>> something_else(Exchange& exchange, Result<Response> result);
  Task<Result<Response>> divert(Exchange& exchange);
  [[nodiscard]] std::optional<Response> stale(Exchange const& exchange, std::uint16_t status);
  [[nodiscard]] Response fixed(Exchange const& exchange) const;
  void mark(Exchange& exchange, FallbackKind kind, Result<Response> const& instead_of) const;

  Route& route_;
  FallbackSettings const& settings_;
  Pipeline const& pipeline_;
  std::optional<KeptAnswers> kept_;
};

/// Makes attempts until one is good enough or decide() says no.
class RetryLayer final : public Layer<Service, AttemptService> {
 public:
  RetryLayer(Route& route, RetryWaits& waits) : route_(route), waits_(waits) {}
  Task<Result<Response>> call(Exchange& exchange) override;

 private:
  class Course;  // of one request

  Route& route_;
  RetryWaits& waits_;
};

/// Makes one more attempt beside one that takes long, at most once a request. The first good answer is given,
/// the other attempt abandoned; if both fail, the one above hears of the answer that says more.
class HedgeLayer final : public Layer<AttemptService, AttemptService> {
 public:
  /// The route has settings for it.
  explicit HedgeLayer(Route& route);
  Task<Result<Response>> call(Exchange& exchange, Attempt& attempt) override;

 private:
  class Race;  // of one attempt

  void learn(Exchange const& exchange, Attempt const& attempt, Result<Response> const& result);
  void learn_unfinished(Exchange const& exchange, Attempt const& attempt);

  Route& route_;
  HedgeSettings const& settings_;
  LatencyHistogram took_;
};

/// Lets an attempt wait for which there is no room under the limit, or behind those that wait already.
class LimitLayer final : public Layer<AttemptService, AttemptService>, private WaitingRoom {
 public:
  /// The route has a queue.
  explicit LimitLayer(Route& route);
  Task<Result<Response>> call(Exchange& exchange, Attempt& attempt) override;

 private:
  Task<Result<Response>> wait_and_call(Exchange& exchange, Attempt& attempt) override;

  AttemptQueue& queue_;
  std::size_t lane_;
  Duration timeout_;
  std::optional<AttemptQueue::Desk> desk_;  // from the first one that waits on
};

/// Asks the health model for a permit, and with it for an endpoint; settles it with what the attempt showed.
class BreakerLayer final : public Layer<AttemptService, Transport> {
 public:
  explicit BreakerLayer(Route& route) : route_(route) {}
  Task<Result<Response>> call(Exchange& exchange, Attempt& attempt) override;

 private:
  Route& route_;
};

/// Times one attempt, to its response's head: marks it slow while it is in flight, and ends it in the end.
class TimeoutLayer final : public Layer<Transport, Transport> {
 public:
  /// `slow_after`: absent, it is never marked.
  explicit TimeoutLayer(Duration timeout, std::optional<Duration> slow_after = std::nullopt)
      : timeout_(timeout), slow_after_(slow_after) {}
  Task<Result<ResponseHandle>> send(Exchange& exchange, Attempt& attempt, Permit& permit) override;

 private:
  Duration timeout_;
  std::optional<Duration> slow_after_;
};

/// What a failure to get a response says of its attempt.
[[nodiscard]] Outcome outcome_of(Failure const& failure);

}  // namespace candor
