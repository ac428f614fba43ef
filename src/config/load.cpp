#include "candor/config/load.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <system_error>
#include <utility>

#include "document.hpp"
#include "endpoint_rules.hpp"
#include "place.hpp"
#include "report.hpp"
#include "rules.hpp"
#include "source.hpp"
#include "whole.hpp"

namespace candor::config {

namespace {

using Problems = std::vector<Problem>;

Problems refused(std::string const& file, Source const& source, Fault const& fault) {
  auto const [line, column] = fault.offset ? source.position(*fault.offset) : Position{};
  return {Problem{file, line, column, {}, fault.message}};
}

Problems refused(std::string const& file, std::string message) {
  return {Problem{file, 0, 0, {}, std::move(message)}};
}

void read_whole(Place const& root, Config& config, Report& report) {
  read_config(root, config);
  settle_defaults(config, report);
  if (!report.is_wrong({})) check_rules(config, report);
}

void read_whole(Place const& root, std::vector<EndpointSettings>& endpoints, Report& report) {
  read_endpoints(root, endpoints);
  if (!report.is_wrong({})) check_endpoint_list(endpoints, {}, report);
}

/// A file is a T, or all that is wrong with it.
template <class T>
std::variant<T, Problems> load_source(Source const& source, std::string const& file,
                                      Environment const& environment) {
  DocumentLimits const limits;
  if (source.text().size() <= limits.bytes) {
    if (auto const fault = source.fault()) return refused(file, source, *fault);
  }
  auto const parsed = Document::parse(source.text(), limits);
  if (auto const* fault = std::get_if<Fault>(&parsed)) return refused(file, source, *fault);
  auto const& root = std::get<Document>(parsed).root();
  if (root.kind == Node::Kind::null) return refused(file, "is empty");
  Report report(source, environment);
  T whole;
  read_whole(Place(root, std::nullopt, {}, report), whole, report);
  if (report.empty()) return whole;
  return report.problems(file);
}

std::string reason(int error) { return std::error_code(error, std::generic_category()).message(); }

/// What may be read: the configuration may come through a pipe; the endpoints' file is read while traffic
/// flows, by a thread that must not wait for a writer.
enum class Readable : std::uint8_t { anything, regular_files };

using Stream = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

std::variant<Stream, Fault> opened(std::filesystem::path const& file, Readable what) {
  int const no_wait = what == Readable::regular_files ? O_NONBLOCK : 0;
  int const number = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | no_wait);
  if (number < 0) return Fault{{}, "cannot be opened: " + reason(errno)};
  Stream stream(::fdopen(number, "rb"), std::fclose);
  if (!stream) {
    auto fault = Fault{{}, "cannot be opened: " + reason(errno)};
    ::close(number);
    return fault;
  }
  struct stat kind {};
  if (::fstat(number, &kind) != 0) return Fault{{}, "cannot be read: " + reason(errno)};
  if (S_ISDIR(kind.st_mode)) return Fault{{}, "is a directory, not a file"};
  if (what == Readable::regular_files && !S_ISREG(kind.st_mode)) {
    return Fault{{}, "is no regular file: a pipe or a device cannot be read again and again"};
  }
  return stream;
}

/// The text of a file, one byte more than may be at most; or why it cannot be read.
std::variant<std::string, Fault> read_text(std::filesystem::path const& file, Readable what) {
  auto opening = opened(file, what);
  if (auto* fault = std::get_if<Fault>(&opening)) return std::move(*fault);
  auto const& stream = std::get<Stream>(opening);
  std::string text(DocumentLimits{}.bytes + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), stream.get()));
  if (std::ferror(stream.get()) != 0) return Fault{{}, "cannot be read: " + reason(errno)};
  return text;
}

template <class T>
std::variant<T, Problems> load(std::string_view text, std::string const& file,
                               Environment const& environment) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  try {
    return load_source<T>(Source(text), file, environment);
  } catch (std::exception const& error) {
    return refused(file, std::string("cannot be loaded: ") + error.what());
  }
}

template <class T>
std::variant<T, Problems> load(std::filesystem::path const& file, Environment const& environment,
                               Readable what) {
  auto const text = read_text(file, what);
  if (auto const* fault = std::get_if<Fault>(&text)) return refused(file.string(), fault->message);
  return load<T>(std::get<std::string>(text), file.string(), environment);
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
  return load<Config>(file, environment, Readable::anything);
}

Loaded load_text(std::string_view text, std::string const& file, Environment const& environment) {
  return load<Config>(text, file, environment);
}

LoadedEndpoints load_endpoints_file(std::filesystem::path const& file, Environment const& environment) {
  return load<std::vector<EndpointSettings>>(file, environment, Readable::regular_files);
}

LoadedEndpoints load_endpoints_text(std::string_view text, std::string const& file,
                                    Environment const& environment) {
  return load<std::vector<EndpointSettings>>(text, file, environment);
}

}  // namespace candor::config
