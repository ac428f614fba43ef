// The types that a setting may have: how a file's value is read into it, how it is written back, and how it
// is described. A new type of setting is a new Codec here; a new setting is a row in fields.hpp. Sections,
// the types that have rows, are in section.hpp.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "candor/resilience/settings.hpp"
#include "place.hpp"
#include "shape.hpp"
#include "table.hpp"

namespace candor::config {

/// read() leaves `out` as it is when it tells a problem. describe() is given the defaults.
template <class T>
struct Codec;

// Scalars.

template <>
struct Codec<bool> {
  static void read(Place const& at, bool& out, NoRule = {});
  static Json write(bool value) { return value; }
  static Shape describe(bool /*defaults*/, NoRule) { return Shape(Shape::Kind::boolean); }
};

template <>
struct Codec<double> {
  static void read(Place const& at, double& out, Range<double> range);
  static Json write(double value);
  static Shape describe(double /*defaults*/, Range<double> range);
};

template <>
struct Codec<Duration> {
  static void read(Place const& at, Duration& out, Range<Duration> range);
  static Json write(Duration value);
  static Shape describe(Duration /*defaults*/, Range<Duration> range);
};

template <>
struct Codec<Bytes> {
  static void read(Place const& at, Bytes& out, Range<Bytes> range);
  static Json write(Bytes value);
  static Shape describe(Bytes /*defaults*/, Range<Bytes> range);
};

template <>
struct Codec<std::string> {
  static void read(Place const& at, std::string& out, Format const& format);
  static Json write(std::string const& value) { return value; }
  static Shape describe(std::string const& /*defaults*/, Format const& format);
};

/// 500, or "502-599".
template <>
struct Codec<StatusRange> {
  static void read(Place const& at, StatusRange& out, NoRule = {});
  static Json write(StatusRange value);
  static Shape describe(StatusRange /*defaults*/, NoRule = {});
};

/// One list, in which failure kinds and statuses stand side by side.
template <>
struct Codec<RetryConditions> {
  static void read(Place const& at, RetryConditions& out, NoRule = {});
  static Json write(RetryConditions const& value);
  static Shape describe(RetryConditions const& /*defaults*/, NoRule = {});
};

/// For every unsigned type.
std::optional<std::uint64_t> read_whole(Place const& at, Range<std::uint64_t> range);

template <std::unsigned_integral T>
struct Codec<T> {
  static void read(Place const& at, T& out, Range<T> range) {
    if (auto const value = read_whole(at, {range.low, range.high})) out = static_cast<T>(*value);
  }
  static Json write(T value) { return value; }
  static Shape describe(T /*defaults*/, Range<T> range) {
    return Shape::within(Shape::Kind::whole, range.low, range.high);
  }
};

/// Which of `words` stands there; tells a problem otherwise.
std::optional<std::size_t> read_word(Place const& at, std::vector<std::string_view> const& words,
                                     std::string_view or_else = {});

template <Chosen T>
struct Codec<T> {
  static void read(Place const& at, T& out, NoRule = {}) {
    std::vector<std::string_view> words;
    words.reserve(choices<T>.size());
    for (auto const& choice : choices<T>) words.push_back(choice.word);
    if (auto const index = read_word(at, words)) out = choices<T>[*index].value;
  }
  static Json write(T value) {
    for (auto const& choice : choices<T>) {
      if (choice.value == value) return choice.word;
    }
    return nullptr;
  }
  static Shape describe(T /*defaults*/, NoRule = {}) {
    std::vector<Word> words;
    words.reserve(choices<T>.size());
    for (auto const& choice : choices<T>) words.push_back({choice.word, choice.help});
    return Shape::choice(std::move(words));
  }
};

// What holds other values.

template <class T>
struct Codec<std::optional<T>> {
  static void read(Place const& at, std::optional<T>& out, Rule<T> const& rule) {
    if (at.is_null()) {
      out.reset();
      return;
    }
    T value = out.value_or(T{});
    Codec<T>::read(at, value, rule);
    out = std::move(value);
  }
  static Json write(std::optional<T> const& value) { return value ? Codec<T>::write(*value) : Json(); }
  static Shape describe(std::optional<T> const& defaults, Rule<T> const& rule) {
    auto shape = Codec<T>::describe(defaults.value_or(T{}), rule);
    shape.nullable = true;
    return shape;
  }
};

/// A file's list replaces the default one. Nothing stands in it twice, but for sections.
template <class T>
struct Codec<std::vector<T>> {
  static void read(Place const& at, std::vector<T>& out, Rule<T> const& rule) { read(at, out, rule, T{}); }
  /// `beginning`: what each of them is before its item is read.
  static void read(Place const& at, std::vector<T>& out, Rule<T> const& rule, T const& beginning) {
    if (!at.expect_list()) return;
    std::vector<T> values;
    std::set<std::string> seen;
    for (auto const& item : at.items()) {
      T value = beginning;
      Codec<T>::read(item, value, rule);
      item.note();
      bool const is_new = Section<T> || item.is_wrong() || seen.insert(Codec<T>::write(value).dump()).second;
      if (!is_new) item.problem("stands in the list twice");
      values.push_back(std::move(value));
    }
    out = std::move(values);
  }
  static Json write(std::vector<T> const& values) {
    auto out = Json::array();
    for (auto const& value : values) out.push_back(Codec<T>::write(value));
    return out;
  }
  static Shape describe(std::vector<T> const& /*defaults*/, Rule<T> const& rule) {
    return Shape::list(Codec<T>::describe(T{}, rule));
  }
};

/// A map from names to sections; its order is the file's.
template <NamedSection T>
struct Codec<std::vector<T>> {
  static constexpr Named<T> named = name_of<T>;

  static void read(Place const& at, std::vector<T>& out, NoRule = {}) {
    if (!at.expect_map()) return;
    at.refuse_duplicates();
    std::vector<T> values;
    for (auto const& [name, section] : at.members()) {
      auto const fault = named.format.fault(name);
      if (!fault.empty())
        section.problem_at_key("the key must be " + std::string(named.format.what) + ": " +
                               std::string(fault));
      T value{};
      value.*named.name = name;
      Codec<T>::read(section, value);
      section.note();
      values.push_back(std::move(value));
    }
    out = std::move(values);
  }
  static Json write(std::vector<T> const& values) {
    auto out = Json::object();
    for (auto const& value : values) out[value.*named.name] = Codec<T>::write(value);
    return out;
  }
  static Shape describe(std::vector<T> const& /*defaults*/, NoRule = {}) {
    return Shape::named(named.format.pattern, Codec<T>::describe(T{}));
  }
};

}  // namespace candor::config
