// The three faces of the pipeline. A request is answered, an attempt is made, a permitted attempt is sent:
// each face can only be reached through the one above, so nothing gets to an upstream without a permit.
#pragma once

#include "candor/core/failure.hpp"
#include "candor/core/task.hpp"
#include "candor/proxy/attempt.hpp"
#include "candor/proxy/exchange.hpp"
#include "candor/proxy/response.hpp"
#include "candor/resilience/health.hpp"

namespace candor {

/// Answers a request, with as many attempts as it takes.
class Service {
 public:
  virtual ~Service() = default;
  virtual Task<Result<Response>> call(Exchange& exchange) = 0;
};

/// Makes one attempt, if it is permitted.
class AttemptService {
 public:
  virtual ~AttemptService() = default;
  virtual Task<Result<Response>> call(Exchange& exchange, Attempt& attempt) = 0;
};

/// Where an attempt waits for which there is no room under the limit: the way back up of one that has asked
/// for its permit in vain, so that those that are let in at once, nearly all, pass without a stop.
class WaitingRoom {
 public:
  virtual Task<Result<Response>> wait_and_call(Exchange& exchange, Attempt& attempt) = 0;

 protected:
  ~WaitingRoom() = default;
};

/// Sends one permitted attempt to its endpoint; ends with the response's head. The attempt's scope cancels
/// it.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual Task<Result<ResponseHandle>> send(Exchange& exchange, Attempt& attempt, Permit& permit) = 0;
};

/// Takes calls as `Outer` and passes them on as `Inner`, to the layer below.
template <class Outer, class Inner>
class Layer : public Outer {
 public:
  using OuterFace = Outer;
  using InnerFace = Inner;

  void put_above(Inner& next) { next_ = &next; }

 protected:
  [[nodiscard]] Inner& next() const { return *next_; }

 private:
  Inner* next_ = nullptr;
};

}  // namespace candor
