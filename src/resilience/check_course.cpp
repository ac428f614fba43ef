#include "candor/resilience/check_course.hpp"

#include <algorithm>

namespace candor {

std::string_view name(Standing standing) {
  switch (standing) {
    case Standing::well: return "well";
    case Standing::doubted: return "doubted";
    case Standing::ill: return "ill";
  }
  return {};
}

void CheckCourse::begun(Instant now, Rng& rng) {
  began_ = now;
  stretch_ = 1 + settings_->jitter * (2 * rng.unit() - 1);
  due_ = now + wait();
}

Duration CheckCourse::wait() const {
  bool const is_well = standing_ == Standing::well;
  auto const middle = is_well ? settings_->every : settings_->every_ill.value_or(settings_->every);
  return from_seconds(seconds(middle) * stretch_);
}

CheckReport CheckCourse::settled(bool good, Instant now) {
  in_a_row_ = good == last_good_ ? in_a_row_ + 1 : 1;
  last_good_ = good;
  auto const before = standing_;
  if (!good) {
    standing_ =
        before == Standing::ill || in_a_row_ >= settings_->unhealthy ? Standing::ill : Standing::doubted;
  } else if (before != Standing::well && in_a_row_ >= settings_->healthy) {
    standing_ = Standing::well;
  }
  // What it has shown says how long the wait is that runs since it began.
  due_ = std::max(now, began_ + wait());
  return {.good = good,
          .before = before,
          .standing = standing_,
          .in_a_row = in_a_row_,
          .needed = good ? settings_->healthy : settings_->unhealthy,
          .at = now,
          .next = due_,
          .timeout = settings_->timeout};
}

}  // namespace candor
