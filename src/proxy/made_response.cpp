#include "made_response.hpp"

#include <utility>

namespace candor {

namespace {

class MadeSource final : public ResponseSource {
 public:
  MadeSource(MadeResponse made, http::Method method) : made_(std::move(made)) {
    head_.status = made_.status;
    head_.reason = made_.reason;
    bool const bodyless = method == http::Method::head || made_.status == 204 || made_.status == 304;
    if (bodyless) made_.body = {};
    if (!bodyless) head_.framing = {http::Framing::Kind::length, made_.body.size()};
    for (std::string_view rest = made_.lines; !rest.empty();) {
      auto const line = rest.substr(0, rest.find("\r\n") + 2);
      rest.remove_prefix(line.size());
      auto const colon = line.find(':');
      auto const name = line.substr(0, colon);
      auto const value = line.substr(colon + 2, line.size() - colon - 4);
      head_.fields.add({.name = name, .value = value, .line = line, .id = http::field_id(name)});
    }
  }

  static void* operator new(std::size_t size) { return detail::allocate_frame(size); }
  static void operator delete(void* source, std::size_t size) { detail::release_frame(source, size); }

  [[nodiscard]] http::ResponseHead const& head() const override { return head_; }
  std::optional<Result<http::Piece>> try_next() override {
    return http::Piece{.bytes = made_.body, .last = true};
  }
  Task<Result<http::Piece>> next(CancelScope& /*scope*/) override {
    co_return http::Piece{.bytes = made_.body, .last = true};
  }
  void discard() override {}
  void release() override { delete this; }

 private:
  ~MadeSource() override = default;

  MadeResponse made_;
  http::ResponseHead head_;
};

}  // namespace

ResponseHandle make_response(MadeResponse made, http::Method method) {
  return ResponseHandle{new MadeSource{std::move(made), method}};
}

}  // namespace candor
