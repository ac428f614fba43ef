// Bytes both ways between a caller and an endpoint, whatever they mean: after CONNECT, or a changed protocol.
// One worker's.
#pragma once

#include <cstdint>

#include "candor/core/cancellation.hpp"
#include "candor/core/scheduler.hpp"
#include "candor/core/task.hpp"
#include "candor/net/socket.hpp"
#include "candor/proxy/response.hpp"
#include "gather.hpp"
#include "request_body.hpp"

namespace candor {

/// Each way ends by itself, when its sender ends; the tunnel ends with both, or with the first that breaks,
/// or when no byte came either way for `idle`.
class Tunnel final : private Wakeup {
 public:
  struct Parts {
    Scheduler& scheduler;
    Socket& caller;
    RequestBody& from_caller;
    Gather& to_caller;
    Response& endpoint;
    Duration idle;
  };

  Tunnel(Parts const& parts, CancelScope& outer)
      : parts_(parts), scheduler_(parts.scheduler), sink_(*parts.endpoint.tunnel()), scope_(outer) {}
  ~Tunnel() override { disarm(); }

  /// Whether both ways came to a good end.
  [[nodiscard]] Task<bool> run();

  [[nodiscard]] std::uint64_t bytes_in() const { return bytes_in_; }    ///< from the caller
  [[nodiscard]] std::uint64_t bytes_out() const { return bytes_out_; }  ///< to the caller

 private:
  Task<void> carry_in();
  Task<bool> carry_out();
  void wake() override;

  Parts const parts_;
  Scheduler& scheduler_;
  TunnelSink& sink_;
  CancelScope scope_;
  Instant last_byte_{};
  std::uint64_t bytes_in_ = 0;
  std::uint64_t bytes_out_ = 0;
};

}  // namespace candor
