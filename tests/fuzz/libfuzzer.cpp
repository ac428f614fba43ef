// Drives a fuzzer by libFuzzer, which comes with clang.
#include <cstddef>
#include <cstdint>

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  candor::fuzz::check({reinterpret_cast<char const*>(data), size});
  return 0;
}
