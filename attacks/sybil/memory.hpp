#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "attacks/update_attack.hpp"
#include "sim/params/agent_vectors.hpp"

namespace souk::scenario {
class SybilMemory;
}

namespace souk {

/// What a member does in a round.
enum class SybilPart : std::uint8_t {
  submit_own,  ///< goes on with what it would have submitted
  follow,      ///< the group's strategy
  explore      ///< the strategy, with noise
};

/// What the coordinator of a group remembers: what members submitted, what the server selected, and what winners, the
/// members selected, submitted in the last rounds. Song et al., section 5.2, and its code, which follows what the
/// winners of the last round would submit now.
class SybilMemory {
 public:
  explicit SybilMemory(const scenario::SybilMemory& config);
  /// What losers follow: the mean of the rows, [members, d], of those members who won the last time they took part; or
  /// of what winners submitted in the window. None where there is no winner.
  std::optional<ColumnVector> winners_mean(std::span<const AgentId> members, const ColumnMatrix& own) const;
  /// Whoever follows others of the same round is not alone.
  std::size_t least_members() const { return current_ ? 2 : 1; }
  /// Of each member, in order.
  std::vector<SybilPart> parts(std::span<const AgentId> members) const;
  /// Explorers' noise, as a share of the root mean square of their update.
  double exploration() const { return exploration_; }
  /// What members submit, [members, d].
  void submitted(std::span<const AgentId> members, const ColumnMatrix& rows);
  void observe(const Published& published);
  /// Bytes held: what members submitted, and sums of what winners did.
  double bytes(const AttackScale& scale) const { return (scale.group + static_cast<double>(window_)) * scale.vector; }
  /// Collective.
  void serialize(Archive& archive, const Comm& comm);

 private:
  struct Outcomes {
    std::int64_t rounds = 0, selected = 0, last = 0;  ///< last: 1 if selected in the last round it took part in
  };
  /// Sum of the winners' submissions of a round.
  struct Wins {
    ColumnVector sum;
    std::int64_t count = 0;
  };
  double rate_of(AgentId member) const;
  bool won(AgentId member) const;  ///< the last time it took part
  std::optional<ColumnVector> mean_of_window(const ColumnMatrix& like) const;
  std::size_t window_;
  bool current_, roles_, winners_too_;
  double attackers_, explorers_, exploration_;
  std::size_t dimension_ = 0;
  std::map<std::uint32_t, Outcomes> outcomes_;  ///< of every client
  std::vector<AgentId> submitters_;             ///< members who submitted in this round
  AgentVectors submissions_;
  std::deque<Wins> wins_;
};

/// Adds normal noise to row `row` of a member: `share` of the row's root mean square. Collective.
void add_relative_noise(const PublicRound& round, AgentId member, const ColumnMatrix& like, double share,
                        std::span<float> row);

}  // namespace souk
