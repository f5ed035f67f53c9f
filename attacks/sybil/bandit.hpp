#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "attacks/update_attack.hpp"

namespace souk::scenario {
class Bandit;
}

namespace souk {

class Stream;

/// One upper-confidence-bound bandit per member. Arm 0 is the honest behaviour.
/// Auer, Cesa-Bianchi, Fischer, "Finite-time Analysis of the Multiarmed Bandit Problem", Machine Learning 2002, UCB1,
/// with the constants, the epsilon and the window of Song et al.'s later code.
class Bandits {
 public:
  Bandits(const scenario::Bandit& config, std::size_t arms);
  /// The arm that the member pulls in this round; remembered until the round's outcome is observed.
  std::size_t choose(const PublicRound& round, AgentId member);
  void observe(const Published& published);
  void serialize(Archive& archive);

 private:
  struct Outcome {
    std::int64_t arm = 0, selected = 0;
  };
  struct Member {
    std::int64_t pulled = -1;          ///< in this round; -1: took no part
    std::int64_t rounds = 0;           ///< that it took part in, this one included
    std::deque<Outcome> remembered{};  ///< oldest first
  };
  std::size_t arm_of(const Member& member, Stream& random) const;
  std::size_t best_arm(const std::vector<double>& pulls, const std::vector<double>& wins) const;
  double bonus_, epsilon_, final_epsilon_, gain_;
  std::int64_t exploration_;
  std::size_t window_, arms_;
  std::map<std::uint32_t, Member> members_;
};

}  // namespace souk
