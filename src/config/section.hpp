// What becomes of the rows of the field table: a section of a file is read, written and described row by row.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "codec.hpp"
#include "place.hpp"
#include "shape.hpp"
#include "table.hpp"

namespace candor::config {

template <class... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};
template <class... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>;

/// Visits every row with the object that it belongs to, spliced ones in their place.
template <class Owner, class Visit, class... Rows>
void for_each_row(Table<Rows...> const& table, Owner& owner, Visit const& visit) {
  auto const one = Overloaded{
      [&]<class Base, class Part>(Splice<Base, Part> const& row) {
        for_each_row(fields<Part>, owner.*row.part, visit);
      },
      [&](auto const& row) { visit(row, owner); },
  };
  std::apply([&](auto const&... row) { (one(row), ...); }, table.rows);
}

template <class Owner, class Rows>
Json write_section(Owner const& owner, Rows const& table) {
  auto out = Json::object();
  for_each_row(table, owner,
               Overloaded{
                   [&]<class Base, class Value>(Field<Base, Value> const& row, Base const& base) {
                     out[row.key] = Codec<Value>::write(base.*row.member);
                   },
                   [&]<class Inner>(Group<Inner> const& row, auto const& base) {
                     out[row.key] = write_section(base, row.rows);
                   },
                   [&]<class Base, class Part>(Heirs<Base, Part> const& row, Base const& base) {
                     out[row.key] = Codec<std::vector<Part>>::write(base.*row.member);
                   },
                   [&]<class Base, class Part>(Heir<Base, Part> const& row, Base const& base) {
                     out[row.key] = Codec<std::optional<Part>>::write(base.*row.member);
                   },
                   [&](Constant const& row, auto const&) { out[row.key] = row.value; },
                   []<class Base>(Afterwards<Base> const&, Base const&) {},
               });
  return out;
}

template <class Owner, class Rows>
Shape describe_section(Owner const& defaults, Rows const& table) {
  Shape out(Shape::Kind::section);
  for_each_row(
      table, defaults,
      Overloaded{
          [&]<class Base, class Value>(Field<Base, Value> const& row, Base const& base) {
            auto const& value = base.*row.member;
            out.members.push_back({row.key, row.help, Codec<Value>::describe(value, row.rule),
                                   Codec<Value>::write(value), row.is_required, row.same_as});
          },
          [&]<class Inner>(Group<Inner> const& row, auto const& base) {
            out.members.push_back({row.key, row.help, describe_section(base, row.rows),
                                   write_section(base, row.rows), false, row.same_as});
          },
          [&]<class Base, class Part>(Heirs<Base, Part> const& row, Base const& base) {
            out.members.push_back({row.key, row.help, Shape::list(Codec<Part>::describe(row.begin_as(base))),
                                   Codec<std::vector<Part>>::write(base.*row.member)});
          },
          [&]<class Base, class Part>(Heir<Base, Part> const& row, Base const& base) {
            auto const& value = base.*row.member;
            out.members.push_back({row.key, row.help, Codec<std::optional<Part>>::describe(value, {}),
                                   Codec<std::optional<Part>>::write(value)});
          },
          [&](Constant const& row, auto const&) {
            out.members.push_back({row.key, row.help, Shape::choice({{row.value, {}}}), row.value});
          },
          []<class Base>(Afterwards<Base> const&, Base const&) {},
      });
  return out;
}

/// The path under which a key would be right, somewhere below this section: the nearest.
std::optional<std::string> find_below(Shape const& section, std::string_view key);

template <class T>
bool is_empty(T const& value) {
  if constexpr (requires { value.empty(); }) return value.empty();
  return false;
}

/// Tells a problem when the section does not have the key, or has nothing there.
void require(Place const& section, std::string_view key, bool is_empty);

template <class Owner, class Rows>
void read_section(Place const& at, Owner& owner, Rows const& table) {
  if (!at.expect_map()) return;
  std::vector<std::string_view> keys;
  auto const read = [&](std::string_view key, auto const& reader) {
    keys.push_back(key);
    auto const value = at.find(key);
    if (!value) return;
    value->note();
    reader(*value);
  };
  for_each_row(table, owner,
               Overloaded{
                   [&]<class Base, class Value>(Field<Base, Value> const& row, Base& base) {
                     auto& member = base.*row.member;
                     read(row.key, [&](Place const& value) { Codec<Value>::read(value, member, row.rule); });
                     if (row.is_required) require(at, row.key, is_empty(member));
                   },
                   [&]<class Inner>(Group<Inner> const& row, auto& base) {
                     read(row.key, [&](Place const& value) { read_section(value, base, row.rows); });
                   },
                   [&]<class Base, class Part>(Heirs<Base, Part> const& row, Base& base) {
                     read(row.key, [&](Place const& value) {
                       Codec<std::vector<Part>>::read(value, base.*row.member, {}, row.begin_as(base));
                     });
                   },
                   [&]<class Base, class Part>(Heir<Base, Part> const& row, Base& base) {
                     read(row.key, [&](Place const& value) {
                       std::optional<Part> part = row.begin_as(base);
                       Codec<std::optional<Part>>::read(value, part, {});
                       base.*row.member = std::move(part);
                     });
                   },
                   [&](Constant const& row, auto&) {
                     read(row.key, [&](Place const& value) { (void)read_word(value, {row.value}); });
                   },
                   [&]<class Base>(Afterwards<Base> const& row, Base& base) { row.apply(base, at); },
               });
  at.refuse_duplicates();
  at.allow_only(keys, [&](std::string_view key) { return find_below(describe_section(owner, table), key); });
}

struct Anything {
  template <class T>
  operator T() const;  // NOLINT: stands for any member, never called
};

/// How many members an aggregate has: as many as it can be initialised with.
template <class T, class... Given>
constexpr std::size_t member_count() {
  if constexpr (requires { T{Given{}..., Anything{}}; }) {
    return member_count<T, Given..., Anything>();
  } else {
    return sizeof...(Given);
  }
}

template <Section T>
struct Codec<T> {
  static_assert(decltype(fields<T>)::members + (NamedSection<T> ? 1 : 0) == member_count<T>(),
                "every member of a settings struct has its row in fields.hpp");

  static void read(Place const& at, T& out, NoRule = {}) {
    if constexpr (!short_form<T>.empty()) {
      if (!at.is_map()) {
        read_short_form(at, out);
        return;
      }
    }
    read_section(at, out, fields<T>);
  }
  static Json write(T const& value) { return write_section(value, fields<T>); }
  static Shape describe(T const& defaults, NoRule = {}) {
    auto shape = describe_section(defaults, fields<T>);
    if constexpr (!short_form<T>.empty()) {
      for (auto const& member : shape.members) {
        if (member.key == short_form<T>) return Shape::either(member.shape, shape);
      }
    }
    return shape;
  }

 private:
  static void read_short_form(Place const& at, T& out) {
    for_each_row(fields<T>, out,
                 Overloaded{
                     [&]<class Value>(Field<T, Value> const& row, T& base) {
                       if (row.key == short_form<T>) Codec<Value>::read(at, base.*row.member, row.rule);
                     },
                     [](auto const&, auto&) {},
                 });
  }
};

}  // namespace candor::config
