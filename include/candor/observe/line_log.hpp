// Thread-safe. Lines on their way to a file or a stream, written by a thread of its own, so that a slow disk
// or a full pipe never holds up a worker: when the queue is full the oldest line is dropped, and counted. So
// is a line that cannot be written, on a full disk for one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "candor/observe/settings.hpp"

namespace candor::observe {

/// Takes one line, without its end; called on the log's thread.
using LineSink = std::function<void(std::string_view line)>;

class LineLog {
 public:
  using Level = LogSettings::Level;

  enum class Form : std::uint8_t {
    bare,     ///< the line as it is
    stamped,  ///< time of day and level before it
  };

  /// `path`: a file to append to, stdout, or stderr. Throws std::runtime_error if it cannot be opened; a
  /// directory that is missing is not made.
  LineLog(std::string const& path, std::size_t queue, Form form);
  LineLog(LineSink sink, std::size_t queue, Form form);
  LineLog(LineLog const&) = delete;
  LineLog& operator=(LineLog const&) = delete;
  /// Writes what is still waiting.
  ~LineLog();

  /// Never blocks on the writing.
  void write(std::string_view line, Level level = Level::info);

  /// Lines that were never written.
  [[nodiscard]] std::uint64_t dropped() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace candor::observe
