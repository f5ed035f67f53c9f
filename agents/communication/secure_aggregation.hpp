#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "agents/communication/secure_ring.hpp"
#include "agents/stage.hpp"
#include "agents/training/model_server.hpp"

namespace souk::scenario {
class Scenario;
class SecureAggregation;
}  // namespace souk::scenario

namespace souk {

/// Clients that mask their updates together: of those asked, and whose updates are there.
struct SecureGroup {
  std::size_t asked = 0;
  std::vector<std::size_t> members;  ///< places among the updates that can be used, ascending
};

/// Deals `asked` clients, ascending, to groups of at least `size` (0: to one), in an order drawn by `random`;
/// `present`, the clients of the updates that can be used, are members.
std::vector<SecureGroup> secure_groups(std::span<const AgentId> asked, std::span<const AgentId> present,
                                       std::size_t size, Stream& random);

/// The updates of a model under secure aggregation: the rule sees the mean of every group, decoded from an exact sum in
/// a ring. Masks and shares of keys are not carried out, for they leave no trace in the sum; their bytes are counted. A
/// group of which too few stay cannot be unmasked, and its updates are lost.
class SecureAggregation final : public ServerHooks {
 public:
  /// Throws InputError for rules and sections that need more than sums.
  explicit SecureAggregation(const World& world);

  void attach(ModelServer& server) override;
  void resize_messages(MessageBytes& bytes) const override;
  bool compares_models() const override;
  RoundSize seen_by_rule(const RoundSize& round) const override;
  void receive(ServerRound& round, RoundRecord& record) override;
  HookFootprint footprint(const RuleScale& scale, const RuleFootprint& rule) const override;

 private:
  void check_noise(const scenario::Scenario& scenario) const;
  double rounding_length() const;
  double group_size() const;
  std::uint64_t factor_of(const Submission& submission) const;
  double shortening(double length) const;
  bool may_be_unmasked(const SecureGroup& group) const;
  std::vector<SecureGroup> groups_left(const ServerRound& round, RoundRecord& record) const;
  void enter(const SecureGroup& group, const ServerRound& round, GroupMeans& means) const;
  void note_rounding(const ServerRound& round, RoundRecord& record) const;
  std::size_t sum_up(const ServerRound& round, const SecureGroup& group, std::span<float> mean) const;

  const Comm& comm_;
  const Federation& federation_;
  const scenario::SecureAggregation& config_;
  SecureRing ring_;
  std::uint64_t seed_;
  bool by_samples_;                     ///< the mean is one of samples, not of clients
  std::optional<double> client_bound_;  ///< to which clients shorten their updates, because the rule cannot
  bool noised_;                         ///< the server adds noise for updates of a bounded length
};

}  // namespace souk
