#include "candor/http/chunked.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>

#include "grammar.hpp"
#include "guard.hpp"
#include "hop_by_hop.hpp"

namespace candor::http {

namespace {

constexpr std::uint8_t most_digits = 16;

/// The value of a hex digit; 16 of anything else.
constexpr unsigned hex_value(char c) {
  if (grammar::is_digit(c)) return static_cast<unsigned>(c - '0');
  char const letter = grammar::lower(c);
  return letter >= 'a' && letter <= 'f' ? static_cast<unsigned>(letter - 'a') + 10 : 16;
}

/// RFC 9110, 6.5.1: what a receiver may act on before a trailer could change it. Ours too are not to be
/// faked.
bool may_trail(FieldId id) {
  return !is_hop_by_hop(id) && !is_framing_or_routing(id) && id != FieldId::trailer &&
         id != FieldId::expect && id != FieldId::candor_attempt && id != FieldId::candor_retry_reason &&
         id != FieldId::candor_retry && id != FieldId::candor_fallback;
}

}  // namespace

ChunkedDecoder::Step ChunkedDecoder::step(std::string_view input) {
  Step step;
  while (step.consumed < input.size() && state_ != State::done && state_ != State::refused) {
    if (state_ != State::data) {
      state_ = after(input[step.consumed]);
      ++step.consumed;
      continue;
    }
    if (!step.content.empty()) break;  // of the next chunk
    auto const there = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size() - step.consumed));
    step.content = input.substr(step.consumed, there);
    step.consumed += there;
    left_ -= there;
    if (left_ == 0) state_ = State::data_cr;
  }
  step.end = state_ == State::done;
  step.error = error_;
  return step;
}

ChunkedDecoder::State ChunkedDecoder::after(char c) {
  switch (state_) {
    case State::size: return after_size(c);
    case State::space:
    case State::extension: return after_extension(c);
    case State::size_lf: return c == '\n' ? after_size_line() : refuse("a bare CR in a chunk's head");
    case State::data_cr: return c == '\r' ? State::data_lf : refuse("a chunk longer than its size");
    case State::data_lf:
      if (c != '\n') return refuse("a chunk longer than its size");
      digits_ = 0;
      line_seen_ = 0;
      return State::size;
    case State::trailer: return after_trailer(c);
    case State::data:
    case State::done:
    case State::refused: break;
  }
  return state_;
}

ChunkedDecoder::State ChunkedDecoder::after_size(char c) {
  unsigned const digit = hex_value(c);
  if (digit == 16) return digits_ > 0 ? after_extension(c) : refuse("a chunk size that is not hexadecimal");
  if (digits_ == most_digits) return refuse("a chunk size out of range");
  left_ = left_ << 4 | digit;
  ++digits_;
  ++line_seen_;
  return State::size;
}

/// Behind the size's digits. Extensions are for this hop and nobody uses them, so they are only bounded and
/// skipped; but a semicolon must open them, and nothing may end them but CRLF.
ChunkedDecoder::State ChunkedDecoder::after_extension(char c) {
  if (++line_seen_ >= line_limit) return refuse("a chunk's head over the limit");
  if (c == '\r' && state_ != State::space) return State::size_lf;
  if (state_ == State::extension) {
    return grammar::is_control(c) ? refuse("a control byte in a chunk's head") : State::extension;
  }
  if (c == ';') return State::extension;
  return grammar::is_white(c) ? State::space : refuse("a chunk size that is not hexadecimal");
}

/// A line that may have held 256 bytes for one byte of data.
ChunkedDecoder::State ChunkedDecoder::after_size_line() {
  constexpr std::size_t line_ends = 3;  // its LF, and the CRLF behind the data
  auto const size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, framing_beyond));
  auto const in_proportion = framing_per_chunk + framing_per_byte * size;
  auto const framing = beyond_ + line_seen_ + line_ends;
  beyond_ = framing > in_proportion ? framing - in_proportion : 0;
  if (beyond_ > framing_beyond) return refuse("more chunk framing than its content is worth");
  return left_ == 0 ? State::trailer : State::data;
}

ChunkedDecoder::State ChunkedDecoder::after_trailer(char c) {
  if (++trailer_seen_ > trailer_limit) return refuse("trailers over the limit");
  line_ += c;
  if (c != '\n') return State::trailer;
  if (!line_.ends_with("\r\n")) return refuse("a line that ends in a bare LF");
  if (line_.size() == 2) return State::done;
  return keep_trailer();
}

ChunkedDecoder::State ChunkedDecoder::keep_trailer() {
  std::string_view const line = std::string_view(line_).substr(0, line_.size() - 2);
  if (auto const refused = guard::field_line(line)) return refuse(refused->detail);
  if (may_trail(field_id(line.substr(0, line.find(':'))))) trailers_ += line_;
  line_.clear();
  return State::trailer;
}

ChunkedDecoder::State ChunkedDecoder::refuse(std::string_view why) {
  error_ = why;
  return State::refused;
}

void append_chunk_head(std::string& out, std::size_t size) {
  assert(size > 0);  // an empty chunk would end the body
  std::array<char, 16> digits{};
  auto const end = std::to_chars(digits.data(), digits.data() + digits.size(), size, 16).ptr;
  out.append(digits.data(), end).append("\r\n");
}

void append_last_chunk(std::string& out, std::string_view trailers) {
  out.append("0\r\n").append(trailers).append("\r\n");
}

}  // namespace candor::http
