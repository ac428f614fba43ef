// A request's body as it comes from its caller. One worker's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "block.hpp"
#include "candor/core/bytes.hpp"
#include "candor/http/body.hpp"
#include "candor/http/chunked.hpp"
#include "candor/http/head.hpp"
#include "candor/net/socket.hpp"

namespace candor {

class Gather;

/// Pieces stay in place until they are discarded: in the block behind the head, then in further blocks. So
/// whoever keeps them for a retry copies nothing.
class RequestBody final : public http::BodySource {
 public:
  struct Parts {
    Socket& socket;
    Gather& out;  ///< what goes to the caller: the interim answer, and the answer behind it
    BlockPool& blocks;
    Scheduler& scheduler;
    std::optional<Duration> idle;  ///< the longest wait for the next bytes; absent: no bound
    std::optional<Bytes> limit{};  ///< of the content; absent: none
    std::optional<Bytes> rate{};   ///< that the content keeps up a second while it is waited for
    Duration grace{};              ///< what it may be behind
    /// The caller waits to be told to go on (RFC 9110, 10.1.1). It is told before an answer begins, or, if it
    /// has gone on by itself, not at all: in an answer the line would be taken for a part of it.
    bool expects_continue = false;
  };

  /// Body bytes begin at `begin` of `first`, which is filled up to `end`.
  RequestBody(Parts parts, http::Framing framing, Block& first, std::size_t begin, std::size_t end);

  std::optional<Result<http::Piece>> try_next() override;
  Task<Result<http::Piece>> next(CancelScope& scope) override;
  void discard() override;
  [[nodiscard]] bool waits_for_go_ahead() const override { return parts_.expects_continue; }
  void go_ahead() override;
  [[nodiscard]] std::string_view trailers() const override { return decoder_.trailers(); }

  [[nodiscard]] bool complete() const { return complete_; }
  /// The status that says why it was not taken; absent: it was, or the caller broke it off.
  [[nodiscard]] std::optional<std::uint16_t> rejection() const { return rejection_; }

  /// Whether the rest is known to be so short that reading over it is cheaper than a new connection.
  [[nodiscard]] bool rest_is_short() const;
  /// Reads over the rest; whether it came by then.
  [[nodiscard]] Task<bool> skip_rest(CancelScope& scope, Instant until);

  /// Once complete: what follows it, of the next request.
  [[nodiscard]] std::string_view leftover() const { return {bytes() + begin_, end_ - begin_}; }

  static constexpr std::uint64_t short_rest = std::uint64_t{64} * 1024;

 private:
  [[nodiscard]] char* bytes() const;
  [[nodiscard]] std::size_t floor() const { return extra_.empty() ? first_floor_ : 0; }
  void make_room();
  [[nodiscard]] Failure reject(std::uint16_t status, std::string_view why);
  [[nodiscard]] std::optional<Result<http::Piece>> buffered_piece();
  [[nodiscard]] std::optional<Result<http::Piece>> chunked_piece();
  [[nodiscard]] std::string_view packed(std::string_view content);
  [[nodiscard]] Failure broke_off();
  [[nodiscard]] std::optional<Duration> patience() const;

  Parts parts_;
  http::Framing framing_;
  Block& first_;
  std::size_t first_floor_;
  std::vector<BlockPtr> extra_;
  std::size_t packed_end_;  // of the content in the current block that is still needed
  std::size_t begin_;       // what is unread of the current block
  std::size_t end_;
  std::uint64_t left_;  // of a body with a length
  std::uint64_t content_ = 0;
  Duration waited_{};  // for its bytes
  http::ChunkedDecoder decoder_;
  bool complete_ = false;
  std::optional<Failure> failed_;
  std::optional<std::uint16_t> rejection_;
};

}  // namespace candor
