// The words in which the field table is written. The table itself is fields.hpp; what becomes of its rows, in
// reading, writing and describing a file, is section.hpp.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "candor/core/bytes.hpp"
#include "candor/core/time.hpp"
#include "format.hpp"

namespace candor::config {

class Place;

// What a value may be, beyond what its type says. RuleFor<Member> is what a row of that member has to give: a
// number, a duration or a size without a range doesn't compile, nor a string without a format.

struct NoRule {};

/// From `low` to `high`, both included.
template <class T>
struct Range {
  T low;
  T high;
};

template <class T>
struct RuleFor {
  using type = NoRule;
};
template <class T>
  requires(std::is_arithmetic_v<T> && !std::same_as<T, bool>)
struct RuleFor<T> {
  using type = Range<T>;
};
template <>
struct RuleFor<Duration> {
  using type = Range<Duration>;
};
template <>
struct RuleFor<Bytes> {
  using type = Range<Bytes>;
};
template <>
struct RuleFor<std::string> {
  using type = Format;
};
template <class T>
struct RuleFor<std::optional<T>> : RuleFor<T> {};
template <class T>
struct RuleFor<std::vector<T>> : RuleFor<T> {};

template <class Member>
using Rule = typename RuleFor<Member>::type;

/// range(1ms, 1h): takes the type of the member it is given for.
template <class Low, class High>
struct Bounds {
  Low low;
  High high;

  template <class T>
  constexpr operator Range<T>() const {  // NOLINT: a range is what it is for
    return {static_cast<T>(low), static_cast<T>(high)};
  }
};
template <class Low, class High>
constexpr Bounds<Low, High> range(Low low, High high) {
  return {low, high};
}

// Rows. `members` is how many members of its struct a row sets: together the rows of a struct set all.

/// A key and the member it sets. An optional member may be null; a list of sections that have names is a map.
template <class Owner, class Member>
struct Field {
  static constexpr std::size_t members = 1;

  std::string_view key;
  Member Owner::*member;
  Rule<Member> rule;
  std::string_view help;
  bool is_required = false;
  std::string_view same_as{};  ///< the path of the section that it is like, see inherited()

  /// A file must say it: there is no default. A list or a map must not be empty.
  [[nodiscard]] constexpr Field required() const { return {key, member, rule, help, true}; }
  /// A section of an heir: where the file is silent, what it says at `from` holds.
  [[nodiscard]] constexpr Field inherited(std::string_view from) const {
    return {key, member, rule, help, is_required, from};
  }
};
template <class Owner, class Member>
constexpr Field<Owner, Member> field(std::string_view key, Member Owner::*member,
                                     std::type_identity_t<Rule<Member>> rule, std::string_view help) {
  return {key, member, rule, help};
}
template <class Owner, class Member>
  requires(std::same_as<Rule<Member>, NoRule>)
constexpr Field<Owner, Member> field(std::string_view key, Member Owner::*member, std::string_view help) {
  return {key, member, {}, help};
}

/// The rows of a part, at this level: the file is flatter here than the structs are.
template <class Owner, class Part>
struct Splice {
  static constexpr std::size_t members = 1;

  Part Owner::*part;
};
template <class Owner, class Part>
constexpr Splice<Owner, Part> splice(Part Owner::*part) {
  return {part};
}

/// A map in the file that is no struct of its own.
template <class Rows>
struct Group {
  static constexpr std::size_t members = Rows::members;

  std::string_view key;
  Rows rows;
  std::string_view help;
  std::string_view same_as{};  ///< as of a Field

  [[nodiscard]] constexpr Group inherited(std::string_view from) const { return {key, rows, help, from}; }
};
template <class Rows>
constexpr Group<Rows> group(std::string_view key, Rows rows, std::string_view help) {
  return {key, rows, help};
}

/// A list of sections each of which begins as what its owner says: where it is silent, that holds. It stands
/// below the rows that it takes from, so that they have been read, wherever the file has them.
template <class Owner, class Part>
struct Heirs {
  static constexpr std::size_t members = 1;

  std::string_view key;
  std::vector<Part> Owner::*member;
  Part (*begin_as)(Owner const&);
  std::string_view help;
};
template <class Owner, class Part>
constexpr Heirs<Owner, Part> heirs(std::string_view key, std::vector<Part> Owner::*member,
                                   std::type_identity_t<Part (*)(Owner const&)> begin_as,
                                   std::string_view help) {
  return {key, member, begin_as, help};
}

/// The same of one section, which need not be there.
template <class Owner, class Part>
struct Heir {
  static constexpr std::size_t members = 1;

  std::string_view key;
  std::optional<Part> Owner::*member;
  Part (*begin_as)(Owner const&);
  std::string_view help;
};
template <class Owner, class Part>
constexpr Heir<Owner, Part> heir(std::string_view key, std::optional<Part> Owner::*member,
                                 std::type_identity_t<Part (*)(Owner const&)> begin_as,
                                 std::string_view help) {
  return {key, member, begin_as, help};
}

/// A key that can say one thing only, so far.
struct Constant {
  static constexpr std::size_t members = 0;

  std::string_view key;
  std::string_view value;
  std::string_view help;
};
constexpr Constant constant(std::string_view key, std::string_view value, std::string_view help) {
  return {key, value, help};
}

/// Runs when the section has been read: for a key that says something about its neighbours.
template <class Owner>
struct Afterwards {
  static constexpr std::size_t members = 0;

  void (*apply)(Owner&, Place const&);
};
template <class Owner>
constexpr Afterwards<Owner> afterwards(void (*apply)(Owner&, Place const&)) {
  return {apply};
}

/// The rows of one section.
template <class... Rows>
struct Table {
  static constexpr std::size_t members = (std::size_t{0} + ... + Rows::members);

  std::tuple<Rows...> rows;
  constexpr Table(Rows... row) : rows{row...} {}  // NOLINT: a table is its rows
};

/// The table of a struct. A struct that has one is a section of the file.
template <class T>
inline constexpr auto fields = nullptr;
template <class T>
concept Section = !std::is_null_pointer_v<std::remove_const_t<decltype(fields<T>)>>;

/// The one member that a plain value, in the place of a section, sets. Empty: there is none.
template <class T>
inline constexpr std::string_view short_form{};

/// The member that a list of these sections is keyed by.
template <class T>
struct Named {
  std::string T::*name;
  Format format;
};
template <class T>
inline constexpr auto name_of = nullptr;
template <class T>
concept NamedSection = Section<T> && !std::is_null_pointer_v<std::remove_const_t<decltype(name_of<T>)>>;

/// The words of an enum.
template <class T>
struct Choice {
  T value;
  std::string_view word;
  std::string_view help;
};
template <class T>
constexpr Choice<T> choice(T value, std::string_view word, std::string_view help) {
  return {value, word, help};
}
template <class T>
inline constexpr auto choices = nullptr;
template <class T>
concept Chosen = !std::is_null_pointer_v<std::remove_const_t<decltype(choices<T>)>>;

}  // namespace candor::config
