// The Date of answers (RFC 9110, 6.6.1), made once a second. One worker's.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "candor/core/time.hpp"

namespace candor::http {

class DateText {
 public:
  /// That time as a Date says it. Stands until the next call.
  [[nodiscard]] std::string_view at(WallTime when);

 private:
  std::chrono::sys_seconds second_ = std::chrono::sys_seconds::min();  // that text_ says
  std::string text_;
};

}  // namespace candor::http
