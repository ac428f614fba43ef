#include "screen.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <string_view>

namespace candor::app {

namespace {

struct Size {
  std::size_t rows = 24;
  std::size_t columns = 80;
};

/// Asked anew for each frame: windows are resized.
Size size_now() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) return {};
  return {.rows = size.ws_row, .columns = size.ws_col};
}

std::string_view variable(char const* name) {
  auto const* value = std::getenv(name);
  return value ? value : std::string_view{};
}

}  // namespace

bool Screen::is_one(std::ostream const& out) {
  auto const terminal = variable("TERM");
  return &out == &std::cout && ::isatty(STDOUT_FILENO) == 1 && !terminal.empty() && terminal != "dumb";
}

// NO_COLOR: https://no-color.org
Screen::Screen(std::ostream& out) : out_(out), tinted_(variable("NO_COLOR").empty()) {
  out_ << "\x1b[?1049h\x1b[?25l" << std::flush;
}

Screen::~Screen() { out_ << "\x1b[?25h\x1b[?1049l" << std::flush; }

void Screen::draw(std::vector<Line> const& lines) {
  auto const size = size_now();
  auto const rows = std::min(lines.size(), size.rows);
  frame_ = "\x1b[H";
  for (std::size_t i = 0; i < rows; ++i) {
    if (i > 0) frame_ += "\r\n";
    frame_.append(render(lines[i], size.columns, tinted_)).append("\x1b[K");
  }
  frame_ += "\x1b[J";
  out_ << frame_ << std::flush;
}

}  // namespace candor::app
