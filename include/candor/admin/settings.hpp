// What the admin port can be told. Plain structs; the defaults stand here and nowhere else.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace candor {

struct AdminSettings {
  std::optional<std::string> listen = "127.0.0.1:15000";  ///< absent: no admin port
  /// Host values to answer beside loopback names, IP addresses and the host of `listen`.
  std::vector<std::string> hosts{};
  bool changes = false;  ///< whether it takes orders, such as to hold a circuit; else it only tells
};

}  // namespace candor
