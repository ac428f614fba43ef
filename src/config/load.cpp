#include "candor/config/load.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <system_error>
#include <utility>

#include "document.hpp"
#include "place.hpp"
#include "report.hpp"
#include "rules.hpp"
#include "source.hpp"
#include "whole.hpp"

namespace candor::config {

namespace {

Loaded refused(std::string const& file, Source const& source, Fault const& fault) {
  auto const [line, column] = fault.offset ? source.position(*fault.offset) : Position{};
  return std::vector{Problem{file, line, column, {}, fault.message}};
}

Loaded refused(std::string const& file, std::string message) {
  return std::vector{Problem{file, 0, 0, {}, std::move(message)}};
}

Loaded load_source(Source const& source, std::string const& file, Environment const& environment) {
  DocumentLimits const limits;
  if (source.text().size() <= limits.bytes) {
    if (auto const fault = source.fault()) return refused(file, source, *fault);
  }
  auto const parsed = Document::parse(source.text(), limits);
  if (auto const* fault = std::get_if<Fault>(&parsed)) return refused(file, source, *fault);
  auto const& root = std::get<Document>(parsed).root();
  if (root.kind == Node::Kind::null) return refused(file, "is empty");
  Report report(source, environment);
  Config config;
  read_config(Place(root, std::nullopt, {}, report), config);
  settle_defaults(config, report);
  if (!report.is_wrong({})) check_rules(config, report);
  if (report.empty()) return config;
  return report.problems(file);
}

std::string reason(int error) { return std::error_code(error, std::generic_category()).message(); }

/// The text of a file, one byte more than may be at most; or why it cannot be read.
std::variant<std::string, Fault> read_text(std::filesystem::path const& file) {
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored)) return Fault{{}, "is a directory, not a file"};
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> const stream(std::fopen(file.c_str(), "rb"), std::fclose);
  if (!stream) return Fault{{}, "cannot be opened: " + reason(errno)};
  std::string text(DocumentLimits{}.bytes + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), stream.get()));
  if (std::ferror(stream.get()) != 0) return Fault{{}, "cannot be read: " + reason(errno)};
  return text;
}

}  // namespace

Environment process_environment() {
  return [](std::string_view name) -> std::optional<std::string> {
    auto const* value = std::getenv(std::string(name).c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
  };
}

Loaded load_file(std::filesystem::path const& file, Environment const& environment) {
  auto const text = read_text(file);
  if (auto const* fault = std::get_if<Fault>(&text)) return refused(file.string(), fault->message);
  return load_text(std::get<std::string>(text), file.string(), environment);
}

Loaded load_text(std::string_view text, std::string const& file, Environment const& environment) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  try {
    return load_source(Source(text), file, environment);
  } catch (std::exception const& error) {
    return refused(file, std::string("cannot be loaded: ") + error.what());
  }
}

}  // namespace candor::config
