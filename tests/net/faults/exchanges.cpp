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
std::string const go_on = "HTTP/1.1 100 Continue\r\n\r\n";
std::string const hints = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n";
std::string const processing = "HTTP/1.1 102 Processing\r\n\r\n";

/// A caller must not wait for ever to be told to go on (RFC 9110, 10.1.1). Ours is soon tired of it.
constexpr std::chrono::milliseconds patience{20};

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

/// Whether it then stands. If not, what was sent along is no request, and nobody looks at what becomes of it.
bool asks_for_tunnel(SocketCaller& caller, Judge& judge, std::string const& bytes, http::Method method) {
  unsigned const agrees = method == http::Method::connect ? 200 : 101;
  caller.send(bytes);
  auto const got = caller.read_answer(method);
  judge.see(caller, got, agrees, {});
  return got.status == agrees;
}

/// The first bytes come along with the head; the caller ends first.
void change_protocol(SocketCaller& caller, Judge& judge) {
  auto const asks = request("GET /chat", "Connection: Upgrade\r\nUpgrade: websocket\r\n");
  if (!asks_for_tunnel(caller, judge, asks + few, http::Method::get)) return;
  caller.send(upload);
  caller.half_close();
  judge.see_tunnel(caller, few + upload, std::string(farewell));
}

/// The upstream ends first.
void connect(SocketCaller& caller, Judge& judge) {
  if (!asks_for_tunnel(caller, judge, request("CONNECT test:80"), http::Method::connect)) return;
  caller.send(request("POST /receipt", length_of(upload)) + upload + request("GET /last"));
  judge.see_tunnel(caller, answer(200, receipt(upload, {})).bytes + answer(200, upload).bytes);
}

void get_with_hints(SocketCaller& caller, Judge& judge) {
  caller.send(request("GET /hints"));
  auto const got = caller.read_answer();
  judge.see_interim(got, {hints, processing});
  judge.see(caller, got, 200, few);
  judge.see_end(caller);
}

/// The word to go on is the upstream's own.
void post_when_wanted(SocketCaller& caller, Judge& judge) {
  caller.send(request("POST /wanted", length_of(few) + "Expect: 100-continue\r\n"));
  if (caller.waits_to_go_on(patience)) caller.send(few);
  auto const got = caller.read_answer();
  judge.see_interim(got, {go_on});
  judge.see(caller, got, 200, receipt(few, {}));
  judge.see_end(caller);
}

void post_unwanted(SocketCaller& caller, Judge& judge) {
  caller.send(request("POST /enough", length_of(few) + "Expect: 100-continue\r\n"));
  auto const got = caller.read_answer();
  judge.see_interim(got, {go_on});
  judge.see(caller, got, 413, "enough");
  judge.see_end(caller);
}

void leave_a_tunnel(SocketCaller& caller, Judge& judge) {
  auto const asks = request("GET /chat", "Connection: Upgrade\r\nUpgrade: websocket\r\n");
  if (!asks_for_tunnel(caller, judge, asks + few, http::Method::get)) return;
  caller.reset();
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
      {"changed protocol", change_protocol, true},
      {"CONNECT", connect, true, Way::forward_proxy},
      {"caller who leaves a tunnel", leave_a_tunnel, true},
      {"interim answers", get_with_hints},
      {"POST that is wanted", post_when_wanted, false, Way::patient},
      {"POST that is not wanted", post_unwanted, false, Way::patient},
      {"two GETs of an introduced caller", ask_twice, false, Way::introduced},
      {"two GETs by a path", ask_twice, false, Way::path},
      {"POST of 100 KiB by a path", post, false, Way::path},
      {"answer of 300 KiB by a path", get("GET /big", big), false, Way::path},
      {"changed protocol by a path", change_protocol, true, Way::path},
  };
  return all;
}

Reaction react(Received const& request) {
  if (request.target == "/receipt" || request.target == "/wanted")
    return answer(200, receipt(request.body, request.trailers));
  if (request.target == "/hints") return raw(hints + processing + answer(200, few).bytes);
  if (request.target == "/chat") {
    return raw("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
               Reaction::Then::echo);
  }
  if (request.target == "/echo") return raw(chunk(request.body) + "0\r\n\r\n");
  if (request.target == "/big") return answer(200, big);
  if (request.target == "/chunks") {
    auto bytes =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(few) + chunk(few) + chunk(few);
    http::append_last_chunk(bytes);
    return raw(bytes);
  }
  if (request.target == "/last") return raw(answer(200, upload).bytes, Reaction::Then::close);
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
  if (head.target == "/wanted" && head.fields.has_token(http::FieldId::expect, "100-continue")) return go_on;
  return {};
}

// Nothing at all: it may have agreed when nobody waited for that any more.
bool is_whole(std::string_view tunnelled) { return tunnelled.empty() || tunnelled == few + upload; }

}  // namespace candor::test
