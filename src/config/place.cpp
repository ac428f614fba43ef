#include "place.hpp"

#include <algorithm>
#include <utility>

#include "expand.hpp"
#include "suggest.hpp"

namespace candor::config {

namespace {

bool says_null(std::string_view text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

std::string_view kind_word(Node const& node) {
  switch (node.kind) {
    case Node::Kind::null: return "null";
    case Node::Kind::scalar: return "one value";
    case Node::Kind::list: return "a list";
    case Node::Kind::map: return "a map";
  }
  return {};
}

bool reads_like_a_word(std::string_view key) {
  auto const fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !key.empty() && key.size() <= 64 && std::all_of(key.begin(), key.end(), fits);
}

}  // namespace

std::string join(std::string const& path, std::string_view key) {
  auto const last = reads_like_a_word(key) ? std::string(key) : in_quotes(key);
  return path.empty() ? last : path + "." + last;
}

bool Scalar::is_null() const { return style != Style::quoted && says_null(text); }

bool Place::is_null() const {
  if (node_->kind == Node::Kind::null) return true;
  if (node_->kind != Node::Kind::scalar) return false;
  auto const expanded = expand(node_->text, report_->environment());
  return expanded.problem.empty() && (expanded.had_variables || !node_->quoted) && says_null(expanded.text);
}

Place Place::member(Entry const& entry) const {
  return {*entry.value, entry.offset, join(path_, entry.key), *report_};
}

std::optional<Place> Place::find(std::string_view key) const {
  auto const fits = [key](Entry const& entry) { return entry.key == key; };
  auto const found = std::find_if(node_->entries.begin(), node_->entries.end(), fits);
  if (found == node_->entries.end()) return std::nullopt;
  return member(*found);
}

std::vector<std::pair<std::string, Place>> Place::members() const {
  std::vector<std::pair<std::string, Place>> out;
  for (auto const& entry : node_->entries) {
    if (!entry.first) out.emplace_back(entry.key, member(entry));
  }
  return out;
}

std::vector<Place> Place::items() const {
  std::vector<Place> out;
  out.reserve(node_->items.size());
  for (auto const* item : node_->items) {
    out.emplace_back(*item, item->offset, path_ + "[" + std::to_string(out.size()) + "]", *report_);
  }
  return out;
}

std::optional<Scalar> Place::scalar(std::string_view wanted) const {
  if (!expect(Node::Kind::scalar, wanted)) return std::nullopt;
  auto expanded = expand(node_->text, report_->environment());
  if (!expanded.problem.empty()) {
    problem(std::move(expanded.problem));
    return std::nullopt;
  }
  auto const style = expanded.had_variables ? Scalar::Style::expanded
                     : node_->quoted        ? Scalar::Style::quoted
                                            : Scalar::Style::plain;
  return Scalar{std::move(expanded.text), style};
}

bool Place::expect_map() const { return expect(Node::Kind::map, "a map"); }

bool Place::expect_list() const { return expect(Node::Kind::list, "a list"); }

bool Place::expect(Node::Kind kind, std::string_view wanted) const {
  if (node_->kind == kind) return true;
  auto const found = is_scalar() ? in_quotes(node_->text) : std::string(kind_word(*node_));
  problem("must be " + std::string(wanted) + ", not " + found);
  return false;
}

void Place::allow_only(std::vector<std::string_view> const& keys, Elsewhere const& elsewhere) const {
  for (auto const& entry : node_->entries) {
    if (entry.first || std::find(keys.begin(), keys.end(), entry.key) != keys.end()) continue;
    if (report_->full()) {
      report_->add_untold();
      continue;
    }
    auto hint = did_you_mean(entry.key, keys);
    if (hint.empty()) {
      auto const other = elsewhere(entry.key);
      hint = other ? " here (did you mean \"" + *other + "\"?)" : " (known here: " + all_of_words(keys) + ")";
    }
    report_->add(entry.offset, join(path_, entry.key), "unknown key" + hint);
  }
}

void Place::refuse_duplicates() const {
  for (auto const& entry : node_->entries) {
    if (!entry.first) continue;
    report_->add(entry.offset, join(path_, entry.key),
                 "duplicate key (first in line " + report_->line(*entry.first) + ")");
  }
}

void Place::note() const {
  report_->note(path_, is_scalar() ? node_->offset : key_offset_.value_or(node_->offset));
}

void Place::problem(std::string message) const { report_->add(node_->offset, path_, std::move(message)); }

void Place::problem_at_key(std::string message) const {
  report_->add(key_offset_, path_, std::move(message));
}

void Place::missing(std::string_view key) const { report_->add(key_offset_, join(path_, key), "is needed"); }

}  // namespace candor::config
