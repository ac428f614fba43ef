// A terminal that is drawn on again and again. It uses the terminal's second page, so that what stood there
// before is back when it ends. One thread's. Private to app.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "candor/app/page.hpp"

namespace candor::app {

class Screen {
 public:
  /// Whether `out` is this process's terminal, and one that can be drawn on.
  [[nodiscard]] static bool is_one(std::ostream const& out);

  explicit Screen(std::ostream& out);
  Screen(Screen const&) = delete;
  Screen& operator=(Screen const&) = delete;
  ~Screen();

  /// In the place of what was drawn before. What does not fit is left out, at the right and at the bottom.
  void draw(std::vector<Line> const& lines);

 private:
  std::ostream& out_;
  bool tinted_;
  std::string frame_;  // kept for its storage
};

}  // namespace candor::app
