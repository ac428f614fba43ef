// Any first bytes of a connection: a header of the PROXY protocol means the same however it is cut, and never
// more than its bytes say.
#include "candor/net/proxy_protocol.hpp"

#include <string>

#include "fuzz.hpp"

namespace candor::fuzz {

namespace {

using proxy_protocol::Header;
using proxy_protocol::Incomplete;

void check_header(Header const& header, std::string_view input) {
  require(header.length > 0 && header.length <= input.size(), "a header stands in its bytes");
  require(header.length <= proxy_protocol::longest, "a header has a bound");
  require(header.source.size() <= 108, "a source is an address or a path");
}

}  // namespace

void check(std::string_view input) {
  auto const whole = proxy_protocol::parse(input);
  auto const* header = std::get_if<Header>(&whole);
  if (header != nullptr) check_header(*header, input);
  bool decided = false;
  for (std::size_t size = 0; size < input.size(); ++size) {
    auto const part = proxy_protocol::parse(input.substr(0, size));
    if (std::holds_alternative<Incomplete>(part)) {
      require(!decided, "what is decided stays so");
      continue;
    }
    decided = true;
    require(part.index() == whole.index(), "later bytes change nothing");
    if (auto const* early = std::get_if<Header>(&part)) {
      require(early->length == header->length && early->source == header->source, "the same header");
    }
  }
}

}  // namespace candor::fuzz
