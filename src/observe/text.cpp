#include "candor/observe/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>

#include "candor/core/utf8.hpp"

namespace candor::observe {

namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";  // U+FFFD

void append_padded(std::string& out, std::uint64_t n, std::size_t width) {
  std::array<char, 20> digits{};
  auto const end = std::to_chars(digits.data(), digits.data() + digits.size(), n).ptr;
  auto const count = static_cast<std::size_t>(end - digits.data());
  if (count < width) out.append(width - count, '0');
  out.append(digits.data(), count);
}

}  // namespace

std::string printable(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    auto const length = utf8_length(bytes);
    if (length == 0 || begins_with_control(bytes)) {
      out += replacement;
    } else {
      out.append(bytes.substr(0, length));
    }
    bytes.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

std::size_t columns(std::string_view text) {
  auto const begins = [](char c) { return (static_cast<std::uint8_t>(c) & 0xc0U) != 0x80U; };
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins));
}

void append_number(std::string& out, std::uint64_t n) { append_padded(out, n, 1); }

void append_milliseconds(std::string& out, Duration d) {
  auto const microseconds = static_cast<std::uint64_t>(
      std::chrono::floor<std::chrono::microseconds>(std::max(d, Duration{})).count());
  append_number(out, microseconds / 1000);
  out += '.';
  append_padded(out, microseconds % 1000, 3);
}

void append_time(std::string& out, WallTime when) {
  auto const day = std::chrono::floor<std::chrono::days>(when);
  std::chrono::year_month_day const date{day};
  std::chrono::hh_mm_ss const time{std::chrono::floor<std::chrono::milliseconds>(when - day)};
  auto const put = [&out](auto value, std::size_t width) {
    append_padded(out, static_cast<std::uint64_t>(value), width);
  };
  put(int{date.year()}, 4);
  out += '-';
  put(unsigned{date.month()}, 2);
  out += '-';
  put(unsigned{date.day()}, 2);
  out += 'T';
  put(time.hours().count(), 2);
  out += ':';
  put(time.minutes().count(), 2);
  out += ':';
  put(time.seconds().count(), 2);
  out += '.';
  put(time.subseconds().count(), 3);
  out += 'Z';
}

std::string time_text(WallTime when) {
  std::string out;
  append_time(out, when);
  return out;
}

}  // namespace candor::observe
