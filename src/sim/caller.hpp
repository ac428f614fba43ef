// A simulated caller's side: the requests that it sends, made ready.
#pragma once

#include <string>

#include "candor/http/body.hpp"
#include "candor/http/head.hpp"
#include "candor/sim/traffic.hpp"

namespace candor::sim {

/// A request's shape with the head that all its requests share.
class PreparedRequest {
 public:
  explicit PreparedRequest(RequestShape what);
  PreparedRequest(PreparedRequest const&) = delete;
  PreparedRequest& operator=(PreparedRequest const&) = delete;

  RequestShape const shape;
  [[nodiscard]] http::RequestHead const& head() const { return head_; }

 private:
  http::RequestHead head_;  // its views point into the shape
};

/// A body of so many bytes, all there at once.
class CallerBody final : public http::BodySource {
 public:
  explicit CallerBody(std::uint64_t bytes) : left_(bytes) {}

  std::optional<Result<http::Piece>> try_next() override;
  Task<Result<http::Piece>> next(CancelScope& scope) override;
  void discard() override {}

 private:
  std::uint64_t left_;
};

}  // namespace candor::sim
