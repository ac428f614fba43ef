#include "caller.hpp"

#include <algorithm>
#include <utility>

namespace candor::sim {

PreparedRequest::PreparedRequest(RequestShape what) : shape(std::move(what)) {
  head_.method_text = shape.method;
  head_.method = http::method_of(shape.method);
  head_.target = shape.path;
  for (auto const& [name, value] : shape.fields) {
    head_.fields.add({.name = name, .value = value, .line = {}, .id = http::field_id(name)});
  }
  if (shape.body_bytes > 0) head_.framing = {http::Framing::Kind::length, shape.body_bytes};
}

std::optional<Result<http::Piece>> CallerBody::try_next() {
  static std::string const bytes(16384, 'y');
  auto const size = std::min<std::uint64_t>(left_, bytes.size());
  left_ -= size;
  return http::Piece{.bytes = std::string_view{bytes}.substr(0, static_cast<std::size_t>(size)),
                     .last = left_ == 0};
}

Task<Result<http::Piece>> CallerBody::next(CancelScope& /*scope*/) {
  auto const piece = try_next();
  co_return *piece;
}

}  // namespace candor::sim
