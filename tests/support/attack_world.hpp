#pragma once

#include <memory>
#include <string>
#include <vector>

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "attacks/attack.hpp"
#include "scenarios/attacks.pb.h"
#include "sim/comm/comm.hpp"
#include "tests/support/matrices.hpp"

namespace souk {

inline scenario::Attack attack_group(const std::string& text) {
  scenario::Attack group;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &group)) << text;
  return group;
}

/// A round to craft in: the first `members` of the rows are malicious, the others benign; agents are 0 … n - 1.
struct AttackRound {
  Rows honest;
  std::size_t members = 1;
  Knowledge level = Knowledge::all;
  std::vector<float> global{}, change{};  ///< [d]; empty: zeros
  RuleProbe* rule = nullptr;
  std::vector<float> root_update{};
  Lab* lab = nullptr;
  std::uint32_t round = 1;
  std::uint64_t seed = 1;
};

/// What the attack makes of it: the crafted rows, whole, on every rank, and its diagnostics.
struct CraftedRows {
  Rows rows;
  std::map<std::string, double> diagnostics;
  std::vector<std::uint64_t> lengths;
  std::string idle{};  ///< the last member's, where they craft one by one
};

inline CraftedRows craft(const Comm& comm, UpdateAttack& attack, const AttackRound& world) {
  const std::size_t n = world.honest.size(), d = world.honest.front().size(), m = world.members;
  const TestMatrix all(comm, world.honest);
  std::vector<AgentId> agents;
  std::vector<std::size_t> rows, benign;
  for (std::uint32_t i = 0; i < n; ++i) {
    agents.push_back({i});
    (i < m ? rows : benign).push_back(i);
  }
  const auto vector_of = [&](std::vector<float> values) {
    values.resize(d);
    return ColumnVector(comm, values);
  };
  const ColumnVector global = vector_of(world.global), change = vector_of(world.change);
  const ColumnVector root_update = vector_of(world.root_update);
  const PublicRound open{comm, {world.round}, world.seed, n, m, 1.0, global, change};
  CraftedRows result;
  const auto take = [&](std::span<const std::size_t> of, std::span<const AgentId> members) {
    const ColumnMatrix own = all.columns().select(comm, of);
    const bool sees_all = world.level >= Knowledge::all && !benign.empty();
    const ColumnMatrix known = all.columns().select(comm, sees_all ? benign : of);
    RoundAccess access{open};
    if (attack.needs().one_by_one) access.grant(Own{members.front(), own});
    access.grant(Pool{members, own, known, world.level != Knowledge::own});
    if (world.level >= Knowledge::all) access.grant(Everyone{agents, all.columns(), of, benign});
    if (world.rule != nullptr) access.grant(RuleAccess{*world.rule});
    access.grant(world.rule != nullptr ? RuleIfKnown{world.rule, &access.get<Everyone>()}
                                       : RuleIfKnown{nullptr, nullptr});
    if (!world.root_update.empty()) access.grant(RootUpdate{root_update});
    if (world.lab != nullptr) access.grant(Laboratory{*world.lab});
    const Crafted crafted = attack.craft_from(access);
    const std::size_t count = crafted.rows.rows();
    const std::vector<RowRange> wanted(static_cast<std::size_t>(comm.size()), RowRange{0, count});
    const std::vector<float> values = gather_rows(comm, crafted.rows, wanted);
    for (std::size_t i = 0; i < count; ++i) {
      const auto first = values.begin() + static_cast<std::ptrdiff_t>(i * d);
      result.rows.emplace_back(first, first + static_cast<std::ptrdiff_t>(d));
    }
    result.diagnostics.insert(crafted.diagnostics.begin(), crafted.diagnostics.end());
    result.idle = crafted.idle;
    result.lengths.insert(result.lengths.end(), crafted.lengths.begin(), crafted.lengths.end());
  };
  if (attack.needs().one_by_one || world.level == Knowledge::own) {
    for (std::size_t i = 0; i < m; ++i) take(std::span(rows).subspan(i, 1), std::span(agents).subspan(i, 1));
  } else {
    take(rows, std::span(agents).first(m));
  }
  return result;
}

/// The same from the text of a group, on one rank.
inline CraftedRows craft(const std::string& group, const AttackRound& world) {
  const auto stages = make_update_attacks(attack_group(group));
  EXPECT_EQ(stages.size(), 1U);
  return craft(Comm::self(), *stages.front(), world);
}

}  // namespace souk
