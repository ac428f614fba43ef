#include "candor/http/date_text.hpp"

#include "candor/http/retry_after.hpp"

namespace candor::http {

std::string_view DateText::at(WallTime when) {
  auto const second = std::chrono::floor<std::chrono::seconds>(when);
  if (second != second_) {
    text_ = format_http_date(when);
    second_ = second;
  }
  return text_;
}

}  // namespace candor::http
