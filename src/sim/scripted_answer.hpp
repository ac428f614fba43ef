// One answer of a scripted endpoint, as it is read.
#pragma once

#include <string>

#include "candor/proxy/response.hpp"
#include "candor/sim/report.hpp"
#include "candor/sim/script.hpp"

namespace candor::sim {

/// An act made ready: its response's head exists once, for all attempts that get it.
class PreparedAct {
 public:
  explicit PreparedAct(Act const& what);
  PreparedAct(PreparedAct const&) = delete;
  PreparedAct& operator=(PreparedAct const&) = delete;

  Act const act;
  [[nodiscard]] http::ResponseHead const& head() const { return head_; }

 private:
  std::string fields_;  // what the head's views point into
  http::ResponseHead head_;
};

/// `breaks_at`: when the endpoint goes down with what is in flight.
class ScriptedAnswer final : public ResponseSource {
 public:
  ScriptedAnswer(PreparedAct const& prepared, Scheduler& scheduler, Duration idle_timeout, Instant breaks_at,
                 EndpointTally& tally);

  static void* operator new(std::size_t size) { return detail::allocate_frame(size); }
  static void operator delete(void* answer, std::size_t size) { detail::release_frame(answer, size); }

  [[nodiscard]] http::ResponseHead const& head() const override { return prepared_.head(); }
  std::optional<Result<http::Piece>> try_next() override;
  Task<Result<http::Piece>> next(CancelScope& scope) override;
  void discard() override {}
  void release() override { delete this; }

 private:
  ~ScriptedAnswer() override = default;

  [[nodiscard]] bool broken_by_now() const { return scheduler_.now() >= breaks_at_; }
  /// When the next piece, or the end, is due.
  [[nodiscard]] Instant next_due() const;
  Result<http::Piece> take();

  PreparedAct const& prepared_;
  Scheduler& scheduler_;
  Duration idle_timeout_;
  Instant breaks_at_;
  EndpointTally& tally_;
  Instant last_;  // when the last piece, or the head, came
  std::uint32_t given_ = 0;
};

}  // namespace candor::sim
