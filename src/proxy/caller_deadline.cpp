#include "candor/proxy/caller_deadline.hpp"

#include <algorithm>
#include <charconv>

#include "candor/proxy/exchange.hpp"

namespace candor {

namespace {

constexpr Duration longest = 24h * 365;

/// 1 to `most` digits, and nothing else.
std::optional<std::int64_t> digits(std::string_view text, std::size_t most) {
  bool const plain = std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (text.empty() || text.size() > most || !plain) return std::nullopt;
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// That many of them, however large.
Duration times(std::int64_t number, Duration unit) {
  return number > longest / unit ? longest : std::min(longest, number * unit);
}

std::optional<Duration> parse_seconds(std::string_view value) {
  constexpr std::size_t most_digits = 9;
  auto const point = value.find('.');
  auto const whole = digits(value.substr(0, point), most_digits);
  if (!whole) return std::nullopt;
  if (point == std::string_view::npos) return times(*whole, 1s);
  std::string fraction{value.substr(point + 1)};
  auto const nanoseconds = digits(fraction, most_digits);
  if (!nanoseconds) return std::nullopt;
  auto scaled = *nanoseconds;
  for (auto missing = most_digits - fraction.size(); missing > 0; --missing) scaled *= 10;
  return std::min(longest, times(*whole, 1s) + Duration{scaled});
}

std::optional<Duration> unit_of(char letter) {
  switch (letter) {
    case 'H': return 1h;
    case 'M': return 1min;
    case 'S': return 1s;
    case 'm': return 1ms;
    case 'u': return 1us;
    case 'n': return 1ns;
    default: return std::nullopt;  // whatever a caller may send
  }
}

std::optional<Duration> parse_grpc(std::string_view value) {
  if (value.empty()) return std::nullopt;
  auto const unit = unit_of(value.back());
  auto const number = digits(value.substr(0, value.size() - 1), 8);
  if (!unit || !number) return std::nullopt;
  return times(*number, *unit);
}

/// How many of these it takes to reach it.
std::int64_t count_up(Duration what, Duration unit) { return (what + unit - 1ns) / unit; }

std::string format_seconds(Duration left, bool whole) {
  if (whole) return std::to_string(count_up(left, 1s));
  auto const milliseconds = count_up(left, 1ms);
  auto fraction = std::to_string(milliseconds % 1000);
  fraction.insert(0, 3 - fraction.size(), '0');
  return std::to_string(milliseconds / 1000) + '.' + fraction;
}

/// In the finest unit that eight digits have room for.
std::string format_grpc(Duration left) {
  constexpr std::int64_t room = 100'000'000;
  if (auto const n = count_up(left, 1us); n < room) return std::to_string(n) + 'u';
  if (auto const n = count_up(left, 1ms); n < room) return std::to_string(n) + 'm';
  return std::to_string(count_up(left, 1s)) + 'S';
}

}  // namespace

std::optional<Duration> parse_timeout(DeadlineFormat format, std::string_view value) {
  constexpr std::size_t most_milliseconds = 12;
  switch (format) {
    case DeadlineFormat::milliseconds: {
      auto const number = digits(value, most_milliseconds);
      return number ? std::optional{times(*number, 1ms)} : std::nullopt;
    }
    case DeadlineFormat::seconds: return parse_seconds(value);
    case DeadlineFormat::grpc: return parse_grpc(value);
  }
  return std::nullopt;
}

std::string format_timeout(DeadlineFormat format, Duration left, std::string_view as_it_came) {
  left = std::max(left, Duration{});
  switch (format) {
    case DeadlineFormat::milliseconds: return std::to_string(count_up(left, 1ms));
    case DeadlineFormat::seconds: return format_seconds(left, as_it_came.find('.') == std::string_view::npos);
    case DeadlineFormat::grpc: return format_grpc(left);
  }
  return {};
}

std::optional<std::string> timeout_left(Exchange const& exchange) {
  auto const& header = exchange.route.settings.timeouts.deadline_header;
  if (!header || !exchange.caller_deadline) return std::nullopt;
  auto const* field = exchange.head.fields.find(header->name);
  auto const as_it_came = field != nullptr ? field->value : std::string_view{};
  return format_timeout(header->format, *exchange.caller_deadline - exchange.now(), as_it_came);
}

}  // namespace candor
