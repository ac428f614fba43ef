// Says when a file may have changed. One reactor's.
//
// Its directory is watched, not the file: editors, and Kubernetes with its ConfigMaps, put another file in
// its place. Where the kernel tells nothing (no room for a watch, a file system from elsewhere, a link to
// another directory) a look now and then has to do.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <utility>

#include "candor/net/reactor.hpp"

namespace candor {

class FileWatch final : private EventSink, private Wakeup {
 public:
  /// `changed` is called when nothing has happened there for a moment, and now and then in any case.
  FileWatch(Reactor& reactor, std::filesystem::path file, std::function<void()> changed);
  FileWatch(FileWatch const&) = delete;
  FileWatch& operator=(FileWatch const&) = delete;
  ~FileWatch() override { disarm(); }

 private:
  void on_events(std::uint32_t events) override;
  void wake() override;
  void begin();
  void look_later();

  Scheduler& scheduler_;
  std::filesystem::path const directory_;
  std::string const name_;  // in it
  std::function<void()> changed_;
  Descriptor notices_;
  int watched_ = -1;  // the directory's number; none: it isn't watched
  bool is_put_off_ = false;
  Timer<std::function<void()>> quiet_;
  Timer<std::function<void()>> now_and_then_;
};

}  // namespace candor
