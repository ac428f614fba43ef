// The chunked coding (RFC 9112, 7.1), both ways. Own code: Beast's accepts unbounded extensions and merges
// trailers into the head.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace candor::http {

/// Takes the coding off. Strict: hex sizes of at most 16 digits, CRLF only, extensions bounded and dropped,
/// trailers bounded, with framing, routing and hop-by-hop fields dropped. What the coding itself costs is
/// bounded by what it carries, so that nobody sends much to say little. Works byte by byte, so that no way of
/// cutting the input into pieces changes what comes out.
class ChunkedDecoder {
 public:
  /// One step over `input`: `consumed` bytes were read; `content` is a view into `input`, possibly empty.
  struct Step {
    std::size_t consumed = 0;
    std::string_view content{};
    bool end = false;          ///< the message is complete; what follows belongs to the next one
    std::string_view error{};  ///< not empty: refused, with a phrase of why; every later step says so too
  };

  /// Never consumes more than one chunk's data a step. Call again while input is left and end is false.
  Step step(std::string_view input);

  /// The trailer lines kept, each with CRLF; complete after `end`.
  [[nodiscard]] std::string const& trailers() const { return trailers_; }

  static constexpr std::size_t line_limit = 256;       ///< a chunk-size line with its extensions, in bytes
  static constexpr std::size_t trailer_limit = 16384;  ///< the whole trailer section, in bytes

  // A chunk's framing is its size line and the CRLF behind its data. So much of it is in proportion: chunks
  // of one byte with a plain head are slow, and nothing worse. What goes beyond adds up, and what later
  // chunks leave unused takes from it again.
  static constexpr std::size_t framing_per_chunk = 16;  ///< in bytes
  static constexpr std::size_t framing_per_byte = 2;    ///< and for each byte of the chunk's data
  static constexpr std::size_t framing_beyond = 16384;  ///< the sum at most, in bytes

 private:
  enum class State : std::uint8_t {
    size,       // the digits of a chunk's size
    space,      // white space between them and an extension
    extension,  // up to CR
    size_lf,    // the LF of a size line
    data,
    data_cr,
    data_lf,
    trailer,  // a line of the trailer section
    done,
    refused,
  };

  State state_ = State::size;
  std::uint8_t digits_ = 0;       // of the size so far
  std::uint64_t left_ = 0;        // of the current chunk's data; while its size is read, that
  std::size_t line_seen_ = 0;     // bytes of the current size line
  std::size_t beyond_ = 0;        // bytes of framing out of proportion, so far
  std::size_t trailer_seen_ = 0;  // bytes of the trailer section
  std::string_view error_;
  std::string line_;  // a trailer line that is still coming
  std::string trailers_;

  State after(char c);
  State after_size(char c);
  State after_extension(char c);
  State after_size_line();
  State after_trailer(char c);
  State keep_trailer();
  State refuse(std::string_view why);
};

/// Appends the head of a chunk of `size` bytes, at least one: hex and CRLF. The data and a CRLF follow it.
void append_chunk_head(std::string& out, std::size_t size);

/// Appends the last chunk, with `trailers` (lines with CRLF).
void append_last_chunk(std::string& out, std::string_view trailers = {});

}  // namespace candor::http
