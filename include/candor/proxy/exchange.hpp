// One request and all that belongs to it, from its head to the end of its answer. One worker's.
#pragma once

#include <memory>
#include <optional>

#include "candor/core/cancellation.hpp"
#include "candor/core/ids.hpp"
#include "candor/core/mailbox.hpp"
#include "candor/core/rng.hpp"
#include "candor/core/scheduler.hpp"
#include "candor/http/head.hpp"
#include "candor/http/replay_body.hpp"
#include "candor/proxy/attempt.hpp"
#include "candor/proxy/caller_wait.hpp"
#include "candor/proxy/fallback.hpp"
#include "candor/proxy/observer.hpp"
#include "candor/proxy/upstream.hpp"

namespace candor {

/// What a worker lends to every request that it carries.
struct WorkerContext {
  Scheduler& scheduler;
  Rng& rng;
  Observer& observer;
  Mailbox* mailbox = nullptr;  ///< how other threads reach it; absent: there are none
};

/// Takes interim answers (1xx) to the caller, as they come.
class InterimSink {
 public:
  virtual void interim(http::ResponseHead const& head) = 0;

 protected:
  ~InterimSink() = default;
};

class Exchange {
 public:
  Exchange(RequestId request_id, Route& taken, http::RequestHead const& request_head,
           http::ReplayBody& request_body, WorkerContext lent, CancelScope& caller_scope)
      : id(request_id),
        route(taken),
        upstream(taken.upstream),
        head(request_head),
        body(request_body),
        worker(lent),
        started(lent.scheduler.now()),
        came(started),
        scope(caller_scope) {}

  RequestId const id;
  Route& route;
  Upstream& upstream;  ///< the route's
  http::RequestHead const& head;
  http::ReplayBody& body;
  WorkerContext const worker;
  Instant const started;
  Instant came;  ///< when the caller's own request did; before `started` if another upstream has had it first

  CancelScope scope;                  ///< of the request: cancelled by its deadline, or with its caller's
  Instant deadline = Instant::max();  ///< set by the deadline layer
  std::optional<Instant> caller_deadline{};  ///< as the caller has told it

  InterimSink* interim = nullptr;  ///< absent: nobody wants them
  std::string_view caller{};       ///< who it is, where a PROXY protocol header has said so

  CallerWait caller_wait;  ///< kept by whoever reads the caller's body
  AttemptLog attempts;
  unsigned retries = 0;                 ///< attempts that the budget paid for
  std::optional<RetryDenied> denied{};  ///< why no further attempt was made
  bool hedged = false;                  ///< one of its attempts was made beside another
  bool untouched = true;                ///< no byte of the request has left us, in any attempt

  std::optional<Fallback> fallback{};  ///< what is given in the place of an answer
  /// The request as another upstream got it, for a fallback; ends before what it lends.
  std::unique_ptr<Exchange> diverted{};

  [[nodiscard]] Instant now() const { return worker.scheduler.now(); }
};

}  // namespace candor
