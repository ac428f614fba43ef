// What a fuzzer is made of: one function that takes any bytes, and a way to say what must hold for them.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <source_location>
#include <string_view>

namespace candor::fuzz {

/// Each fuzzer defines it. It returns when everything that should hold for `input` does.
void check(std::string_view input);

/// Unless it holds, ends the program, so that whoever drives it keeps the input.
inline void require(bool holds, std::string_view what,
                    std::source_location where = std::source_location::current()) {
  if (holds) return;
  std::fprintf(stderr, "%s:%u: does not hold: %.*s\n", where.file_name(), static_cast<unsigned>(where.line()),
               static_cast<int>(what.size()), what.data());
  std::abort();
}

}  // namespace candor::fuzz
