#include "scalar_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <system_error>

#include "source.hpp"

namespace candor::config {

namespace {

struct Unit {
  std::string_view name;
  std::int64_t size;
};
// Largest first, so that writing takes the first that fits.
constexpr std::array<Unit, 6> duration_units{{{"h", 3'600'000'000'000},
                                              {"m", 60'000'000'000},
                                              {"s", 1'000'000'000},
                                              {"ms", 1'000'000},
                                              {"us", 1'000},
                                              {"ns", 1}}};
constexpr std::array<Unit, 4> size_units{{{"GiB", std::int64_t{1} << 30U},
                                          {"MiB", std::int64_t{1} << 20U},
                                          {"KiB", std::int64_t{1} << 10U},
                                          {"B", 1}}};

constexpr auto largest = std::numeric_limits<std::int64_t>::max();

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The digits at the beginning, taken off the text.
std::string_view take_digits(std::string_view& text) {
  auto const end = std::find_if_not(text.begin(), text.end(), is_digit);
  auto const digits = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(digits.size());
  return digits;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

std::int64_t add(std::int64_t a, std::int64_t b) { return a > largest - b ? largest : a + b; }
std::int64_t times(std::int64_t a, std::int64_t b) { return b != 0 && a > largest / b ? largest : a * b; }

std::int64_t whole(std::string_view digits) {
  std::int64_t out = 0;
  for (char const c : digits) out = add(times(out, 10), c - '0');
  return out;
}

template <std::size_t N>
Unit const* find_unit(std::array<Unit, N> const& units, std::string_view name) {
  auto const found =
      std::find_if(units.begin(), units.end(), [name](Unit const& unit) { return unit.name == name; });
  return found == units.end() ? nullptr : &*found;
}

template <std::size_t N>
std::string in_largest_unit(std::array<Unit, N> const& units, std::int64_t count, Unit const& of_zero) {
  auto const fits = [count](Unit const& unit) { return count % unit.size == 0; };
  auto const& unit = count == 0 ? of_zero : *std::find_if(units.begin(), units.end(), fits);
  return std::to_string(count / unit.size) + std::string(unit.name);
}

}  // namespace

Parsed<Duration> parse_duration(std::string_view text) {
  auto rest = text;
  bool const negative = take(rest, '-');
  auto const before = take_digits(rest);
  bool const has_point = take(rest, '.');
  auto const after = has_point ? take_digits(rest) : std::string_view{};
  if (before.empty() || (has_point && after.empty())) return std::string{};
  if (rest.empty()) return in_quotes(text) + " needs a unit: ns, us, ms, s, m or h";
  auto const* unit = find_unit(duration_units, rest);
  if (unit == nullptr) return in_quotes(rest) + " is no unit of time: ns, us, ms, s, m or h";
  auto count = times(whole(before), unit->size);
  auto step = unit->size;
  for (char const digit : after) {
    if (step % 10 != 0 && digit != '0') return in_quotes(text) + " is finer than a nanosecond";
    step /= 10;
    count = add(count, (digit - '0') * step);
  }
  return Duration(negative ? -count : count);
}

Parsed<Bytes> parse_size(std::string_view text) {
  auto rest = text;
  auto const digits = take_digits(rest);
  if (digits.empty()) return std::string{};
  if (rest.empty()) return Bytes{static_cast<std::uint64_t>(whole(digits))};
  auto const* unit = find_unit(size_units, rest);
  if (unit == nullptr) return in_quotes(rest) + " is no unit of size: B, KiB, MiB or GiB";
  return Bytes{static_cast<std::uint64_t>(times(whole(digits), unit->size))};
}

Parsed<std::int64_t> parse_whole(std::string_view text) {
  auto rest = text;
  bool const negative = take(rest, '-');
  auto const digits = take_digits(rest);
  if (digits.empty() || !rest.empty()) return std::string{};
  return negative ? -whole(digits) : whole(digits);
}

Parsed<double> parse_number(std::string_view text) {
  auto rest = text;
  take(rest, '-');
  bool const is_begun = !rest.empty() && (is_digit(rest.front()) || rest.front() == '.');
  if (!is_begun) return std::string{};
  double value = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || error == std::errc::invalid_argument) return std::string{};
  if (error != std::errc::result_out_of_range) return value;
  // Too near to zero, or too far from it.
  bool const tiny = text.find("e-") != std::string_view::npos || text.find("E-") != std::string_view::npos;
  return tiny                    ? 0.0
         : text.starts_with('-') ? std::numeric_limits<double>::lowest()
                                 : std::numeric_limits<double>::max();
}

std::string text_of(Duration duration) {
  return in_largest_unit(duration_units, duration.count(), *find_unit(duration_units, "s"));
}

std::string text_of(Bytes size) {
  return in_largest_unit(size_units, static_cast<std::int64_t>(size.count), *find_unit(size_units, "B"));
}

std::string text_of(std::int64_t number) { return std::to_string(number); }

std::string text_of(double number) {
  constexpr double exact = 1e15;  // whole numbers below it are written without a point
  if (std::abs(number) < exact && std::trunc(number) == number)
    return text_of(static_cast<std::int64_t>(number));
  std::array<char, 32> out{};
  auto const [end, error] = std::to_chars(out.data(), out.data() + out.size(), number);
  return {out.data(), end};
}

}  // namespace candor::config
