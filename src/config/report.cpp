#include "report.hpp"

#include <algorithm>
#include <utility>

namespace candor::config {

std::string Problem::text() const {
  std::string out = file;
  if (line > 0) out += ":" + std::to_string(line) + ":" + std::to_string(column);
  if (!path.empty()) out += ": " + path;
  return out + ": " + message;
}

void Report::add(std::optional<std::size_t> offset, std::string path, std::string message) {
  wrong_.insert(path);
  if (full()) {
    ++untold_;
    return;
  }
  found_.push_back({offset, std::move(path), std::move(message)});
}

std::optional<std::size_t> Report::offset_of(std::string const& path) const {
  auto const found = offsets_.find(path);
  if (found == offsets_.end()) return std::nullopt;
  return found->second;
}

std::optional<std::size_t> Report::offset_near(std::string path) const {
  while (true) {
    if (auto const offset = offset_of(path)) return offset;
    auto const end = path.find_last_of(".[");
    if (end == std::string::npos) return std::nullopt;
    path.resize(end);
  }
}

bool Report::is_section_wrong(std::string const& path) const {
  auto const inner = wrong_.lower_bound(path + ".");
  return is_wrong(path) || (inner != wrong_.end() && inner->starts_with(path + "."));
}

bool Report::is_list_wrong(std::string const& path) const {
  auto const item = wrong_.lower_bound(path + "[");
  return is_wrong(path) || (item != wrong_.end() && item->starts_with(path + "["));
}

std::vector<Problem> Report::problems(std::string const& file) const {
  auto sorted = found_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](Found const& a, Found const& b) { return a.offset < b.offset; });
  std::vector<Problem> out;
  for (auto& [offset, path, message] : sorted) {
    auto const [line, column] = offset ? source_.position(*offset) : Position{};
    out.push_back({file, line, column, std::move(path), std::move(message)});
  }
  if (untold_ > 0) out.push_back({file, 0, 0, {}, "and " + std::to_string(untold_) + " more problems"});
  return out;
}

}  // namespace candor::config
