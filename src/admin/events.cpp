// The events: all that are kept, as JSON; or as they come, as server-sent events (HTML Living Standard, 9.2).
#include <charconv>
#include <limits>

#include "candor/admin/routes.hpp"
#include "query.hpp"

namespace candor::admin {

namespace {

constexpr std::size_t most_a_piece = 64;

std::string json_of(observe::Event const& event) {
  return "{\"id\":" + std::to_string(event.number) + ',' + event.members + '}';
}

/// One reader's place among the events.
class EventStream final : public Stream {
 public:
  EventStream(std::shared_ptr<observe::EventRing> ring, std::string upstream, std::uint64_t from)
      : ring_(std::move(ring)), upstream_(std::move(upstream)), from_(from) {}

  std::string take() override {
    // How long a browser waits before it asks again.
    std::string text = std::exchange(begun_, true) ? "" : "retry: 2000\n\n";
    while (text.size() < enough) {
      auto const reading = ring_->read(from_, most_a_piece);
      from_ = reading.next;
      if (reading.lost > 0) {
        text += "data: {\"kind\":\"lost\",\"count\":" + std::to_string(reading.lost) + "}\n\n";
      }
      if (reading.events.empty()) break;
      for (auto const& event : reading.events) {
        if (!upstream_.empty() && event->upstream != upstream_) continue;
        text += "id: " + std::to_string(event->number) + "\ndata: " + json_of(*event) + "\n\n";
      }
    }
    return text;
  }

  void when_more(std::function<void()> more) override {
    subscription_.reset();
    if (more) subscription_.emplace(*ring_, std::move(more));
  }

 private:
  static constexpr std::size_t enough = std::size_t{16} * 1024;

  std::shared_ptr<observe::EventRing> ring_;
  std::string upstream_;
  std::uint64_t from_;
  bool begun_ = false;
  std::optional<observe::EventRing::Subscription> subscription_;
};

/// A number; nothing if it is none.
std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  bool const whole = error == std::errc{} && end == text.data() + text.size();
  return whole && value < std::numeric_limits<std::uint64_t>::max() ? std::optional{value} : std::nullopt;
}

/// Where a reader goes on; 0: at the oldest that is kept.
std::uint64_t first_wanted(Request const& request) {
  auto const since = query_value(request.target, "since").value_or(request.last_event_id);
  auto const last = number(since);
  return last ? *last + 1 : 0;
}

bool wants_json(Request const& request, std::string_view format) {
  if (!format.empty()) return format == "json";
  return request.accept.find("application/json") != std::string::npos &&
         request.accept.find("text/event-stream") == std::string::npos;
}

}  // namespace

Answer Routes::events(Request const& request) const {
  auto const upstream = query_value(request.target, "upstream").value_or("");
  auto const format = query_value(request.target, "format").value_or("");
  if (!upstream.empty() && !find(upstream)) return no_such_upstream(upstream);
  if (!format.empty() && format != "json" && format != "sse") {
    return problem(400, "Bad request", "\"format\" has to be json or sse, not \"" + format + "\".");
  }
  auto const from = first_wanted(request);
  if (!wants_json(request, format)) {
    return {.content_type = "text/event-stream",
            .stream = std::make_shared<EventStream>(sources_.events, upstream, from)};
  }
  auto const reading = sources_.events->read(from, std::numeric_limits<std::size_t>::max());
  std::string body = "{\"events\": [";
  char const* between = "\n";
  for (auto const& event : reading.events) {
    if (!upstream.empty() && event->upstream != upstream) continue;
    body += std::exchange(between, ",\n") + json_of(*event);
  }
  body += "\n], \"lost\": " + std::to_string(reading.lost) +
          ", \"last\": " + std::to_string(reading.next - 1) + "}\n";
  return {.content_type = "application/json", .body = std::move(body)};
}

}  // namespace candor::admin
