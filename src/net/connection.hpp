// A connection to an endpoint, and the answer that comes over it. One worker's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "answer_reader.hpp"
#include "candor/http/parse.hpp"
#include "candor/net/socket.hpp"
#include "candor/proxy/service.hpp"
#include "gather.hpp"
#include "upload.hpp"

namespace candor {

class EndpointPool;

/// What an errno of connect() says: of the endpoint, or of ourselves.
[[nodiscard]] Failure connect_failure(int error);

/// Carries one attempt at a time: sends its request, then is the source of its response, then goes back to
/// its pool or ends, as its answer has left it.
class Connection final : public ResponseSource,
                         private TunnelSink,
                         private Wakeup,
                         private Socket::Watcher,
                         private Upload::Watcher {
 public:
  struct Parts {
    Reactor& reactor;
    BlockPool& blocks;
    http::HeadLimits heads;  ///< of answers
    std::string_view via;
  };

  Connection(EndpointPool& home, Parts const& parts);
  ~Connection() override;

  /// Connects; `until` is the connect timeout's end. Nothing: it stands.
  [[nodiscard]] Task<std::optional<Failure>> open(Address const& address, CancelScope& scope, Instant until);

  /// Sends the attempt's request and reads to the end of its response's head. Nothing: head() stands.
  [[nodiscard]] Task<std::optional<Failure>> carry(Exchange& exchange, Attempt& attempt);

  /// Instead: is a tunnel from now on, which its caller asked for by CONNECT.
  void become_tunnel();

  [[nodiscard]] http::ResponseHead const& head() const override { return head_; }
  [[nodiscard]] TunnelSink* tunnel() override { return is_tunnel_ ? this : nullptr; }
  void stop_upload() override;
  std::optional<Result<http::Piece>> try_next() override { return answer_.try_next(); }
  Task<Result<http::Piece>> next(CancelScope& scope) override;
  void discard() override { answer_.discard(); }
  [[nodiscard]] std::string_view trailers() const override { return answer_.trailers(); }
  void release() override;

  /// Rests in its pool: it leaves at `until`, or when the endpoint closes it or says something.
  void rest(Instant until);
  /// Not yet, while its endpoint may still send the body that its last answer must not have.
  [[nodiscard]] bool may_be_used(Instant now) const { return now >= usable_from_; }
  /// Where open() took it.
  [[nodiscard]] Address const& address() const { return address_; }
  /// Is taken out of the pool; false if the endpoint has closed it, or said something. `look`: asks the
  /// kernel anew, instead of going by what it has told.
  [[nodiscard]] bool resume_use(bool look);
  /// Its place in the pool, while it rests there.
  std::size_t place = 0;

 private:
  void begin(Exchange& exchange, Attempt const& attempt);
  void append_request(Exchange& exchange, Attempt const& attempt);
  /// `before`: what gather_ had written before the request.
  Task<std::optional<Failure>> read_head(Exchange& exchange, Attempt& attempt, std::size_t before);
  [[nodiscard]] Failure why_closed(std::size_t request_bytes) const;
  [[nodiscard]] Failure why_cancelled(CancelScope const& attempt) const;
  [[nodiscard]] std::optional<Failure> look_for_head(Exchange& exchange);
  [[nodiscard]] std::optional<Failure> change_protocol();
  void pass_on_interim(Exchange& exchange);
  void begin_body(std::size_t head_length);
  void upload_failed() override;

  Task<bool> send(std::string_view bytes, CancelScope& scope) override;
  void end_sending() override;
  [[nodiscard]] std::size_t unsent() const override { return socket_.unsent(); }

  [[nodiscard]] bool reusable();
  [[nodiscard]] Duration keep_for() const;

  void wake() override;
  void on_readable() override { scheduler_.soon(*this); }
  void on_hang_up() override { scheduler_.soon(*this); }

  EndpointPool& home_;
  Parts const parts_;
  Scheduler& scheduler_;
  Socket socket_;
  Address address_;
  bool opened_ = false;  // and told so
  bool used_before_ = false;
  Instant usable_from_{};  // by what its last answer was

  // What comes in.
  AnswerReader answer_;
  http::ResponseHead head_;
  bool has_head_ = false;
  std::optional<CancelScope> answer_wait_;  // while an attempt waits for its head
  bool is_tunnel_ = false;
  bool sending_ended_ = false;  // of a tunnel's caller
  std::optional<Duration> idle_timeout_{};
  std::optional<CancelScope> body_wait_;  // while the answer's body is waited for

  // What goes out.
  Gather gather_;
  std::string_view upgrade_;  // the protocol that was asked for
  Upload upload_;             // last: it uses the rest
};

}  // namespace candor
