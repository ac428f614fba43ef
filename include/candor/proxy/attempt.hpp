// One attempt of a request, as it travels down the pipeline and as it is remembered.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "candor/core/cancellation.hpp"
#include "candor/core/ids.hpp"
#include "candor/core/outcome.hpp"
#include "candor/core/time.hpp"
#include "candor/proxy/attempt_queue.hpp"
#include "candor/resilience/budget.hpp"

namespace candor {

class Response;

/// What is remembered of an attempt: for the access log and for the answer's Proxy-Status.
struct AttemptRecord {
  unsigned number = 1;
  EndpointId endpoint{};
  Instant started{};
  Instant settled{};
  std::optional<Outcome> outcome{};  ///< absent: still open
  std::uint16_t status = 0;          ///< 0: no response
  bool probe = false;                ///< of the upstream
  bool endpoint_probe = false;       ///< of an ejected endpoint
  bool fresh_connection = false;
  bool hedge = false;  ///< it was made beside the one before it
};

/// The attempts of one request. The first few need no allocation. References stay valid.
class AttemptLog {
 public:
  AttemptRecord& add(AttemptRecord const& record);
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] AttemptRecord const& operator[](std::size_t index) const;
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] AttemptRecord const& last() const { return (*this)[size_ - 1]; }

 private:
  static constexpr std::size_t inline_count = 4;

  std::size_t size_ = 0;
  std::array<AttemptRecord, inline_count> first_{};
  std::vector<std::unique_ptr<AttemptRecord>> more_{};
};

class WaitingRoom;

/// One attempt on its way down. Lives as long as the pipeline's call for it, to the response's head.
struct Attempt {
  Attempt(CancelScope& request, unsigned which) : scope(request), number(which) {}

  CancelScope scope;                    ///< the attempt's own timeout cancels this, not the request
  unsigned number;                      ///< from 1; a stale connection's second go keeps its number
  std::string_view retry_reason{};      ///< why it is made, of a retry
  bool fresh_connection = false;        ///< not one from the pool
  std::span<EndpointId const> tried{};  ///< the endpoints of earlier attempts: others are preferred
  bool expendable = false;              ///< another attempt may follow this one, if its failure is listed
  EndpointId endpoint{};                ///< picked with the permit
  std::optional<EndpointId> beside{};  ///< where another attempt went at the same time: a hedge, or its first

  bool hurries = false;  ///< where there is no room for it under the limit now, it had better not be made
  WaitingRoom* waiting_room = nullptr;   ///< where it waits if there is no room; absent: it is refused
  AttemptQueue::Place* place = nullptr;  ///< there, while it asks again; left once the permit is granted

  /// Of a retry: what pays for it. Spent once the permit is granted; if it is refused, given back.
  std::optional<BudgetToken> token{};

  /// The answer that this attempt hopes to replace. Dropped once the permit is granted; if it is refused, the
  /// request still has this one.
  std::optional<Response>* superseded = nullptr;

  // Filled on the way back.
  AttemptRecord* record = nullptr;  ///< absent: no permit was granted
  bool untouched = true;            ///< no byte of the request has left us
};

}  // namespace candor
