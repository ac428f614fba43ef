// The last good answers of one upstream, for when there is nothing better (RFC 9111, 4.2.4). One worker's.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "candor/core/time.hpp"
#include "candor/http/head.hpp"
#include "candor/proxy/response.hpp"
#include "candor/proxy/settings.hpp"

namespace candor {

/// An answer as it is kept; immutable, shared with those to whom it is being sent.
struct KeptAnswer {
  std::string reason;
  std::string lines;  ///< its fields, each with its CRLF; Content-Length is among them, Age is not
  std::string body;
  Instant at;      ///< when its head came
  Duration age{};  ///< that it had then (RFC 9111, 5.1)
  /// The fields of the request that it depends on (Vary), with their values then.
  std::vector<std::pair<std::string, std::string>> varies{};
};

/// Keeps complete answers of status 200 to GET that may be shown to anybody: the request has no body, no
/// Authorization and no Cookie, the answer no Set-Cookie, and neither's Cache-Control speaks against it. One
/// for each host and target; of several variants (Vary) the last. What is kept and what is being recorded
/// stay together within `bytes`; those that were not used for the longest time go first.
class KeptAnswers {
 public:
  explicit KeptAnswers(StaleSettings const& settings) : settings_(settings) {}
  KeptAnswers(KeptAnswers const&) = delete;
  KeptAnswers& operator=(KeptAnswers const&) = delete;

  /// The answer for this request, if there is one that is not too old.
  [[nodiscard]] std::shared_ptr<KeptAnswer const> find(http::RequestHead const& request, Instant now);

  /// Records an answer while its body passes; nothing if it is not one to keep, or if one that is as good is
  /// so new that to copy another would be for nothing. A recording that grows beyond
  /// its bound gives up, and the answer streams on. Must not outlive this. `wall` is its Date, if it says
  /// none (RFC 9110, 6.6.1).
  [[nodiscard]] std::unique_ptr<BodyTap> record(http::RequestHead const& request,
                                                http::ResponseHead const& answer, Instant now, WallTime wall);

  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  /// Kept and being recorded.
  [[nodiscard]] std::size_t bytes() const { return kept_ + recording_; }

  /// What is kept is not renewed before: under load every answer would be copied, and nobody be served
  /// better.
  [[nodiscard]] Duration renewed_after() const {
    return std::min<Duration>(std::chrono::seconds{1}, settings_.within / 10);
  }

  /// Of the bound, for what is being recorded: so no single answer is larger than that.
  static constexpr std::size_t recording_share = 4;

 private:
  class Recording;
  struct Entry {
    std::string key;
    std::shared_ptr<KeptAnswer const> answer;
  };
  using Entries = std::list<Entry>;  // the last used first

  static std::size_t size_of(std::string const& key, KeptAnswer const& answer);
  /// Whether there is an answer for it that needs no renewing. It counts as used.
  [[nodiscard]] bool is_recent(std::string const& key, http::RequestHead const& request, Instant now);
  [[nodiscard]] std::size_t recording_bound() const { return settings_.bytes.size() / recording_share; }
  void keep(std::string key, KeptAnswer answer);
  void drop(Entries::iterator entry);

  StaleSettings const& settings_;
  Entries entries_;
  std::unordered_map<std::string, Entries::iterator> by_key_;
  std::size_t kept_ = 0;
  std::size_t recording_ = 0;
};

}  // namespace candor
