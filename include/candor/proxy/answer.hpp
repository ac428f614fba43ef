// What Candor answers when there is nothing to pass on, and what it adds when there is.
#pragma once

#include <optional>
#include <string>

#include "candor/core/failure.hpp"
#include "candor/http/proxy_status.hpp"
#include "candor/proxy/exchange.hpp"
#include "candor/proxy/response.hpp"

namespace candor {

/// The answer for a request that ended without a response.
[[nodiscard]] http::OwnAnswer own_answer(Failure const& failure, Exchange const& exchange);

/// What is said to a caller beside an answer that is passed on; what is empty is not.
struct AnswerMarks {
  std::string proxy_status{};
  std::string_view candor_retry{};
  std::string_view candor_fallback{};
};
[[nodiscard]] AnswerMarks marks_of(Exchange const& exchange, Response const& answer);

/// How a request has ended whose caller got a fallback whole: as it would have without, unless another
/// upstream has answered it.
void describe_fallback(Exchange const& exchange, RequestEnd& end);

/// The Proxy-Status value for an upstream's answer that Candor had a hand in: more than one attempt, or a
/// failure that was not retried. Empty: it had none.
[[nodiscard]] std::string proxy_status_of(Exchange const& exchange, std::uint16_t status, bool good);

/// What a tier above us has to know of a failed request (candor-retry): that we have refused it, or have done
/// what there was to do about it, so that it must not be tried again up there. Empty: it may.
[[nodiscard]] std::string_view retry_mark(Exchange const& exchange);

}  // namespace candor
