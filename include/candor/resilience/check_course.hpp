// What one endpoint's checks have come to, and when the next one is due. A value over time and chance that it
// is handed.
#pragma once

#include <cstdint>
#include <string_view>

#include "candor/core/rng.hpp"
#include "candor/core/time.hpp"
#include "candor/resilience/settings.hpp"

namespace candor {

/// What checks say of an endpoint.
enum class Standing : std::uint8_t {
  well,
  doubted,  ///< a check was bad, and not enough good ones have come since
  ill,      ///< as many bad ones in a row as it takes
};

[[nodiscard]] std::string_view name(Standing standing);

/// A check's result, and what all of them have come to with it.
struct CheckReport {
  bool good = true;
  Standing before = Standing::well;
  Standing standing = Standing::well;
  unsigned in_a_row = 1;  ///< results like this one
  unsigned needed = 1;    ///< in a row, for a verdict
  Instant at{};
  Instant next{};      ///< when the next check is due
  Duration timeout{};  ///< that it may take at most

  /// Whether it is now found ill that was not, or well that was ill.
  [[nodiscard]] bool is_news() const {
    bool const was_ill = before == Standing::ill;
    return was_ill ? standing == Standing::well : standing == Standing::ill;
  }
};

/// An endpoint is taken for well until checks say otherwise: `unhealthy` bad ones in a row find it ill. From
/// the first bad one on it takes `healthy` good ones in a row to find it well again.
class CheckCourse {
 public:
  /// The first check is due at once. `settings` must outlive it.
  CheckCourse(CheckPaceSettings const& settings, Instant now) : settings_(&settings), due_(now) {}

  [[nodiscard]] Instant due() const { return due_; }
  [[nodiscard]] Standing standing() const { return standing_; }

  /// One begins. The next is due so long after it, whatever it shows.
  void begun(Instant now, Rng& rng);
  /// What it has shown. Without a call it has shown nothing.
  [[nodiscard]] CheckReport settled(bool good, Instant now);

 private:
  [[nodiscard]] Duration wait() const;

  CheckPaceSettings const* settings_;
  Instant due_;
  Standing standing_ = Standing::well;
  bool last_good_ = true;
  unsigned in_a_row_ = 0;
  double stretch_ = 1;  // what chance makes of the wait that runs
  Instant began_{};
};

}  // namespace candor
