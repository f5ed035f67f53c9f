#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/base/ids.hpp"

namespace souk::scenario {
class Attack;
}

namespace souk {

/// The rounds in which an attacker group acts.
class AttackSchedule {
 public:
  /// Throws InputError for a schedule without rounds.
  AttackSchedule(const scenario::Attack& config, int group);
  bool acts(RoundIndex round) const;
  /// The first of them.
  RoundIndex first() const;
  /// Of a run of so many rounds: what of the schedule comes to nothing, e.g. "never acts: from_round = 9 is after the
  /// last round, 5"; empty: nothing does. Throws InputError where at_rounds names none of its rounds.
  std::string idle_part(std::uint32_t rounds) const;

 private:
  int group_;
  std::uint32_t from_, to_, every_, on_, off_;
  std::vector<std::uint32_t> at_;  ///< ascending; empty: by the other members
};

}  // namespace souk
