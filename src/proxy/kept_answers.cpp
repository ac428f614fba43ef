#include "candor/proxy/kept_answers.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "candor/http/retry_after.hpp"

namespace candor {

namespace {

/// What an entry costs besides its bytes, about.
constexpr std::size_t overhead = 256;

std::string_view trim(std::string_view text) {
  auto const first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Calls `visit` with each member of a list field, over all its lines. Quoted commas are taken for commas:
/// that can only find too many words, and what is found here speaks against keeping.
template <class Visit>
void for_each_member(http::Fields const& fields, std::string_view name, Visit const& visit) {
  for (auto const& field : fields) {
    if (!http::equal_ignoring_case(field.name, name)) continue;
    for (auto rest = field.value; !rest.empty();) {
      auto const member = rest.substr(0, rest.find(','));
      if (auto const word = trim(member); !word.empty()) visit(word);
      rest.remove_prefix(std::min(member.size() + 1, rest.size()));
    }
  }
}

template <std::size_t count>
bool cache_control_names(http::Fields const& fields, std::array<std::string_view, count> const& words) {
  if (!fields.has(http::FieldId::cache_control)) return false;
  bool named = false;
  for_each_member(fields, "cache-control", [&](std::string_view member) {
    auto const word = trim(member.substr(0, member.find('=')));
    named = named || std::any_of(words.begin(), words.end(), [word](std::string_view each) {
              return http::equal_ignoring_case(word, each);
            });
  });
  return named;
}

/// Whether what is kept may be used for it, as far as the request goes.
bool may_be_shared(http::RequestHead const& request) {
  static constexpr std::array<std::string_view, 2> against{"no-store", "no-cache"};
  auto const& fields = request.fields;
  auto const length = request.framing.kind == http::Framing::Kind::length ? request.framing.length : 0;
  bool const has_body = request.framing.kind == http::Framing::Kind::chunked || length > 0;
  return request.method == http::Method::get && !has_body && !fields.has(http::FieldId::authorization) &&
         !fields.has(http::FieldId::cookie) && !cache_control_names(fields, against);
}

/// Whether it may be kept, and given later without asking (RFC 9111, 3 and 4.2.4).
bool may_be_kept(http::ResponseHead const& answer) {
  static constexpr std::array<std::string_view, 5> against{"no-store", "private", "no-cache",
                                                           "must-revalidate", "proxy-revalidate"};
  auto const& fields = answer.fields;
  return answer.status == 200 && !fields.has(http::FieldId::set_cookie) &&
         !cache_control_names(fields, against) && !fields.has(http::FieldId::candor_fallback);
}

/// Lines that are made anew when the answer is given, or were true of that one time only.
bool is_left_out(http::Field const& field) {
  static constexpr std::array left_out{http::FieldId::content_length, http::FieldId::transfer_encoding,
                                       http::FieldId::trailer,        http::FieldId::proxy_status,
                                       http::FieldId::candor_retry,   http::FieldId::age};
  return std::find(left_out.begin(), left_out.end(), field.id) != left_out.end();
}

std::string lines_of(http::Fields const& fields, WallTime came) {
  std::string lines;
  for (auto const& field : fields) {
    if (!is_left_out(field)) lines.append(field.name).append(": ").append(field.value).append("\r\n");
  }
  if (!fields.has(http::FieldId::date)) {
    lines.append("Date: ").append(http::format_http_date(came)).append("\r\n");
  }
  return lines;
}

Duration age_of(http::Fields const& fields) {
  auto const* field = fields.find(http::FieldId::age);
  if (field == nullptr) return {};
  constexpr std::int64_t longest = 1LL << 31;  // RFC 9111, 1.2.2
  std::int64_t age = 0;
  auto const* const end = field->value.data() + field->value.size();
  auto const [stop, error] = std::from_chars(field->value.data(), end, age);
  if (stop != end || age < 0) return {};
  if (error != std::errc{}) age = longest;
  return std::chrono::seconds{std::min(age, longest)};
}

/// All the request's values of a field, in their order.
std::string values_of(http::Fields const& fields, std::string_view name) {
  std::string values;
  for (auto const& field : fields) {
    if (http::equal_ignoring_case(field.name, name)) values.append(field.value).append("\n");
  }
  return values;
}

/// Nothing: it depends on more than the request's fields.
std::optional<std::vector<std::pair<std::string, std::string>>> varies_of(http::Fields const& request,
                                                                          http::Fields const& answer) {
  std::vector<std::pair<std::string, std::string>> varies;
  bool on_anything = false;
  for_each_member(answer, "vary", [&](std::string_view name) {
    on_anything = on_anything || name == "*";
    varies.emplace_back(name, values_of(request, name));
  });
  if (on_anything) return std::nullopt;
  return varies;
}

/// Whether it looks like the request that got this answer, where the answer varies.
bool is_for(http::RequestHead const& request, KeptAnswer const& answer) {
  return std::all_of(answer.varies.begin(), answer.varies.end(), [&request](auto const& varies) {
    return values_of(request.fields, varies.first) == varies.second;
  });
}

std::string key_of(http::RequestHead const& request) {
  std::string key{request.host};
  return key.append(" ").append(request.origin_target());
}

}  // namespace

/// What has come so far. It counts against the bound of recordings as it grows.
class KeptAnswers::Recording final : public BodyTap {
 public:
  Recording(KeptAnswers& store, std::string key, KeptAnswer answer)
      : store_(store), key_(std::move(key)), answer_(std::move(answer)) {}
  ~Recording() override { store_.recording_ -= taken_; }

  /// Whether there is room for so much more.
  bool take(std::size_t bytes) {
    if (store_.recording_ + bytes > store_.recording_bound()) return false;
    store_.recording_ += bytes;
    taken_ += bytes;
    return true;
  }

  bool passed(http::Piece const& piece) override {
    if (!take(piece.bytes.size())) return false;
    answer_.body.append(piece.bytes);
    if (!piece.last) return true;
    answer_.lines.append("Content-Length: ").append(std::to_string(answer_.body.size())).append("\r\n");
    answer_.body.shrink_to_fit();
    store_.keep(std::move(key_), std::move(answer_));
    return false;
  }

 private:
  KeptAnswers& store_;
  std::string key_;
  KeptAnswer answer_;
  std::size_t taken_ = 0;
};

bool KeptAnswers::is_recent(std::string const& key, http::RequestHead const& request, Instant now) {
  auto const found = by_key_.find(key);
  if (found == by_key_.end()) return false;
  auto const entry = found->second;
  if (now - entry->answer->at >= renewed_after() || !is_for(request, *entry->answer)) return false;
  entries_.splice(entries_.begin(), entries_, entry);
  return true;
}

std::size_t KeptAnswers::size_of(std::string const& key, KeptAnswer const& answer) {
  auto size = overhead + 2 * key.size() + answer.reason.size() + answer.lines.size() + answer.body.size();
  for (auto const& [name, value] : answer.varies) size += name.size() + value.size();
  return size;
}

std::shared_ptr<KeptAnswer const> KeptAnswers::find(http::RequestHead const& request, Instant now) {
  if (!may_be_shared(request)) return nullptr;
  auto const found = by_key_.find(key_of(request));
  if (found == by_key_.end()) return nullptr;
  auto const entry = found->second;
  auto const& answer = *entry->answer;
  if (now - answer.at > settings_.within) {
    drop(entry);
    return nullptr;
  }
  if (!is_for(request, answer)) return nullptr;
  entries_.splice(entries_.begin(), entries_, entry);
  return entry->answer;
}

std::unique_ptr<BodyTap> KeptAnswers::record(http::RequestHead const& request,
                                             http::ResponseHead const& answer, Instant now, WallTime wall) {
  if (!may_be_shared(request) || !may_be_kept(answer)) return nullptr;
  auto key = key_of(request);
  if (is_recent(key, request, now)) return nullptr;
  bool const announced = answer.framing.kind == http::Framing::Kind::length;
  if (announced && answer.framing.length > recording_bound() - std::min(recording_bound(), recording_)) {
    return nullptr;
  }
  auto varies = varies_of(request.fields, answer.fields);
  if (!varies) return nullptr;
  KeptAnswer kept{.reason = std::string(answer.reason),
                  .lines = lines_of(answer.fields, wall),
                  .body = {},
                  .at = now,
                  .age = age_of(answer.fields),
                  .varies = std::move(*varies)};
  auto const before_body = size_of(key, kept);
  auto recording = std::make_unique<Recording>(*this, std::move(key), std::move(kept));
  if (!recording->take(before_body)) return nullptr;
  return recording;
}

void KeptAnswers::keep(std::string key, KeptAnswer answer) {
  if (auto const old = by_key_.find(key); old != by_key_.end()) drop(old->second);
  auto const size = size_of(key, answer);
  // What recordings may take stays free for them, so that the sum never passes the bound.
  auto const bound = settings_.bytes.size() - recording_bound();
  if (size > bound) return;
  while (kept_ + size > bound) drop(std::prev(entries_.end()));
  entries_.push_front({std::move(key), std::make_shared<KeptAnswer const>(std::move(answer))});
  by_key_.emplace(entries_.front().key, entries_.begin());
  kept_ += size;
}

void KeptAnswers::drop(Entries::iterator entry) {
  kept_ -= size_of(entry->key, *entry->answer);
  by_key_.erase(entry->key);
  entries_.erase(entry);
}

}  // namespace candor
