// The commands that ask a running sidecar's admin port, or order it. Each throws std::runtime_error with one
// line of text if there is no good answer. Private to app.
#pragma once

#include <optional>
#include <string>

namespace candor::app {

/// Which sidecar to ask.
struct AdminOptions {
  std::optional<std::string> address{};  ///< HOST:PORT
  std::optional<std::string> file{};     ///< the configuration that says where it is
};

/// What the options say; the default address where they are silent.
[[nodiscard]] std::string admin_address(AdminOptions const& options);

/// Why this upstream's circuit is as it is.
[[nodiscard]] std::string ask_explain(AdminOptions const& options, std::string const& upstream);

/// Which circuit is held.
struct HeldCircuit {
  std::string upstream;
  std::optional<std::string> endpoint{};  ///< absent: the upstream's own
  std::optional<std::string> route{};     ///< absent: the one that routes share
};
/// Holds it "open" or "closed"; "none" gives it back. What has been done.
[[nodiscard]] std::string order_hold(AdminOptions const& options, HeldCircuit const& circuit,
                                     std::string const& how);

/// Whether the sidecar serves; its own word for it.
[[nodiscard]] std::string ask_health(AdminOptions const& options);

}  // namespace candor::app
