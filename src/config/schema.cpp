// The JSON Schema, from the shapes of the field table.
#include <algorithm>
#include <string>
#include <string_view>

#include "candor/config/load.hpp"
#include "scalar_text.hpp"
#include "whole.hpp"

namespace candor::config {

namespace {

// Wherever a value may stand, a string with a variable in it may stand too: nobody knows yet what it will be.
constexpr std::string_view variable = R"(\$\{)";

std::string pattern_of(std::string_view whole) {
  return "^(?:" + std::string(whole) + ")$|" + std::string(variable);
}

std::string range_text(Shape const& shape) {
  return "from " + shape.low.get<std::string>() + " to " + shape.high.get<std::string>();
}

Json schema_of(Shape const& shape);

/// Where the schema has the section with this path.
Json reference_to(std::string_view path) {
  std::string out = "#";
  while (!path.empty()) {
    auto const key = path.substr(0, path.find('.'));
    path.remove_prefix(std::min(key.size() + 1, path.size()));
    out += key == "NAME" ? "/additionalProperties" : "/properties/" + std::string(key);
  }
  return {{"$ref", std::move(out)}};
}

Json schema_of_section(Shape const& shape) {
  Json properties = Json::object();
  Json required = Json::array();
  for (auto const& member : shape.members) {
    Json property = member.same_as.empty() ? schema_of(member.shape) : reference_to(member.same_as);
    auto description = std::string(member.help);
    if (member.shape.low.is_string()) description += " (" + range_text(member.shape) + ")";
    property["description"] = description;
    bool const is_section = member.fallback.is_object() || !member.shape.members.empty();
    if (!is_section && !member.is_required) property["default"] = member.fallback;
    if (member.is_required) required.push_back(member.key);
    if (member.is_required && member.shape.kind == Shape::Kind::list) property["minItems"] = 1;
    if (member.is_required && member.shape.kind == Shape::Kind::named) property["minProperties"] = 1;
    properties[std::string(member.key)] = std::move(property);
  }
  Json out{{"type", "object"}, {"additionalProperties", false}, {"properties", std::move(properties)}};
  if (!required.empty()) out["required"] = std::move(required);
  return out;
}

Json any_of(std::vector<Shape> const& shapes) {
  Json out = Json::array();
  for (auto const& shape : shapes) out.push_back(schema_of(shape));
  return {{"anyOf", std::move(out)}};
}

Json schema_of_choice(Shape const& shape) {
  Json words = Json::array();
  for (auto const& word : shape.words) words.push_back(word.word);
  return {{"anyOf", {{{"enum", std::move(words)}}, {{"$ref", "#/$defs/variable"}}}}};
}

Json schema_of_plain(Shape const& shape) {
  switch (shape.kind) {
    case Shape::Kind::boolean: return {{"type", {"boolean", "string"}}, {"pattern", variable}};
    case Shape::Kind::whole:
      return {{"type", {"integer", "string"}},
              {"minimum", shape.low},
              {"maximum", shape.high},
              {"pattern", variable}};
    case Shape::Kind::number:
      return {{"type", {"number", "string"}},
              {"minimum", shape.low},
              {"maximum", shape.high},
              {"pattern", variable}};
    case Shape::Kind::duration: return {{"$ref", "#/$defs/duration"}};
    case Shape::Kind::size: return {{"$ref", "#/$defs/size"}};
    case Shape::Kind::text: return {{"type", "string"}, {"pattern", pattern_of(shape.pattern)}};
    case Shape::Kind::choice: return schema_of_choice(shape);
    case Shape::Kind::list: {
      auto const& item = shape.of.front();
      bool const is_unique = item.kind != Shape::Kind::section;
      return {{"type", "array"}, {"uniqueItems", is_unique}, {"items", schema_of(item)}};
    }
    case Shape::Kind::named:
      return {{"type", "object"},
              {"propertyNames", {{"pattern", "^(?:" + std::string(shape.pattern) + ")$"}}},
              {"additionalProperties", schema_of(shape.of.front())}};
    case Shape::Kind::section: return schema_of_section(shape);
    case Shape::Kind::either: return any_of(shape.of);
  }
  return {};
}

Json schema_of(Shape const& shape) {
  auto plain = schema_of_plain(shape);
  if (!shape.nullable) return plain;
  return {{"anyOf", {std::move(plain), {{"type", "null"}}}}};
}

}  // namespace

std::string json_schema() {
  Json out{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
           {"title", "Candor"},
           {"description", "A configuration of the Candor sidecar. Written by `candor schema`."}};
  out.update(schema_of(describe_config()));
  out["$defs"] = {
      {"duration",
       {{"description", "A number with a unit: ns, us, ms, s, m or h"},
        {"type", "string"},
        {"pattern", pattern_of(duration_pattern)}}},
      {"size",
       {{"description", "Bytes, or a number with a unit: B, KiB, MiB or GiB"},
        {"type", {"integer", "string"}},
        {"minimum", 0},
        {"pattern", pattern_of(size_pattern)}}},
      {"variable",
       {{"description", "${NAME} or ${NAME:-default}, taken from the environment"},
        {"type", "string"},
        {"pattern", variable}}},
  };
  return out.dump(2) + "\n";
}

}  // namespace candor::config
