#include "gather.hpp"

#include <algorithm>

#include "candor/http/chunked.hpp"
#include "candor/http/forward.hpp"

namespace candor {

void Gather::close_own() {
  std::size_t const size = own_.size() - own_closed_;
  if (size == 0) return;
  Part* const last = empty() ? nullptr : &parts_.back();
  if (last != nullptr && last->outside == nullptr && last->at + last->size == own_closed_) {
    last->size += size;
  } else {
    parts_.push_back({nullptr, own_closed_, size});
  }
  own_closed_ = own_.size();
}

void Gather::refer(std::string_view bytes) {
  if (bytes.size() <= cheap_to_copy) return copy(bytes);
  close_own();
  parts_.push_back({bytes.data(), 0, bytes.size()});
}

void Gather::clear() {
  if (own_.capacity() > kept_at_rest) {
    std::string{}.swap(own_);  // an assignment would keep the room
  } else {
    own_.clear();
  }
  own_closed_ = 0;
  parts_.clear();
  written_parts_ = 0;
}

Moved Gather::write_to(Socket& socket) {
  std::array<iovec, most_parts> vectors;  // filled as far as `count` says
  std::size_t const count = std::min(parts_.size() - written_parts_, vectors.size());
  for (std::size_t i = 0; i < count; ++i) {
    auto const& part = parts_[written_parts_ + i];
    char const* const from = part.outside != nullptr ? part.outside : own_.data() + part.at;
    vectors[i] = {const_cast<char*>(from), part.size};  // NOLINT: only read
  }
  auto const moved = socket.write({vectors.data(), count});
  if (moved.state == Moved::State::some) took(moved.bytes);
  return moved;
}

void Gather::took(std::size_t bytes) {
  written_ += bytes;
  while (bytes > 0) {
    auto& part = parts_[written_parts_];
    std::size_t const of_this = std::min(bytes, part.size);
    part.size -= of_this;
    if (part.outside != nullptr) {
      part.outside += of_this;
    } else {
      part.at += of_this;
    }
    if (part.size == 0) ++written_parts_;
    bytes -= of_this;
  }
  if (empty()) clear();
}

void append_piece(Gather& gather, http::Piece piece, bool chunked, std::string_view trailers,
                  http::Fields const& head) {
  if (!chunked) return gather.refer(piece.bytes);
  if (!piece.bytes.empty()) {
    http::append_chunk_head(gather.own(), piece.bytes.size());
    gather.close_own();
    gather.refer(piece.bytes);
    gather.copy("\r\n");
  }
  if (piece.last) {
    http::append_last_chunk(gather.own(), trailers, head);
    gather.close_own();
  }
}

std::optional<WriteEnd> try_write_all(Socket& socket, Gather& gather) {
  while (!gather.empty()) {
    auto const moved = gather.write_to(socket);
    switch (moved.state) {
      case Moved::State::some: break;
      case Moved::State::blocked: return std::nullopt;
      case Moved::State::end:
      case Moved::State::broken: return WriteEnd::broken;
    }
  }
  return WriteEnd::done;
}

Task<WriteEnd> write_all(Socket& socket, Gather& gather, CancelScope& scope, Scheduler& scheduler,
                         std::optional<Duration> idle) {
  for (;;) {
    if (auto const end = try_write_all(socket, gather)) co_return *end;
    auto const wait = co_await socket.until_writable(scope, after(scheduler, idle));
    switch (wait) {
      case WaitEnd::ready: break;
      case WaitEnd::timed_out: co_return WriteEnd::timed_out;
      case WaitEnd::cancelled: co_return WriteEnd::cancelled;
    }
  }
}

}  // namespace candor
