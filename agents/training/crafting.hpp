#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "attacks/attack.hpp"

namespace souk {

/// One attack's part in a round: what there is to know, and how much of it the group does.
struct CraftingTask {
  const PublicRound& round;
  Knowledge level;
  std::span<const AgentId> agents;      ///< [n], ascending
  const ColumnMatrix& honest;           ///< [n, d]
  std::span<const std::size_t> rows;    ///< [m] those of the members
  std::span<const std::size_t> benign;  ///< rows of clients in no attacker group
  const ColumnVector* root_update;      ///< null: the server trains none
  RuleProbe* rule;                      ///< null: `level` is below RULE
  Lab* lab;                             ///< null: the attack needs none
};

/// What an attack says about what it did.
struct Diagnostic {
  std::string name;
  double value = 0.0;
  std::int64_t agent = -1;  ///< the member it is about; -1: the group
};

/// An attack that left updates as they were, and why.
struct IdleAttack {
  std::string why;
  std::int64_t agent = -1;  ///< the member it is about; -1: all who are there
};

/// What comes of it.
struct CraftedUpdates {
  ColumnMatrix rows;  ///< [m, d]
  std::vector<Diagnostic> diagnostics{};
  std::vector<std::uint64_t> lengths{};  ///< [m] values that each pretends to have
  std::vector<IdleAttack> idle{};
};

/// Runs the attack with exactly the grants of its level: for all members together, or for one after the other where it
/// works so or members share nothing. Collective.
CraftedUpdates craft_updates(UpdateAttack& attack, const CraftingTask& task);

}  // namespace souk
