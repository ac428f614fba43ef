// An upstream's response on its way to the caller, with its attempt's permit riding on the body.
#pragma once

#include <memory>
#include <optional>

#include "candor/core/scheduler.hpp"
#include "candor/http/body.hpp"
#include "candor/http/head.hpp"
#include "candor/proxy/exchange.hpp"
#include "candor/resilience/health.hpp"

namespace candor {

/// The way out of a tunnel: what its caller sends goes in here.
class TunnelSink {
 public:
  /// Sends all of it; false: the endpoint is gone, or the scope was cancelled.
  virtual Task<bool> send(std::string_view bytes, CancelScope& scope) = 0;
  /// The caller has ended its sending: so does the tunnel. One that ends without it, or before the endpoint
  /// has ended its own, is broken off: the endpoint must not take what it got for the whole.
  virtual void end_sending() = 0;
  /// What was sent and has not arrived yet, in bytes: as long as it changes, the endpoint is there.
  [[nodiscard]] virtual std::size_t unsent() const = 0;

 protected:
  ~TunnelSink() = default;
};

/// What a transport gives back: a head, and the body behind it.
class ResponseSource : public http::BodySource {
 public:
  [[nodiscard]] virtual http::ResponseHead const& head() const = 0;
  /// Of an accepted CONNECT and of a changed protocol; its body is what the endpoint sends. Absent: no
  /// tunnel.
  [[nodiscard]] virtual TunnelSink* tunnel() { return nullptr; }
  /// No more of the request's body goes out for it: another attempt is about to read that from the start.
  /// Until then it goes out beside the answer.
  virtual void stop_upload() {}
  /// The reader is done with it, at the body's end or before. The source decides what its connection is still
  /// good for.
  virtual void release() = 0;
};

struct ReleaseSource {
  void operator()(ResponseSource* source) const { source->release(); }
};
using ResponseHandle = std::unique_ptr<ResponseSource, ReleaseSource>;

/// The permit of an attempt, until its verdict; once the head has arrived well it rides on the body. It
/// settles with the body's end, or a second after the head if the body streams on: a break in mid-body
/// counts, an endless stream doesn't hold the account open. Dropped before any verdict: the caller left, or
/// the session was destroyed; abandoned. Its verdict is recorded, and told to the observer. Must not outlive
/// the exchange.
class PermitRide final : private Wakeup {
 public:
  PermitRide(Permit permit, Exchange& exchange, AttemptRecord& record);
  ~PermitRide() override;

  static void* operator new(std::size_t size) { return detail::allocate_frame(size); }
  static void operator delete(void* ride, std::size_t size) { detail::release_frame(ride, size); }

  /// Until it settles.
  [[nodiscard]] Permit& permit() { return *permit_; }

  void head_arrived(std::uint16_t status);
  /// Once settled, later verdicts change nothing.
  void settle(Outcome outcome);

  void body_goes_on();
  void body_ended() { settle(Outcome::success()); }
  void body_broke(FailureKind kind);

  static constexpr Duration settle_after = 1s;

 private:
  void wake() override { settle(Outcome::success()); }

  std::optional<Permit> permit_;
  Exchange& exchange_;
  AttemptRecord& record_;
};

/// Sees the body of an answer as it passes.
class BodyTap {
 public:
  virtual ~BodyTap() = default;
  /// Whether it wants to see more.
  virtual bool passed(http::Piece const& piece) = 0;
};

/// Move-only. Cannot be made above the breaker without what settles its permit.
class Response {
 public:
  /// Of an attempt that has settled, its head said it all; or of none.
  explicit Response(ResponseHandle source) : source_(std::move(source)) {}
  Response(ResponseHandle source, std::unique_ptr<PermitRide> ride)
      : source_(std::move(source)), ride_(std::move(ride)) {}

  [[nodiscard]] http::ResponseHead const& head() const { return source_->head(); }
  /// Whether its attempt ended well, as far as it has ended.
  [[nodiscard]] bool good() const { return ride_ != nullptr; }

  /// Sees what passes from now on, until the body has ended or broken off. Absent: nobody does.
  void let_see(std::unique_ptr<BodyTap> tap) { tap_ = std::move(tap); }

  [[nodiscard]] TunnelSink* tunnel() const { return source_->tunnel(); }

  /// As of a ResponseSource.
  void stop_upload() { source_->stop_upload(); }

  /// As of a BodySource. The permit settles in here, with the last piece or the break.
  std::optional<Result<http::Piece>> try_next();
  Task<Result<http::Piece>> next(CancelScope& scope);
  void discard() { source_->discard(); }
  [[nodiscard]] std::string_view trailers() const { return source_->trailers(); }

 private:
  void note(Result<http::Piece> const& piece);
  void show(Result<http::Piece> const& piece);

  ResponseHandle source_;
  std::unique_ptr<PermitRide> ride_;
  std::unique_ptr<BodyTap> tap_;
};

}  // namespace candor
