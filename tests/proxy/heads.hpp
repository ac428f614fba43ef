// Heads of requests, as far as it matters where they go.
#pragma once

#include <string_view>

#include "candor/http/head.hpp"

namespace candor::test {

inline http::RequestHead for_host(std::string_view host) {
  http::RequestHead head;
  head.method_text = "GET";
  head.method = http::Method::get;
  head.target = "/";
  head.host = host;
  return head;
}

inline http::RequestHead for_target(std::string_view target) {
  auto head = for_host("a");
  head.target = target;
  return head;
}

}  // namespace candor::test
