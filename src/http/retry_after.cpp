#include "candor/http/retry_after.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>

#include "grammar.hpp"

namespace candor::http {

namespace {

constexpr std::array<std::string_view, 7> day_names{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                    "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> month_names{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/// Takes a date apart from the left. Once something does not fit, nothing does.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  void literal(std::string_view expected) {
    if (!rest_.starts_with(expected)) return fail();
    rest_.remove_prefix(expected.size());
  }

  int number(std::size_t digits) {
    int value = 0;
    auto const text = rest_.substr(0, digits);
    if (text.size() < digits || !std::all_of(text.begin(), text.end(), grammar::is_digit)) {
      fail();
      return 0;
    }
    std::from_chars(text.data(), text.data() + digits, value);
    rest_.remove_prefix(digits);
    return value;
  }

  /// A day of asctime-date is padded with a space.
  int padded_number() {
    if (!rest_.starts_with(' ')) return number(2);
    literal(" ");
    return number(1);
  }

  unsigned month() {
    for (unsigned i = 0; i < month_names.size(); ++i) {
      if (!rest_.starts_with(month_names[i])) continue;
      rest_.remove_prefix(month_names[i].size());
      return i + 1;
    }
    fail();
    return 0;
  }

  std::chrono::seconds time_of_day() {
    int const hour = number(2);
    literal(":");
    int const minute = number(2);
    literal(":");
    int const second = number(2);
    if (hour > 23 || minute > 59 || second > 60) fail();  // 60: a leap second
    return std::chrono::hours(hour) + std::chrono::minutes(minute) + std::chrono::seconds(second);
  }

  [[nodiscard]] bool complete() const { return good_ && rest_.empty(); }

 private:
  void fail() {
    good_ = false;
    rest_ = {};
  }

  std::string_view rest_;
  bool good_ = true;
};

std::optional<WallTime> compose(Reader const& reader, int year, unsigned month, int day,
                                std::chrono::seconds time) {
  using namespace std::chrono;
  year_month_day const date{std::chrono::year(year), std::chrono::month(month),
                            std::chrono::day(static_cast<unsigned>(day))};
  if (!reader.complete() || !date.ok()) return std::nullopt;
  // The ends of what nanoseconds in 64 bits can hold, or nearly. Dates beyond are meant as "never" or "past".
  sys_seconds const first{};
  sys_seconds const last = sys_days(std::chrono::year(2261) / 12 / 31);
  return std::clamp(sys_days(date) + time, first, last);
}

/// 06 Nov 1994 08:49:37 GMT, or with other separators and two digits for the year.
std::optional<WallTime> parse_day_first(Reader reader, std::string_view separator, std::size_t year_digits) {
  int const day = reader.number(2);
  reader.literal(separator);
  unsigned const month = reader.month();
  reader.literal(separator);
  int year = reader.number(year_digits);
  if (year_digits == 2) year += year < 70 ? 2000 : 1900;
  reader.literal(" ");
  auto const time = reader.time_of_day();
  reader.literal(" GMT");
  return compose(reader, year, month, day, time);
}

std::optional<WallTime> parse_fixdate(Reader reader) { return parse_day_first(reader, " ", 4); }

std::optional<WallTime> parse_rfc850(Reader reader) { return parse_day_first(reader, "-", 2); }

/// Nov  6 08:49:37 1994
std::optional<WallTime> parse_asctime(Reader reader) {
  unsigned const month = reader.month();
  reader.literal(" ");
  int const day = reader.padded_number();
  reader.literal(" ");
  auto const time = reader.time_of_day();
  reader.literal(" ");
  int const year = reader.number(4);
  return compose(reader, year, month, day, time);
}

}  // namespace

std::optional<WallTime> parse_http_date(std::string_view text) {
  for (std::string_view const day : day_names) {
    if (!text.starts_with(day.substr(0, 3))) continue;
    if (text.substr(3).starts_with(", ")) return parse_fixdate(Reader(text.substr(5)));
    if (text.substr(3).starts_with(" ")) return parse_asctime(Reader(text.substr(4)));
    if (!text.starts_with(day) || !text.substr(day.size()).starts_with(", ")) return std::nullopt;
    return parse_rfc850(Reader(text.substr(day.size() + 2)));
  }
  return std::nullopt;
}

std::string format_http_date(WallTime when) {
  using namespace std::chrono;
  auto const day = floor<std::chrono::days>(when);
  year_month_day const date(day);
  hh_mm_ss const time(floor<std::chrono::seconds>(when - day));
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%.3s, %02u %.3s %04d %02d:%02d:%02d GMT",
                day_names[weekday(day).c_encoding()].data(), unsigned(date.day()),
                month_names[unsigned(date.month()) - 1].data(), int(date.year()), int(time.hours().count()),
                int(time.minutes().count()), int(time.seconds().count()));
  return text.data();
}

std::optional<Duration> parse_retry_after(std::string_view value, std::string_view date, WallTime now) {
  constexpr Duration most = 24h;
  value = grammar::trim(value);
  if (!value.empty() && std::all_of(value.begin(), value.end(), grammar::is_digit)) {
    std::uint64_t delay = 0;
    auto const error = std::from_chars(value.data(), value.data() + value.size(), delay).ec;
    constexpr auto most_seconds = static_cast<std::uint64_t>(std::chrono::seconds(most / 1s).count());
    if (error != std::errc{} || delay >= most_seconds) return most;
    return std::chrono::seconds(delay);
  }
  auto const until = parse_http_date(value);
  if (!until) return std::nullopt;
  WallTime const from = parse_http_date(grammar::trim(date)).value_or(now);
  return std::clamp<Duration>(*until - from, Duration::zero(), most);
}

}  // namespace candor::http
