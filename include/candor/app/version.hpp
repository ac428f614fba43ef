// What this program is. CMakeLists.txt says the same; a test compares.
#pragma once

#include <string_view>

namespace candor::app {

inline constexpr std::string_view version = "0.1.0";

}  // namespace candor::app
