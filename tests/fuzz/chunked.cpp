// Any bytes where a chunked body should be: no way of cutting them changes what comes out, and what comes out
// can be sent on.
#include "candor/http/chunked.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "candor/http/parse.hpp"
#include "fuzz.hpp"

namespace candor::fuzz {

namespace {

struct Decoded {
  std::string content{};
  std::string trailers{};
  std::size_t consumed = 0;
  bool end = false;
  bool refused = false;

  bool operator==(Decoded const&) const = default;
};

/// Feeds the decoder pieces whose sizes `next_size()` says.
template <class NextSize>
Decoded decode(std::string_view input, NextSize const& next_size) {
  http::ChunkedDecoder decoder;
  Decoded out;
  while (!input.empty() && !out.end && !out.refused) {
    auto piece = input.substr(0, next_size());
    while (!piece.empty() && !out.end && !out.refused) {
      auto const step = decoder.step(piece);
      require(step.consumed <= piece.size(), "no more is consumed than there is");
      require(step.consumed > 0 || step.end || !step.error.empty(), "every step goes on");
      require(!(step.end && !step.error.empty()), "an end is no refusal");
      out.content += step.content;
      out.consumed += step.consumed;
      out.end = step.end;
      out.refused = !step.error.empty();
      piece.remove_prefix(step.consumed);
      input.remove_prefix(step.consumed);
    }
  }
  auto const after = decoder.step("0\r\n\r\n");
  if (out.end) require(after.consumed == 0 && after.end, "an end stays one");
  if (out.refused) require(!after.error.empty(), "a refusal stays one");
  // Each byte of content stands in a chunk of its own at worst; a last chunk may have no content yet.
  using http::ChunkedDecoder;
  auto const chunks = out.content.size() + 1;
  auto const in_proportion =
      ChunkedDecoder::framing_per_chunk * chunks + ChunkedDecoder::framing_per_byte * out.content.size();
  require(out.consumed <= out.content.size() + in_proportion + ChunkedDecoder::framing_beyond +
                              2 * ChunkedDecoder::line_limit + ChunkedDecoder::trailer_limit,
          "what it carries outweighs its framing");
  out.trailers = decoder.trailers();
  require(out.trailers.size() <= http::ChunkedDecoder::trailer_limit, "trailers within the limit");
  return out;
}

/// A message that its trailers are the fields of: they must be lines that a head may have.
void check_trailers(std::string const& trailers) {
  std::string const text = "GET / HTTP/1.1\r\nHost: a\r\n" + trailers + "\r\n";
  http::RequestHead head;
  http::HeadScan scan;
  auto const parsed =
      http::parse_request_head(text, scan, {.fields = http::ChunkedDecoder::trailer_limit}, head);
  auto const* const complete = std::get_if<http::Complete>(&parsed);
  require(complete != nullptr && complete->length == text.size(), "trailers are field lines");
  require(head.framing == http::Framing{}, "no trailer says where a message ends");
}

void check_sent_on(Decoded const& decoded) {
  std::string text;
  if (!decoded.content.empty()) {
    http::append_chunk_head(text, decoded.content.size());
    text.append(decoded.content).append("\r\n");
  }
  http::append_last_chunk(text, decoded.trailers);
  auto const again = decode(text, [&text] { return text.size(); });
  require(again.end && again.consumed == text.size(), "what is sent on is a chunked body");
  require(again.content == decoded.content && again.trailers == decoded.trailers, "and the same one");
}

}  // namespace

void check(std::string_view input) {
  auto const whole = decode(input, [&input] { return std::max<std::size_t>(1, input.size()); });
  require(decode(input, [] { return std::size_t{1}; }) == whole, "byte by byte it is another body");
  // Cuts as good as any, the same for the same input.
  std::uint64_t state = input.size() + 1;
  for (char const c : input) state = state * 31 + static_cast<unsigned char>(c);
  auto const somewhere = [&state] {
    state = state * 6364136223846793005U + 1442695040888963407U;
    return static_cast<std::size_t>(1 + (state >> 33U) % 24);
  };
  require(decode(input, somewhere) == whole, "cut elsewhere it is another body");
  if (!whole.end) return;
  check_trailers(whole.trailers);
  check_sent_on(whole);
}

}  // namespace candor::fuzz
