// The reference page, from the shapes of the field table: a heading a section, a row a key.
#include <string>
#include <string_view>
#include <vector>

#include "candor/config/load.hpp"
#include "scalar_text.hpp"
#include "whole.hpp"

namespace candor::config {

namespace {

constexpr std::string_view introduction = R"(# Configuration reference

<!-- Generated from the field table, src/config/fields.hpp: candor reference > docs/reference.md -->

Every key that a configuration file may hold, with what it may be and what holds when the file is silent. Files
are YAML or JSON; `candor schema` prints the same as a JSON Schema, for editors, and `candor validate` checks a
file. [`config/full.yaml`](../config/full.yaml) shows all keys in one file.

- A duration needs a unit: `250ms`, `1.5s`; units are `ns` `us` `ms` `s` `m` `h`.
- A size is in bytes, or has a unit: `65536`, `64KiB`; units are `B` `KiB` `MiB` `GiB`.
- `${NAME}` and `${NAME:-default}` in a value are taken from the environment, once the file is parsed; `$${` is
  `${` itself. A variable that is not set and has no default is a problem. Inside `{ }` and `[ ]` it needs quotes.
- Aliases and `<<` work as in YAML; a section that says a key itself keeps its own.
- A file with a problem is refused as a whole, with all of its problems: unknown keys, keys that stand there
  twice, values out of range, and settings that contradict each other.
)";

std::string cell(std::string_view text) {
  std::string out;
  for (char const c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

std::string code(std::string_view text) { return "`" + std::string(text) + "`"; }

std::string plain(Json const& value) {
  return value.is_string()         ? value.get<std::string>()
         : value.is_number_float() ? text_of(value.get<double>())
                                   : value.dump();
}

std::string words_of(Shape const& shape) {
  std::string out;
  for (auto const& [word, help] : shape.words) {
    if (!out.empty()) out += "<br>";
    out += code(word);
    if (!help.empty()) out += ": " + std::string(help);
  }
  return out;
}

std::string range_of(std::string_view what, Shape const& shape) {
  return std::string(what) + ", " + plain(shape.low) + " to " + plain(shape.high);
}

/// What a value may be, in words.
std::string type_of(Shape const& shape) {
  switch (shape.kind) {
    case Shape::Kind::boolean: return "`true` or `false`";
    case Shape::Kind::whole: return range_of("whole number", shape);
    case Shape::Kind::number: return range_of("number", shape);
    case Shape::Kind::duration: return range_of("duration", shape);
    case Shape::Kind::size: return range_of("size", shape);
    case Shape::Kind::text: return std::string(shape.what);
    case Shape::Kind::choice: return words_of(shape);
    case Shape::Kind::list: return "list of<br>" + type_of(shape.of.front());
    case Shape::Kind::named: return "map from names to sections";
    case Shape::Kind::section: return "section";
    case Shape::Kind::either: {
      std::string out;
      for (auto const& one : shape.of) out += (out.empty() ? "" : "<br>or ") + type_of(one);
      return out;
    }
  }
  return {};
}

std::string fallback_of(Member const& member) {
  if (member.is_required) return "required";
  if (!member.same_as.empty()) return "as there";
  auto const& value = member.fallback;
  if (value.is_null()) return "none";
  if (value.is_object()) return member.shape.nullable ? "on" : "";
  if (!value.is_array()) return code(plain(value));
  std::string out;
  for (auto const& item : value) out += (out.empty() ? "" : ", ") + plain(item);
  return code("[" + out + "]");
}

std::string anchor(std::string_view path) {
  std::string out;
  for (char const c : path) {
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_') out += c;
    if (c >= 'A' && c <= 'Z') out += static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

/// The sections that are nested in a member, with the path under which the page lists them.
void find_sections(Shape const& shape, std::string const& path,
                   std::vector<std::pair<std::string, Shape const*>>& out) {
  switch (shape.kind) {
    case Shape::Kind::section: out.emplace_back(path, &shape); return;
    case Shape::Kind::named: find_sections(shape.of.front(), path + ".NAME", out); return;
    case Shape::Kind::list: find_sections(shape.of.front(), path + "[]", out); return;
    case Shape::Kind::either:
      for (auto const& one : shape.of) find_sections(one, path, out);
      return;
    case Shape::Kind::boolean:
    case Shape::Kind::whole:
    case Shape::Kind::number:
    case Shape::Kind::duration:
    case Shape::Kind::size:
    case Shape::Kind::text:
    case Shape::Kind::choice: return;
  }
}

void write_section(Shape const& section, std::string const& path, std::string& out) {
  out += "\n## " + (path.empty() ? "Top level" : path) + "\n\n";
  out += "| key | value | default | meaning |\n| --- | --- | --- | --- |\n";
  std::vector<std::pair<std::string, Shape const*>> nested;
  for (auto const& member : section.members) {
    auto const before = nested.size();
    bool const is_told_elsewhere = !member.same_as.empty();
    if (!is_told_elsewhere) {
      find_sections(member.shape,
                    path.empty() ? std::string(member.key) : path + "." + std::string(member.key), nested);
    }
    auto const key = code(member.key);
    auto const where = is_told_elsewhere        ? std::string(member.same_as)
                       : nested.size() > before ? nested[before].first
                                                : std::string{};
    auto const linked = where.empty() ? key : "[" + key + "](#" + anchor(where) + ")";
    out += "| " + linked + " | " + cell(type_of(member.shape)) + " | " + fallback_of(member) + " | " +
           cell(member.help) + " |\n";
  }
  for (auto const& [where, shape] : nested) write_section(*shape, where, out);
}

}  // namespace

std::string reference() {
  std::string out(introduction);
  write_section(describe_config(), "", out);
  return out;
}

}  // namespace candor::config
