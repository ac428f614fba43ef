// Bytes both ways between a caller and an endpoint, whatever they mean: after CONNECT, or a changed protocol.
// One worker's.
#pragma once

#include <cstdint>
#include <optional>

#include "candor/core/cancellation.hpp"
#include "candor/core/scheduler.hpp"
#include "candor/core/task.hpp"
#include "candor/net/socket.hpp"
#include "candor/proxy/response.hpp"
#include "gather.hpp"
#include "request_body.hpp"

namespace candor {

/// Each way ends by itself, when its sender ends. The tunnel ends with both, or with the first that breaks,
/// or when no byte moved either way for `idle`; once one way has ended, for `half_idle`: whoever sent the end
/// may be gone altogether, and nothing tells.
class Tunnel final : private Wakeup {
 public:
  struct Parts {
    Scheduler& scheduler;
    Socket& caller;
    RequestBody& from_caller;
    Gather& to_caller;
    Response& endpoint;
    Duration idle;
    Duration half_idle;
  };

  /// How it came to its end.
  enum class End : std::uint8_t {
    both_ended,
    caller_broke,
    endpoint_broke,
    idle,  ///< or another bound of ours
  };

  Tunnel(Parts const& parts, CancelScope& outer)
      : parts_(parts), scheduler_(parts.scheduler), sink_(*parts.endpoint.tunnel()), scope_(outer) {}
  ~Tunnel() override { disarm(); }

  [[nodiscard]] Task<End> run();

  [[nodiscard]] std::uint64_t bytes_in() const { return bytes_in_; }    ///< from the caller
  [[nodiscard]] std::uint64_t bytes_out() const { return bytes_out_; }  ///< to the caller

 private:
  Task<void> carry_in();
  Task<void> carry_out();
  void one_way_ended();
  void break_off(End why);
  [[nodiscard]] Duration bound() const { return half_ended_ ? parts_.half_idle : parts_.idle; }
  void wake() override;

  Parts const parts_;
  Scheduler& scheduler_;
  TunnelSink& sink_;
  CancelScope scope_;
  Instant last_byte_{};
  std::size_t unsent_ = 0;  // on both sides, when it was last looked at
  bool half_ended_ = false;
  std::optional<End> broke_{};
  std::uint64_t bytes_in_ = 0;
  std::uint64_t bytes_out_ = 0;
};

}  // namespace candor
