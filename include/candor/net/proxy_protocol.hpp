// The PROXY protocol's header, versions 1 and 2: who is behind a connection that another proxy hands on.
// Source: "The PROXY protocol, versions 1 & 2", haproxy.org.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

namespace candor::proxy_protocol {

/// The header is not complete yet: read on.
struct Incomplete {};

/// A header stands in the first `length` bytes.
struct Header {
  std::size_t length = 0;
  std::string source{};  ///< ADDRESS:PORT, or a path; empty: it doesn't say (UNKNOWN, LOCAL)
};

/// No header: nobody can say what these bytes are, so the connection ends.
struct Malformed {};

using Parsed = std::variant<Incomplete, Header, Malformed>;

/// Looks at the first bytes of a connection.
[[nodiscard]] Parsed parse(std::string_view buffered);

/// Of the longest header: version 2 says its length in 16 bits.
inline constexpr std::size_t longest = 16 + 65535;

}  // namespace candor::proxy_protocol
