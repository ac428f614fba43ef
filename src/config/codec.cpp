#include "codec.hpp"

#include <algorithm>
#include <cmath>

#include "fields.hpp"
#include "scalar_text.hpp"
#include "suggest.hpp"

namespace candor::config {

namespace {

constexpr Range<std::uint64_t> statuses{100, 599};
constexpr std::string_view status_range_pattern = "[1-5][0-9][0-9](?:-[1-5][0-9][0-9])?";

std::string not_this(Scalar const& scalar) {
  return ", not " + std::string(scalar.style == Scalar::Style::quoted ? "the string " : "") +
         in_quotes(scalar.text);
}

void refuse(Place const& at, std::string_view wanted, Scalar const& scalar) {
  at.problem("must be " + std::string(wanted) + not_this(scalar));
}

/// As a number stands in a JSON file: without quotes, or from a variable.
std::optional<Scalar> unquoted(Place const& at, std::string_view wanted) {
  auto scalar = at.scalar(wanted);
  if (!scalar || scalar->style != Scalar::Style::quoted) return scalar;
  refuse(at, wanted, *scalar);
  return std::nullopt;
}

/// The parsed value, if it is one and within its range.
template <class T, class Parsed>
std::optional<T> within(Place const& at, Parsed const& parsed, Range<T> range, std::string_view wanted,
                        Scalar const& scalar) {
  if (auto const* problem = std::get_if<std::string>(&parsed)) {
    if (problem->empty()) {
      refuse(at, wanted, scalar);
    } else {
      at.problem(*problem);
    }
    return std::nullopt;
  }
  auto const value = std::get<T>(parsed);
  if (value >= range.low && value <= range.high) return value;
  constexpr std::size_t readable = 30;
  at.problem("must be from " + text_of(range.low) + " to " + text_of(range.high) + ", not " +
             (scalar.text.size() <= readable ? scalar.text : in_quotes(scalar.text)));
  return std::nullopt;
}

bool looks_typed(std::string_view text) {
  if (text == "true" || text == "false") return true;
  auto const number = parse_number(text);
  return std::holds_alternative<double>(number);
}

Json json_of(double value) {
  constexpr double exact = 1e15;  // whole numbers below it are written without a point
  if (std::abs(value) < exact && std::trunc(value) == value) return static_cast<std::int64_t>(value);
  return value;
}

std::vector<std::string_view> failure_words() {
  std::vector<std::string_view> out;
  out.reserve(choices<FailureKind>.size());
  for (auto const& choice : choices<FailureKind>) out.push_back(choice.word);
  return out;
}

Shape shape_of_status() { return Shape::within(Shape::Kind::whole, statuses.low, statuses.high); }

bool is_whole(std::string_view text) {
  auto const number = parse_whole(text);
  return std::holds_alternative<std::int64_t>(number);
}

}  // namespace

void Codec<bool>::read(Place const& at, bool& out, NoRule /*rule*/) {
  constexpr std::string_view wanted = "true or false";
  auto const scalar = unquoted(at, wanted);
  if (!scalar) return;
  if (scalar->text == "true" || scalar->text == "false") {
    out = scalar->text == "true";
  } else {
    refuse(at, wanted, *scalar);
  }
}

void Codec<double>::read(Place const& at, double& out, Range<double> range) {
  constexpr std::string_view wanted = "a number";
  auto const scalar = unquoted(at, wanted);
  if (!scalar) return;
  if (auto const value = within(at, parse_number(scalar->text), range, wanted, *scalar)) out = *value;
}

Json Codec<double>::write(double value) { return json_of(value); }

Shape Codec<double>::describe(double /*defaults*/, Range<double> range) {
  return Shape::within(Shape::Kind::number, json_of(range.low), json_of(range.high));
}

void Codec<Duration>::read(Place const& at, Duration& out, Range<Duration> range) {
  constexpr std::string_view wanted = "a duration, such as 250ms";
  auto const scalar = at.scalar(wanted);
  if (!scalar) return;
  if (auto const value = within(at, parse_duration(scalar->text), range, wanted, *scalar)) out = *value;
}

Json Codec<Duration>::write(Duration value) { return text_of(value); }

Shape Codec<Duration>::describe(Duration /*defaults*/, Range<Duration> range) {
  return Shape::within(Shape::Kind::duration, text_of(range.low), text_of(range.high));
}

void Codec<Bytes>::read(Place const& at, Bytes& out, Range<Bytes> range) {
  constexpr std::string_view wanted = "a size, such as 64KiB";
  auto const scalar = at.scalar(wanted);
  if (!scalar) return;
  if (auto const value = within(at, parse_size(scalar->text), range, wanted, *scalar)) out = *value;
}

Json Codec<Bytes>::write(Bytes value) { return text_of(value); }

Shape Codec<Bytes>::describe(Bytes /*defaults*/, Range<Bytes> range) {
  return Shape::within(Shape::Kind::size, text_of(range.low), text_of(range.high));
}

void Codec<std::string>::read(Place const& at, std::string& out, Format const& format) {
  auto scalar = at.scalar(format.what);
  if (!scalar) return;
  auto const fault = format.fault(scalar->text);
  if (!fault.empty()) {
    at.problem("must be " + std::string(format.what) + ", not " + in_quotes(scalar->text) + ": " +
               std::string(fault));
  } else if (scalar->style == Scalar::Style::plain && looks_typed(scalar->text)) {
    at.problem("must be " + std::string(format.what) + ": put " + scalar->text + " in quotes");
  } else {
    out = std::move(scalar->text);
  }
}

Shape Codec<std::string>::describe(std::string const& /*defaults*/, Format const& format) {
  return Shape::text(format.what, format.pattern);
}

std::optional<std::uint64_t> read_whole(Place const& at, Range<std::uint64_t> range) {
  constexpr std::string_view wanted = "a whole number";
  auto const scalar = unquoted(at, wanted);
  if (!scalar) return std::nullopt;
  Range<std::int64_t> const signed_range{static_cast<std::int64_t>(range.low),
                                         static_cast<std::int64_t>(range.high)};
  auto const value = within(at, parse_whole(scalar->text), signed_range, wanted, *scalar);
  if (!value) return std::nullopt;
  return static_cast<std::uint64_t>(*value);
}

std::optional<std::size_t> read_word(Place const& at, std::vector<std::string_view> const& words,
                                     std::string_view or_else) {
  auto const wanted = std::string(or_else) + any_of_words(words);
  auto const scalar = at.scalar(wanted);
  if (!scalar) return std::nullopt;
  auto const found = std::find(words.begin(), words.end(), scalar->text);
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  at.problem("must be " + wanted + ", not " + in_quotes(scalar->text) + did_you_mean(scalar->text, words));
  return std::nullopt;
}

void Codec<StatusRange>::read(Place const& at, StatusRange& out, NoRule /*rule*/) {
  constexpr std::string_view wanted = "a status, such as 500, or a range of them, such as \"502-599\"";
  auto const scalar = at.scalar(wanted);
  if (!scalar) return;
  auto const hyphen = scalar->text.find('-', 1);
  auto const first = parse_whole(std::string_view(scalar->text).substr(0, hyphen));
  auto const last =
      hyphen == std::string::npos ? first : parse_whole(std::string_view(scalar->text).substr(hyphen + 1));
  auto const* from = std::get_if<std::int64_t>(&first);
  auto const* to = std::get_if<std::int64_t>(&last);
  if (from == nullptr || to == nullptr) return refuse(at, wanted, *scalar);
  auto const low = static_cast<std::int64_t>(statuses.low);
  auto const high = static_cast<std::int64_t>(statuses.high);
  if (*from < low || *to > high) return at.problem("statuses are from 100 to 599, not " + scalar->text);
  if (*from > *to) return at.problem("the range " + scalar->text + " ends before it begins");
  out = {static_cast<std::uint16_t>(*from), static_cast<std::uint16_t>(*to)};
}

Json Codec<StatusRange>::write(StatusRange value) {
  if (value.first == value.last) return value.first;
  return std::to_string(value.first) + "-" + std::to_string(value.last);
}

Shape Codec<StatusRange>::describe(StatusRange /*defaults*/, NoRule /*rule*/) {
  return Shape::either(shape_of_status(), Shape::text("FIRST-LAST, such as 502-599", status_range_pattern));
}

void Codec<RetryConditions>::read(Place const& at, RetryConditions& out, NoRule /*rule*/) {
  if (!at.expect_list()) return;
  RetryConditions conditions{.kinds = {}, .statuses = {}};
  auto const put = [](auto& list, auto value, Place const& item) {
    if (std::find(list.begin(), list.end(), value) != list.end())
      return item.problem("stands in the list twice");
    list.push_back(value);
  };
  auto const words = failure_words();
  for (auto const& item : at.items()) {
    auto const scalar = item.scalar("a failure kind, or a status");
    if (!scalar) continue;
    if (scalar->style != Scalar::Style::quoted && is_whole(scalar->text)) {
      if (auto const status = read_whole(item, statuses))
        put(conditions.statuses, static_cast<std::uint16_t>(*status), item);
    } else if (auto const index = read_word(item, words, "a status, ")) {
      put(conditions.kinds, choices<FailureKind>[*index].value, item);
    }
  }
  out = std::move(conditions);
}

Json Codec<RetryConditions>::write(RetryConditions const& value) {
  auto out = Json::array();
  for (auto const kind : value.kinds) out.push_back(Codec<FailureKind>::write(kind));
  for (auto const status : value.statuses) out.push_back(status);
  return out;
}

Shape Codec<RetryConditions>::describe(RetryConditions const& /*defaults*/, NoRule /*rule*/) {
  return Shape::list(Shape::either(Codec<FailureKind>::describe({}), shape_of_status()));
}

}  // namespace candor::config
