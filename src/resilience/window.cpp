#include "candor/resilience/window.hpp"

namespace candor {

namespace {

double ratio(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

WindowSums& WindowSums::operator+=(WindowSums const& other) {
  settled += other.settled;
  failed += other.failed;
  marked += other.marked;
  marked_settled += other.marked_settled;
  marked_failed += other.marked_failed;
  answered += other.answered;
  strained += other.strained;
  return *this;
}

double WindowSums::failure_ratio() const { return ratio(failed, settled); }
double WindowSums::strain_ratio() const { return ratio(strained, answered); }

void Window::success(Instant now, bool was_marked, bool first_attempt) {
  auto& b = buckets_.at(now);
  ++b.settled;
  ++b.answered;
  if (was_marked) ++b.marked_settled;
  if (!first_attempt) ++b.strained;
}

void Window::failure(Instant now, bool was_marked) {
  auto& b = buckets_.at(now);
  ++b.settled;
  ++b.failed;
  if (was_marked) {
    ++b.marked_settled;
    ++b.marked_failed;
  }
}

void Window::mark(Instant now) { ++buckets_.at(now).marked; }

}  // namespace candor
