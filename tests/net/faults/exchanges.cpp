#include "exchanges.hpp"

#include "candor/core/time.hpp"

namespace candor::test {

namespace {

/// Bytes whose order can be told.
std::string text_of(std::size_t size) {
  std::string text;
  text.reserve(size + 8);
  for (std::size_t i = 0; text.size() < size; ++i) text += std::to_string(i) + ' ';
  text.resize(size);
  return text;
}

std::string const big = text_of(std::size_t{300} * 1024);
std::string const upload = text_of(std::size_t{100} * 1024);
std::string const few = "a few bytes";

/// What an upstream says of a body that it got.
std::string receipt(std::string const& body, std::string const& trailers) {
  return std::to_string(body.size()) + " bytes, " + std::to_string(std::hash<std::string>{}(body)) + "\n" +
         trailers;
}

std::string request(std::string const& line, std::string const& fields = {}) {
  return line + " HTTP/1.1\r\nHost: test\r\n" + fields + "\r\n";
}

std::string chunk(std::string const& content) {
  std::string bytes;
  http::append_chunk_head(bytes, content.size());
  return bytes + content + "\r\n";
}

std::string length_of(std::string const& body) {
  return "Content-Length: " + std::to_string(body.size()) + "\r\n";
}

void ask_twice(SocketCaller& caller, Judge& judge) {
  for (int i = 0; i < 2; ++i) ask_for_little(caller, judge);
  judge.see_end(caller);
}

void ask_twice_at_once(SocketCaller& caller, Judge& judge) {
  caller.send(request("GET /few") + request("GET /few"));
  for (int i = 0; i < 2; ++i) judge.see(caller, caller.read_answer(), 200, few);
  judge.see_end(caller);
}

/// Asks for something, and closes when it has all of it.
auto get(std::string const& line, std::string const& body) {
  return [line, body](SocketCaller& caller, Judge& judge) {
    caller.send(request(line));
    judge.see(caller, caller.read_answer(), 200, body);
    judge.see_end(caller);
  };
}

/// A caller of the kind that takes the end of its connection for the end of its answer.
void ask_the_old_way(SocketCaller& caller, Judge& judge) {
  caller.send("GET /until-close HTTP/1.0\r\nHost: test\r\n\r\n");
  judge.see(caller, caller.read_answer(), 200, big);
}

void ask_for_a_head(SocketCaller& caller, Judge& judge) {
  caller.send(request("HEAD /few"));
  judge.see(caller, caller.read_answer(http::Method::head), 200, {});
  judge.see_end(caller);
}

void post(SocketCaller& caller, Judge& judge) {
  caller.send(request("POST /receipt", length_of(upload)) + upload);
  judge.see(caller, caller.read_answer(), 200, receipt(upload, {}));
  judge.see_end(caller);
}

/// With a key: it may be sent again.
void post_in_chunks(SocketCaller& caller, Judge& judge) {
  std::string bytes = request("POST /receipt", "Transfer-Encoding: chunked\r\nIdempotency-Key: 1\r\n");
  for (int i = 0; i < 3; ++i) bytes += chunk(few);
  std::string const trailers = "X-After: all\r\n";
  http::append_last_chunk(bytes, trailers);
  caller.send(bytes);
  judge.see(caller, caller.read_answer(), 200, receipt(few + few + few, trailers));
  judge.see_end(caller);
}

void post_when_told(SocketCaller& caller, Judge& judge) {
  // A caller must not wait for it for ever (RFC 9110, 10.1.1). This one is soon tired of it.
  constexpr std::chrono::milliseconds patience{50};
  caller.send(request("POST /receipt", length_of(few) + "Expect: 100-continue\r\n"));
  if (caller.waits_to_go_on(patience)) caller.send(few);
  judge.see(caller, caller.read_answer(), 200, receipt(few, {}));
  judge.see_end(caller);
}

/// The answer begins when the first half of the body is there, and ends when the second is.
void post_while_answered(SocketCaller& caller, Judge& judge) {
  caller.send(request("POST /echo", "Transfer-Encoding: chunked\r\n") + chunk(few));
  judge.see_begin(caller);
  caller.send(chunk(few) + "0\r\n\r\n");
  judge.see(caller, caller.read_answer(), 200, "so far " + few + few);
  judge.see_end(caller);
}

/// An answer that does not wait for the body, which then is no longer wanted.
void post_in_vain(SocketCaller& caller, Judge& judge) {
  caller.send(request("POST /enough", length_of(upload)) + few);
  judge.see(caller, caller.read_answer(), 413, "enough");
  judge.see_end(caller);
}

void leave_in_mid_body(SocketCaller& caller, Judge& judge) {
  caller.send(request("POST /echo", length_of(upload)) + few);
  judge.see_begin(caller);
  caller.reset();
}

void leave_in_mid_answer(SocketCaller& caller, Judge& judge) {
  caller.send(request("GET /big"));
  judge.see_begin(caller);
  caller.reset();
}

}  // namespace

void ask_for_little(SocketCaller& caller, Judge& judge) {
  caller.send(request("GET /few"));
  judge.see(caller, caller.read_answer(), 200, few);
}

std::vector<ScriptedExchange> const& exchanges() {
  static std::vector<ScriptedExchange> const all{
      {"two GETs on one connection", ask_twice},
      {"two GETs at once", ask_twice_at_once},
      {"HEAD", ask_for_a_head},
      {"POST of 100 KiB", post},
      {"POST in chunks, with trailers", post_in_chunks},
      {"POST that waits to go on", post_when_told},
      {"answer in chunks", get("GET /chunks", few + few + few)},
      {"answer until close", get("GET /until-close", big), true},
      {"answer until close, both ways", ask_the_old_way, true},
      {"answer of 300 KiB", get("GET /big", big)},
      {"answer at the second attempt", get("GET /second", few)},
      {"POST whose answer begins before its body ends", post_while_answered},
      {"POST whose answer does not wait for its body", post_in_vain},
      {"caller who leaves in mid-answer", leave_in_mid_answer},
      {"caller who leaves in mid-body", leave_in_mid_body},
  };
  return all;
}

Reaction react(Received const& request) {
  if (request.target == "/receipt") return answer(200, receipt(request.body, request.trailers));
  if (request.target == "/echo") return raw(chunk(request.body) + "0\r\n\r\n");
  if (request.target == "/big") return answer(200, big);
  if (request.target == "/chunks") {
    auto bytes =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(few) + chunk(few) + chunk(few);
    http::append_last_chunk(bytes);
    return raw(bytes);
  }
  if (request.target == "/until-close") {
    return raw("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + big, Reaction::Then::close);
  }
  bool const first = request.head.find("candor-attempt: 1\r\n") != std::string::npos;
  if (request.target == "/second" && first) return answer(503, "not yet");
  if (request.method == "HEAD") return raw("HTTP/1.1 200 OK\r\n" + length_of(few) + "\r\n");
  return answer(200, few);
}

std::string react_early(http::RequestHead const& head) {
  if (head.target == "/echo") {
    return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk("so far ");
  }
  if (head.target == "/enough") return answer(413, "enough").bytes;
  return {};
}

}  // namespace candor::test
