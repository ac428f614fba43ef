// Thread-safe. The last lines of a log, kept for who shows them. Private to app.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace candor::app {

class LogTail {
 public:
  explicit LogTail(std::size_t kept) : kept_(kept) {}

  void add(std::string_view line) {
    std::lock_guard const lock{lock_};
    lines_.emplace_back(line);
    ++added_;
    if (lines_.size() > kept_) lines_.pop_front();
  }

  /// The last `most`, oldest first.
  [[nodiscard]] std::vector<std::string> last(std::size_t most) const {
    std::lock_guard const lock{lock_};
    auto const skipped = lines_.size() > most ? lines_.size() - most : 0;
    return {lines_.begin() + static_cast<std::ptrdiff_t>(skipped), lines_.end()};
  }

  /// Those that came since the last call, as far as they are kept.
  [[nodiscard]] std::vector<std::string> fresh() {
    std::lock_guard const lock{lock_};
    auto const count = std::min<std::uint64_t>(added_ - given_, lines_.size());
    given_ = added_;
    return {lines_.end() - static_cast<std::ptrdiff_t>(count), lines_.end()};
  }

 private:
  mutable std::mutex lock_;
  std::deque<std::string> lines_;
  std::size_t kept_;
  std::uint64_t added_ = 0;
  std::uint64_t given_ = 0;
};

}  // namespace candor::app
