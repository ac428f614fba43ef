#include "http_check.hpp"

#include <algorithm>
#include <utility>

#include "gather.hpp"

namespace candor {

namespace {

std::string_view name_of(CheckMethod method) {
  switch (method) {
    case CheckMethod::get: return "GET";
    case CheckMethod::head: return "HEAD";
    case CheckMethod::options: return "OPTIONS";
  }
  return {};
}

bool is_among(std::vector<StatusRange> const& ranges, std::uint16_t status) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [status](StatusRange range) { return range.first <= status && status <= range.last; });
}

/// The answer as it comes in.
class CheckAnswer {
 public:
  CheckAnswer(HttpCheckParts parts, CheckSettings const& settings)
      : parts_(parts),
        settings_(settings),
        method_(http::method_of(name_of(settings.method))),
        block_(parts.blocks.take()) {}

  [[nodiscard]] Moved read_from(Socket& socket) {
    auto const moved = socket.read(block_->bytes.data() + end_, Block::size - end_);
    if (moved.state == Moved::State::some) end_ += moved.bytes;
    return moved;
  }

  /// Nothing: its head has not come yet.
  [[nodiscard]] std::optional<bool> verdict() {
    for (;;) {
      std::string_view const there{block_->bytes.data() + begin_, end_ - begin_};
      auto const parsed = http::parse_response_head(there, scan_, parts_.heads, method_, head_);
      if (std::holds_alternative<http::Malformed>(parsed)) return false;
      auto const* whole = std::get_if<http::Complete>(&parsed);
      if (whole == nullptr) return end_ == Block::size ? std::optional{false} : std::nullopt;
      bool const interim = head_.status < 200 && head_.status != 101;
      if (!interim) return is_among(settings_.statuses, head_.status);
      begin_ += whole->length;
      scan_ = {};
    }
  }

 private:
  HttpCheckParts parts_;
  CheckSettings const& settings_;
  http::Method method_;
  BlockPtr block_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  http::HeadScan scan_;
  http::ResponseHead head_;
};

/// How a wait that ended without what it was for ends the check.
std::optional<bool> cut_short(WaitEnd end) {
  return end == WaitEnd::cancelled ? std::nullopt : std::optional{false};
}

}  // namespace

std::string check_request(CheckSettings const& settings, std::string_view host) {
  std::string text{name_of(settings.method)};
  text.append(" ").append(*settings.path).append(" HTTP/1.1\r\nHost: ").append(host);
  return text.append("\r\nUser-Agent: candor-check\r\nAccept: */*\r\nConnection: close\r\n\r\n");
}

Task<std::optional<bool>> ask(Socket& socket, HttpCheckParts parts, CheckSettings const& settings,
                              std::string const& request, CancelScope& scope, Instant until) {
  Gather gather;
  gather.copy(request);
  for (;;) {
    auto const written = try_write_all(socket, gather);
    if (written == WriteEnd::done) break;
    if (written) co_return false;
    auto const end = co_await socket.until_writable(scope, until);
    if (end != WaitEnd::ready) co_return cut_short(end);
  }
  CheckAnswer answer{parts, settings};
  for (;;) {
    auto const moved = answer.read_from(socket);
    switch (moved.state) {
      case Moved::State::some: {
        auto const verdict = answer.verdict();
        if (verdict) co_return verdict;
        break;
      }
      case Moved::State::blocked: {
        auto const end = co_await socket.until_readable(scope, until);
        if (end != WaitEnd::ready) co_return cut_short(end);
        break;
      }
      case Moved::State::end:
      case Moved::State::broken: co_return false;
    }
  }
}

}  // namespace candor
