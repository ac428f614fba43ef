// Which endpoint gets the next attempt. Not thread-safe: it belongs under the lock of what it reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "candor/core/rng.hpp"
#include "candor/core/time.hpp"
#include "candor/resilience/hash_ring.hpp"
#include "candor/resilience/settings.hpp"
#include "candor/resilience/share_tree.hpp"

namespace candor {

/// What balancing wants to know of an endpoint.
struct EndpointReading {
  bool available = true;        ///< it may get an attempt now
  double weight = 1;            ///< as configured; changes with the members only
  double share = 1;             ///< of the weight, while its circuit ramps; above 0
  unsigned priority = 0;        ///< of its group; the lowest comes first
  std::uint32_t in_flight = 0;  ///< attempts
  double latency = 0;           ///< seconds, of PeakEwma; 0: unknown. Only peak_ewma reads it
  Instant since{};              ///< when it became a member
  std::uint64_t key = 0;        ///< stable_hash() of its address; only ring_hash reads it
};

/// The endpoints, read one at a time and only where it matters.
class EndpointReadings {
 public:
  [[nodiscard]] virtual std::size_t size() const = 0;
  [[nodiscard]] virtual EndpointReading reading(std::size_t endpoint) const = 0;

 protected:
  ~EndpointReadings() = default;
};

/// What the request asks for.
struct Wish {
  std::optional<std::uint64_t> hash{};   ///< stable_hash() of the field's value, if the request has it
  std::span<std::size_t const> tried{};  ///< endpoints that it tried before: others are preferred
};

/// How much of its share a member has that joined so long ago: from a tenth to the whole, over `ramp`.
[[nodiscard]] double ramp_share(Duration ramp, Duration member_for);

/// Groups come by priority. One whose share h of members is available keeps min(1, 1.4 * h) of all picks, and
/// the rest spills to the next; the last that has somebody available takes what remains. So a group may miss
/// a bit more than a quarter of its members before anything leaves it. 1.4 is Envoy's overprovisioning
/// factor, and the spill is explained there, too:
/// www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/overprovisioning
/// www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/priority
///
/// Within a group:
///
/// - round_robin: in turn; smooth when weights differ, so that a heavy endpoint's picks are spread among the
///   others' instead of coming in a row. Where it begins is left to chance: many sidecars that start together
///   must not all begin with the same endpoint.
/// - least_request: the less busy of two that are drawn by chance, in proportion to their weights (M.
///   Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", IEEE TPDS 12(10), 2001); busy is
///   attempts in flight over weight. Of two that are equally busy the first drawn, so that shares are those
///   of the weights when there is little to do.
/// - peak_ewma: likewise, the cheaper of two. One costs latency * (1 + in flight / weight), weights measured
///   by the mean of the two. The 1 is not divided by the weight: drawing has done that, and a light
///   endpoint that is idle would get nothing. An unknown latency is that of the other one: a new endpoint is
///   then judged by what it has in flight, neither flooded nor starved.
/// - ring_hash: the endpoint that the hash belongs to (hash_ring.hpp). The hash also decides between groups.
///   One whose share ramps takes that share of its keys, the same ones as long as it ramps and more with
///   time. Without a hash: by chance, in proportion to the weights.
///
/// What a pick costs. The balancer keeps what it believes of each endpoint, in trees of shares, and reads
/// only those that it draws. While it believes that any has less than its whole share, or where there are
/// several groups, it reads one more each time, in turn and by turns with those away. A belief that turns out
/// to be wrong is put right before anything is picked, so nothing unavailable is ever picked, and one that is
/// available again is noticed within two picks for each endpoint that is away. So a pick reads two or three
/// endpoints, and allocates nothing; where shares differ it takes steps that grow with the logarithm of their
/// number. Three things take a look at all: smooth turns at what is believed, a ring at its points when many
/// in a row are away, and a pick that knows of nobody at what is away, before it says that there is nobody.
class Balancer {
 public:
  explicit Balancer(BalanceSettings const& settings) : policy_(settings.policy), ramp_(settings.ramp) {}

  /// An available endpoint; one that was tried only if no other is available in any group. Nothing if there
  /// is none.
  [[nodiscard]] std::optional<std::size_t> pick(EndpointReadings const& readings, Wish const& wish,
                                                Instant now, Rng& rng);

  /// Endpoints came or went, or their weights, priorities or keys changed. A changed number pick() notices
  /// by itself. Allocates.
  void members_changed(EndpointReadings const& readings);

  static constexpr double overprovisioning = 1.4;

 private:
  // A share is a whole number: weights in steps of this.
  static constexpr double shares_per_weight = 65536;

  struct Member {
    std::uint32_t group = 0;
    std::uint32_t slot = 0;   // its place in the group
    std::uint64_t share = 0;  // as it is believed to be; 0: not available
    std::uint64_t whole = 0;  // the share without any ramp
    std::size_t away = 0;     // its place in away_, while it is not available
  };

  struct Group {
    std::vector<std::uint32_t> members;
    ShareTree shares;  // 0: not available, or set aside
    HashRing ring;
    std::size_t available = 0;
    std::uint64_t common = 0;  // the whole share of its first member
    std::size_t uneven = 0;    // available ones whose share is another
    std::size_t turn = 0;      // the slot that the next turn begins with
    std::vector<std::int64_t> credits;
  };

  /// One pick's surroundings.
  struct Scene {
    EndpointReadings const& readings;
    Wish const& wish;
    Instant now;
    Rng& rng;
  };

  struct Drawn {
    std::size_t slot;
    EndpointReading reading;
  };

  /// What the request tried stays out of the trees for as long as this lives.
  class Aside;

  EndpointReading look_at(std::size_t endpoint, Scene const& scene);
  void believe(std::size_t endpoint, std::uint64_t share);
  void look_around(Scene const& scene);
  [[nodiscard]] bool find_anybody(Scene const& scene, bool tried_too);
  void begin_anywhere(Rng& rng);

  std::optional<std::size_t> pick_of_all(Scene const& scene);
  Group* choose_group(double at);
  std::optional<std::size_t> pick_in(Group& group, Scene const& scene);
  std::optional<std::size_t> in_turn(Group& group, Scene const& scene);
  [[nodiscard]] std::size_t next_slot(Group const& group) const;
  [[nodiscard]] std::size_t richest_slot(Group const& group) const;
  std::optional<std::size_t> of_two(Group& group, Scene const& scene);
  [[nodiscard]] bool is_better(Group const& group, Drawn const& a, Drawn const& b) const;
  std::optional<std::size_t> on_ring(Group& group, Scene const& scene, std::uint64_t hash);
  /// `total`: of all shares but that of `but`, not 0.
  [[nodiscard]] static std::size_t any_slot(Group const& group, std::optional<std::size_t> but,
                                            std::uint64_t total, Rng& rng);
  std::optional<Drawn> draw(Group& group, Scene const& scene, std::optional<std::size_t> but = {});

  BalanceSettings::Policy policy_;
  Duration ramp_;
  std::vector<Member> members_;  // by endpoint
  std::vector<Group> groups_;    // by priority
  std::vector<std::uint32_t> away_;
  std::size_t reduced_ = 0;  // members that have less than their whole share, as it is believed
  std::size_t looks_ = 0;
  bool is_fresh_ = true;
};

}  // namespace candor
