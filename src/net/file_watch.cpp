#include "file_watch.hpp"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>

namespace candor {

namespace {

/// Whoever writes a file may do it in steps.
constexpr Duration until_quiet = 100ms;
constexpr Duration between_looks = 10s;

constexpr std::uint32_t what_changes = IN_MODIFY | IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM |
                                       IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

}  // namespace

FileWatch::FileWatch(Reactor& reactor, std::filesystem::path file, std::function<void()> changed)
    : scheduler_(reactor.scheduler()),
      directory_(file.has_parent_path() ? file.parent_path() : std::filesystem::path(".")),
      name_(file.filename()),
      changed_(std::move(changed)),
      notices_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)),
      quiet_([this] {
        is_put_off_ = false;
        changed_();
      }),
      now_and_then_([this] {
        look_later();
        // It may be half written. But where something always happens, it is read all the same.
        is_put_off_ = quiet_.armed() && !is_put_off_;
        if (!is_put_off_) changed_();
      }) {
  if (notices_ && !reactor.watch(notices_.get(), *this)) notices_.reset();
  look_later();
}

void FileWatch::begin() {
  if (notices_ && watched_ < 0)
    watched_ = inotify_add_watch(notices_.get(), directory_.c_str(), what_changes);
}

/// The directory may not be there yet, or be another one by now.
void FileWatch::look_later() {
  begin();
  scheduler_.after(now_and_then_, between_looks);
}

void FileWatch::on_events(std::uint32_t /*events*/) { scheduler_.soon(*this); }

void FileWatch::wake() {
  alignas(inotify_event) std::array<char, 4096> buffer{};
  bool has_come = false;
  for (;;) {
    auto const size = ::read(notices_.get(), buffer.data(), buffer.size());
    if (size <= 0) break;
    for (std::size_t at = 0; at < static_cast<std::size_t>(size);) {
      auto const* event = reinterpret_cast<inotify_event const*>(buffer.data() + at);
      // Its neighbours' being written says nothing of it.
      bool const is_of_another = event->mask == IN_MODIFY && event->len > 0 && name_ != event->name;
      has_come = has_come || !is_of_another;
      bool const is_gone = (event->mask & (IN_IGNORED | IN_MOVE_SELF)) != 0;
      if (is_gone && event->wd == watched_) {
        inotify_rm_watch(notices_.get(), watched_);
        watched_ = -1;
      }
      at += sizeof(inotify_event) + event->len;
    }
  }
  begin();
  if (has_come) scheduler_.after(quiet_, until_quiet);
}

}  // namespace candor
