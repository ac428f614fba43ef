#include <algorithm>
#include <string>

#include "accept.hpp"
#include "candor/core/json_string.hpp"
#include "candor/http/proxy_status.hpp"

namespace candor::http {

namespace {

/// For a person who sees the answer and knows nothing of the sidecar.
std::string_view usual_explanation(std::uint16_t status) {
  switch (status) {
    case 400: return "The request could not be understood, so it was not passed on.";
    case 403: return "The sidecar does not pass requests on to this destination.";
    case 405: return "The sidecar does not serve this method itself.";
    case 408: return "The request did not arrive completely in time.";
    case 413: return "The request's body is larger than the sidecar passes on.";
    case 414: return "The request's target is longer than the sidecar passes on.";
    case 421: return "The sidecar knows no upstream of this name.";
    case 431: return "The request's head is larger than the sidecar passes on.";
    case 500: return "The sidecar itself failed.";
    case 501: return "The request asks for something that the sidecar cannot do.";
    case 502: return "The upstream could not be reached, or gave no valid answer.";
    case 503: return "The upstream is not available at the moment.";
    case 504: return "The upstream did not answer in time.";
    case 505: return "The sidecar speaks HTTP/1.0 and HTTP/1.1.";
    case 508: return "The request has come back to the sidecar that sent it.";
    default: return reason_phrase(status);
  }
}

std::string problem_body(OwnAnswer const& answer, std::string_view explanation) {
  // The meaning beyond the status is in `error`, so that no type of our own is needed (RFC 9457, 4.2.1).
  std::string body = R"({"type":"about:blank","title":)";
  append_json_string(body, reason_phrase(answer.status));
  body += ",\"status\":" + std::to_string(answer.status) + ",\"detail\":";
  append_json_string(body, explanation);
  if (answer.error) {
    body += ",\"error\":";
    append_json_string(body, name(*answer.error));
  }
  body += "}\n";
  return body;
}

std::string text_body(OwnAnswer const& answer, std::string_view explanation) {
  std::string body = std::to_string(answer.status) + " ";
  body.append(reason_phrase(answer.status)).append("\n").append(explanation).append("\n");
  return body;
}

std::string full_details(OwnAnswer const& answer) {
  std::string text{answer.details};
  if (!text.empty() && !answer.history.empty()) text += "; ";
  return text += answer.history;
}

/// A caller that comes back after the rounded-up time does not come too early.
std::int64_t whole_seconds(Duration delay) {
  return std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(delay).count());
}

}  // namespace

void append_own_answer(std::string& out, OwnAnswer const& answer, AnswerTo const& to) {
  std::string_view const explanation =
      answer.explanation.empty() ? usual_explanation(answer.status) : std::string_view(answer.explanation);
  bool const text = prefers_text(to.accept);
  std::string const body = text ? text_body(answer, explanation) : problem_body(answer, explanation);

  out.append(to.version == Version::http_1_0 ? "HTTP/1.0 " : "HTTP/1.1 ");
  out.append(std::to_string(answer.status)).append(" ").append(reason_phrase(answer.status));
  out.append("\r\nContent-Type: ");
  out.append(text ? "text/plain; charset=utf-8" : "application/problem+json");
  out.append("\r\nContent-Length: ").append(std::to_string(body.size()));
  if (!to.date.empty()) out.append("\r\nDate: ").append(to.date);
  if (!answer.allow.empty()) out.append("\r\nAllow: ").append(answer.allow);
  if (answer.error)
    out.append("\r\nProxy-Status: ").append(proxy_status(*answer.error, full_details(answer)));
  if (answer.retry_after) {
    out.append("\r\nRetry-After: ").append(std::to_string(whole_seconds(*answer.retry_after)));
  }
  if (!answer.candor_retry.empty()) out.append("\r\ncandor-retry: ").append(answer.candor_retry);
  if (!to.keep_alive) {
    out.append("\r\nConnection: close");
  } else if (to.version == Version::http_1_0) {
    out.append("\r\nConnection: keep-alive");
  }
  out.append("\r\n\r\n");
  if (to.method != Method::head) out.append(body);
}

}  // namespace candor::http
