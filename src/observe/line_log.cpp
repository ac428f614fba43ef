#include "candor/observe/line_log.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <stdexcept>
#include <system_error>

namespace candor::observe {

namespace {

/// Hands formatted lines to a function.
class FunctionSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  explicit FunctionSink(LineSink function) : write_(std::move(function)) {}

 protected:
  void sink_it_(spdlog::details::log_msg const& message) override {
    spdlog::memory_buf_t text;
    formatter_->format(message, text);
    write_({text.data(), text.size()});
  }
  void flush_() override {}

 private:
  LineSink write_;
};

std::string reason(int error) { return std::generic_category().message(error); }

/// Writes each line as it comes and keeps none back, so that a line which could not be written is known as
/// one: behind a buffer nobody can tell which lines a full disk has cost.
class DescriptorSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  DescriptorSink(int descriptor, bool owned) : descriptor_(descriptor), owned_(owned) {}
  DescriptorSink(DescriptorSink const&) = delete;
  DescriptorSink& operator=(DescriptorSink const&) = delete;
  ~DescriptorSink() override {
    if (owned_) ::close(descriptor_);
  }

 protected:
  void sink_it_(spdlog::details::log_msg const& message) override {
    spdlog::memory_buf_t text;
    // What is left of a line that broke off must not begin this one.
    if (torn_) text.push_back('\n');
    formatter_->format(message, text);
    write_all({text.data(), text.size()});
  }
  void flush_() override {}

 private:
  void write_all(std::string_view text) {
    while (!text.empty()) {
      auto const written = ::write(descriptor_, text.data(), text.size());
      if (written > 0) {
        text.remove_prefix(static_cast<std::size_t>(written));
        torn_ = !text.empty();
      } else if (errno == EAGAIN) {
        // Somebody else's end of a pipe or terminal was made non-blocking: that is our end, too.
        pollfd room{descriptor_, POLLOUT, 0};
        ::poll(&room, 1, -1);
      } else if (errno != EINTR) {
        throw spdlog::spdlog_ex("write", errno);
      }
    }
  }

  int descriptor_;
  bool owned_;
  bool torn_ = false;  // a part of a line stands at the end
};

/// spdlog's own would make the directories that are missing: a typing error became a place for logs.
spdlog::sink_ptr open_file(std::string const& path) {
  constexpr mode_t for_all = 0666;  // less the umask
  int const descriptor = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, for_all);
  int const error = errno;
  if (descriptor >= 0) return std::make_shared<DescriptorSink>(descriptor, true);
  auto const directory = std::filesystem::path(path).parent_path();
  std::error_code ignored;
  if (error == ENOENT && !directory.empty() && !std::filesystem::exists(directory, ignored)) {
    throw std::runtime_error("log " + path + ": there is no directory " + directory.string());
  }
  throw std::runtime_error("log " + path + ": cannot be opened: " + reason(error));
}

spdlog::sink_ptr open_sink(std::string const& path) {
  if (path == "stdout") return std::make_shared<DescriptorSink>(STDOUT_FILENO, false);
  if (path == "stderr") return std::make_shared<DescriptorSink>(STDERR_FILENO, false);
  return open_file(path);
}

spdlog::level::level_enum spdlog_level(LineLog::Level level) {
  switch (level) {
    case LineLog::Level::debug: return spdlog::level::debug;
    case LineLog::Level::info: return spdlog::level::info;
    case LineLog::Level::warn: return spdlog::level::warn;
    case LineLog::Level::error: return spdlog::level::err;
  }
  return spdlog::level::info;
}

/// The level as the configuration spells it.
class LevelWord final : public spdlog::custom_flag_formatter {
 public:
  void format(spdlog::details::log_msg const& message, std::tm const&, spdlog::memory_buf_t& out) override {
    std::string_view const word = message.level == spdlog::level::warn
                                      ? "warn"
                                      : std::string_view{spdlog::level::to_string_view(message.level).data()};
    out.append(word.data(), word.data() + word.size());
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<LevelWord>();
  }
};

std::unique_ptr<spdlog::formatter> formatter(LineLog::Form form, std::string const& end) {
  using spdlog::pattern_time_type;
  switch (form) {
    case LineLog::Form::bare:
      return std::make_unique<spdlog::pattern_formatter>("%v", pattern_time_type::local, end);
    case LineLog::Form::stamped: {
      auto stamped = std::make_unique<spdlog::pattern_formatter>(pattern_time_type::utc, end);
      stamped->add_flag<LevelWord>('*').set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %* %v");
      return stamped;
    }
  }
  return {};
}

}  // namespace

// The logger belongs to nobody's registry, and its queue to it alone: one log's flood costs no other log a
// line.
struct LineLog::Impl {
  Impl(spdlog::sink_ptr sink, std::size_t queue, Form form, std::string const& end)
      : pool(std::make_shared<spdlog::details::thread_pool>(queue, 1)),
        logger(std::make_shared<spdlog::async_logger>("candor", std::move(sink), pool,
                                                      spdlog::async_overflow_policy::overrun_oldest)) {
    logger->set_formatter(formatter(form, end));
    logger->set_level(spdlog::level::trace);
    // In place of a line on stderr each time. What could not be handed to the sink is lost like the rest.
    logger->set_error_handler([this](std::string const&) { ++unwritten; });
  }

  std::atomic<std::uint64_t> unwritten = 0;
  // Destroyed before the logger: it writes out what is waiting.
  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<spdlog::async_logger> logger;
};

LineLog::LineLog(std::string const& path, std::size_t queue, Form form)
    : impl_(std::make_unique<Impl>(open_sink(path), queue, form, "\n")) {}

LineLog::LineLog(LineSink sink, std::size_t queue, Form form)
    : impl_(std::make_unique<Impl>(std::make_shared<FunctionSink>(std::move(sink)), queue, form, "")) {}

LineLog::~LineLog() { impl_->pool.reset(); }

void LineLog::write(std::string_view line, Level level) {
  impl_->logger->log(spdlog_level(level), spdlog::string_view_t{line.data(), line.size()});
}

std::uint64_t LineLog::dropped() const { return impl_->pool->overrun_counter() + impl_->unwritten; }

}  // namespace candor::observe
