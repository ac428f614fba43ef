#include "fault.hpp"

#include <array>
#include <string_view>

namespace candor::test {

namespace {

constexpr std::array<std::string_view, 8> operations{"read",      "write",  "socket", "connect",
                                                     "connected", "accept", "watch",  "wait"};
constexpr std::array<std::string_view, 13> tricks{"reset",
                                                  "broken pipe",
                                                  "end",
                                                  "blocked",
                                                  "interrupted",
                                                  "one byte",
                                                  "no descriptors",
                                                  "no local port",
                                                  "refused",
                                                  "caller left",
                                                  "no room",
                                                  "an hour",
                                                  "an hour of late events"};

}  // namespace

std::ostream& operator<<(std::ostream& out, Fault const& fault) {
  return out << operations[static_cast<std::size_t>(fault.operation)] << ": "
             << tricks[static_cast<std::size_t>(fault.trick)];
}

}  // namespace candor::test
