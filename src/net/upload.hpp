// A request's body on its way to an endpoint, beside the wait for the answer. One worker's.
#pragma once

#include <optional>

#include "candor/core/task.hpp"
#include "candor/net/socket.hpp"
#include "candor/proxy/exchange.hpp"
#include "gather.hpp"

namespace candor {

/// Sends a body as it comes from its caller. A caller who holds it back (RFC 9110, 10.1.1) is told to send
/// it: by the endpoint, or by us when that says nothing, as it may know nothing of Expect.
class Upload {
 public:
  /// Hears that the body will never have gone out whole.
  class Watcher {
   public:
    virtual void upload_failed() = 0;

   protected:
    ~Watcher() = default;
  };

  struct Parts {
    Scheduler& scheduler;
    Socket& endpoint;
    Gather& out;  ///< what goes there: the head already, then the body
    Watcher& watcher;
  };

  explicit Upload(Parts const& parts) : parts_(parts) {}

  /// For the next attempt on this connection.
  void reset();
  /// Of a request without a body: whether its head went out.
  void had_no_body(bool head_went_out) { whole_ = head_went_out; }
  /// Begins, and goes on by itself until the body is out or end(); also when the attempt has its answer's
  /// head.
  void start(Exchange& exchange);
  void end();

  /// The endpoint has told the caller to go on, if it waits for that.
  void go_ahead();

  /// All of it has gone out.
  [[nodiscard]] bool whole() const { return whole_; }
  /// Why it will never have.
  [[nodiscard]] std::optional<Failure> const& failure() const { return failure_; }
  /// Then the endpoint may not be able to finish an answer that it has begun.
  [[nodiscard]] bool caller_broke_off() const { return failure_ && failure_->get<CallerBodyBroken>(); }
  /// Time that goes by now says nothing about the endpoint.
  [[nodiscard]] bool waits_for_caller() const { return waits_for_caller_; }

 private:
  Task<void> send(Exchange& exchange);
  Task<Result<http::Piece>> wait_for_caller(Exchange& exchange);
  void give_up(Failure const& failure);

  Parts const parts_;
  bool whole_ = false;
  bool waits_for_caller_ = false;
  std::optional<Failure> failure_;
  std::optional<CancelScope> scope_;
  std::optional<CancelScope> go_ahead_wait_;  // below it, while the caller holds its body back
  std::optional<SideTask<>> sending_;         // last: it uses the rest
};

}  // namespace candor
