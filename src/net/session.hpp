// One caller's connection: reads requests, has them answered in order, writes the answers. One worker's.
#pragma once

#include <cstdint>
#include <string>

#include "candor/http/date_text.hpp"
#include "candor/http/proxy_status.hpp"
#include "candor/net/settings.hpp"
#include "candor/net/socket.hpp"
#include "candor/proxy/exchange.hpp"
#include "destination.hpp"
#include "gather.hpp"
#include "head_reader.hpp"
#include "request_body.hpp"

namespace candor {

/// What a worker lends to its sessions.
struct SessionParts {
  Reactor& reactor;
  BlockPool& blocks;
  LimitSettings const& limits;
  WorkerContext context;
  std::string_view via;  ///< what we are called in Via
  http::DateText& date;
  CancelScope& life;        ///< cancelled when everything has to end
  CancelScope& drain;       ///< cancelled when no further request is taken
  std::uint64_t& requests;  ///< the last RequestId's value of this worker
};

class Session final : private Socket::Watcher, private InterimSink {
 public:
  Session(SessionParts const& parts, Destination const& destination);
  Session(Session const&) = delete;
  Session& operator=(Session const&) = delete;
  ~Session();

  /// Carries the connection to its end.
  Task<void> run(Descriptor connection);

 private:
  /// What an answer leaves behind.
  enum class After : std::uint8_t {
    keep,   ///< the connection takes the next request
    close,  ///< it ends, once the answer can be read
    abort,  ///< it breaks off
  };

  Task<bool> introduce();
  Task<void> refuse(HeadReader::End const& end);
  Task<bool> carry();
  Task<bool> carry_request(Pipeline& pipeline);
  Task<After> answer(Exchange& exchange, RequestBody& body, Result<Response> result, RequestEnd& end);
  Task<After> pass_on(Exchange& exchange, RequestBody& body, Response response, RequestEnd& end);
  Task<After> tunnel(Exchange& exchange, Response response, RequestEnd& end);
  void append_tunnel_head(Exchange& exchange, Response const& response);
  Task<std::optional<RequestResult>> stream(Exchange& exchange, Response& response, bool chunked,
                                            RequestEnd& end);
  Task<std::optional<RequestResult>> flush(Exchange& exchange);
  Task<After> say_no(Exchange& exchange, RequestBody& body, Failure const& failure, RequestEnd& end);
  Task<bool> leave_request(After after, RequestBody* body);
  Task<void> reject(http::OwnAnswer const& answer);
  Task<bool> write_own(http::OwnAnswer const& answer, bool keep_alive);
  Task<void> linger();

  [[nodiscard]] bool may_keep(RequestBody const& body) const;
  [[nodiscard]] std::optional<RequestResult> cut_short(WriteEnd end) const;
  [[nodiscard]] std::string_view via_of_answers() const;
  [[nodiscard]] std::string_view date() const { return parts_.date.at(scheduler_.wall()); }

  void interim(http::ResponseHead const& head) override;
  void on_readable() override {}
  void on_hang_up() override;
  void on_broken() override;

  SessionParts const& parts_;
  Destination const& destination_;
  Scheduler& scheduler_;
  Socket socket_;
  CancelScope life_;
  bool in_request_ = false;
  bool in_tunnel_ = false;
  std::string caller_;  // as a PROXY protocol header gave it
  std::uint64_t carried_ = 0;

  HeadReader heads_;
  http::RequestHead head_;
  Gather gather_;
};

}  // namespace candor
