// What comes from a caller between its requests: the header that introduces it, then heads. One worker's.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "block.hpp"
#include "candor/core/task.hpp"
#include "candor/http/parse.hpp"
#include "candor/net/settings.hpp"
#include "candor/net/socket.hpp"

namespace candor {

/// Holds the block that a caller's bytes come into. A body begins in it, behind its head; what follows the
/// body is given back.
class HeadReader {
 public:
  struct Parts {
    Scheduler& scheduler;
    Socket& socket;
    BlockPool& blocks;
    LimitSettings const& limits;
    CancelScope& life;   ///< everything ends with it
    CancelScope& drain;  ///< cancelled when no further request is taken
  };

  /// The connection has ended, or has to.
  struct Closed {};
  /// A head came too slowly.
  struct TooSlow {};
  /// A head stands in its `out`, which refers to the block.
  struct Whole {};
  using End = std::variant<Whole, Closed, TooSlow, http::Malformed>;

  explicit HeadReader(Parts const& parts) : parts_(parts) {}

  /// Reads the PROXY protocol header that a connection begins with; sets `source` to whom it names.
  /// Malformed: it is none.
  [[nodiscard]] Task<End> read_introduction(std::string& source);
  /// Waits for a request and reads its head. Idle connections have no block.
  [[nodiscard]] Task<End> read_head(http::RequestHead& out);

  /// Behind the head.
  [[nodiscard]] Block& block() { return *block_; }
  [[nodiscard]] std::size_t begin() const { return begin_; }
  [[nodiscard]] std::size_t end() const { return end_; }
  /// What was read beyond the body, of the next request.
  void take_back(std::string_view rest);
  /// Nobody will read it as a request.
  void forget_rest() { begin_ = end_; }
  /// Nothing of a next request has come.
  [[nodiscard]] bool used_up() const { return begin_ == end_; }

  /// Reads over what still comes, for a while: a close with unread bytes would be a reset, and could take an
  /// answer out of its caller's hands.
  [[nodiscard]] Task<void> linger();

  /// How long a caller who may not yet have read our last answer is listened to before its connection closes.
  static constexpr Duration linger_for = std::chrono::seconds{1};

 private:
  Task<bool> wait_for_first_byte(Instant until);
  [[nodiscard]] Moved read_more();
  [[nodiscard]] bool is_all_empty_lines() const;
  void rest();
  [[nodiscard]] std::string_view unread() const { return {block_->bytes.data() + begin_, end_ - begin_}; }

  Parts const parts_;
  BlockPtr block_{nullptr, {nullptr}};  // while there is something in it, or about to be
  std::size_t begin_ = 0;               // what is unread of it
  std::size_t end_ = 0;
  http::HeadScan scan_;
  std::optional<Instant> grace_until_;  // once a drain has found it at rest
};

}  // namespace candor
