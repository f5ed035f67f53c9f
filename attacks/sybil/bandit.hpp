#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "attacks/update_attack.hpp"

namespace souk::scenario {
class Bandit;
}

namespace souk {

/// One upper-confidence-bound bandit per member. Arm 0 is the honest behaviour.
/// Auer, Cesa-Bianchi, Fischer, "Finite-time Analysis of the Multiarmed Bandit Problem", Machine Learning 2002, UCB1,
/// with the benchmark's constants and its epsilon.
class Bandits {
 public:
  Bandits(const scenario::Bandit& config, std::size_t arms);
  /// The arm that the member pulls in this round; remembered until the round's outcome is observed.
  std::size_t choose(const Round& round, AgentId member);
  void observe(const Published& published);
  void serialize(Archive& archive);

 private:
  struct Member {
    std::int64_t pulled = -1;           ///< in this round; -1: took no part
    std::vector<std::int64_t> pulls{};  ///< [arms]
    std::vector<double> rewards{};      ///< [arms] sums
    std::int64_t total() const;
  };
  std::size_t best_arm(const Member& member) const;
  double bonus_, epsilon_, final_epsilon_, exploration_, gain_;
  std::size_t arms_;
  std::map<std::uint32_t, Member> members_;
};

}  // namespace souk
