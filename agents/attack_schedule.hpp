#pragma once

#include <cstdint>
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

 private:
  std::uint32_t from_, to_, every_, on_, off_;
  std::vector<std::uint32_t> at_;  ///< ascending; empty: by the other members
};

}  // namespace souk
