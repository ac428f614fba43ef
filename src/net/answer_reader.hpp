// The bytes of an answer as they come from an endpoint: its heads, then its body. One worker's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "block.hpp"
#include "candor/http/body.hpp"
#include "candor/http/chunked.hpp"
#include "candor/http/parse.hpp"
#include "candor/net/socket.hpp"

namespace candor {

/// Reads and never waits. The head that is taken stays at the front of the block, and the body's pieces in
/// place behind it until they are discarded.
class AnswerReader {
 public:
  AnswerReader(Socket& socket, BlockPool& blocks) : socket_(socket), blocks_(blocks) {}

  /// For the next answer; from here to let_go() it has a block.
  void begin();
  void let_go() { block_.reset(); }

  [[nodiscard]] Moved read_more();
  /// Whether anything has come since begin().
  [[nodiscard]] bool untouched() const { return end_ == 0 && passed_ == 0; }

  /// The head at the front of what has come, or why there is none.
  [[nodiscard]] http::Parsed parse_head(http::HeadLimits const& limits, http::Method request,
                                        http::ResponseHead& out);
  /// That head, of so many bytes, was interim: the next one takes its place, so that there is room for a
  /// whole one.
  void pass_over(std::size_t length);
  /// Of all interim heads together.
  [[nodiscard]] std::size_t passed() const { return passed_; }

  /// A body begins, behind a head of so many bytes.
  void begin_body(http::Framing framing, std::size_t head_length);
  /// As of a BodySource.
  [[nodiscard]] std::optional<Result<http::Piece>> try_next();
  void discard();
  /// try_next() gives nothing for want of room, until what it gave before is discarded.
  [[nodiscard]] bool is_full() const { return end_ == Block::size; }
  [[nodiscard]] std::string_view trailers() const { return decoder_.trailers(); }

  /// The body has come to its end.
  [[nodiscard]] bool complete() const { return complete_; }
  /// Nothing has come that was not handed out.
  [[nodiscard]] bool used_up() const { return begin_ == end_; }

 private:
  [[nodiscard]] std::optional<Result<http::Piece>> buffered_piece();
  [[nodiscard]] std::optional<Result<http::Piece>> chunked_piece();
  [[nodiscard]] Result<http::Piece> ended();
  [[nodiscard]] Result<http::Piece> broke_off() const;

  Socket& socket_;
  BlockPool& blocks_;
  BlockPtr block_{nullptr, {nullptr}};
  std::size_t base_ = 0;   // where the body begins
  std::size_t begin_ = 0;  // what is unread
  std::size_t end_ = 0;
  std::size_t handed_out_ = 0;  // the end of the content that is not discarded yet
  http::HeadScan scan_;
  std::size_t passed_ = 0;
  http::Framing framing_;
  std::uint64_t left_ = 0;  // of a body with a length
  http::ChunkedDecoder decoder_;
  bool complete_ = false;
};

}  // namespace candor
