// Where tests put files.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace candor::test {

/// A folder of its own, gone with the test.
class Folder {
 public:
  Folder() {
    std::string name = "/tmp/candor-XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  Folder(Folder const&) = delete;
  Folder& operator=(Folder const&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string path(std::string const& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace candor::test
