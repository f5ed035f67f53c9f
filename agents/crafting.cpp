#include "agents/crafting.hpp"

#include <algorithm>

#include "sim/base/contract.hpp"

namespace souk {
namespace {

/// For the members with these rows, who share what they know.
Crafted craft_together(UpdateAttack& attack, const CraftingTask& task, std::span<const std::size_t> rows) {
  const Comm& comm = task.round.comm;
  const AttackNeeds needs = attack.needs();
  const bool sees_all = task.level >= Knowledge::all, knows_rule = task.level >= Knowledge::rule;
  std::vector<AgentId> members;
  for (const std::size_t row : rows) members.push_back(task.agents[row]);
  const ColumnMatrix own = task.honest.select(comm, rows);
  const ColumnMatrix known = task.honest.select(comm, sees_all && !task.benign.empty() ? task.benign : rows);
  RoundAccess access{task.round};
  if (needs.one_by_one) access.grant(Own{members.front(), own});
  access.grant(Pool{members, own, known});
  if (sees_all) access.grant(Everyone{task.agents, task.honest, rows, task.benign});
  if (knows_rule) access.grant(RuleAccess{*task.rule});
  access.grant(knows_rule ? RuleIfKnown{task.rule, &access.get<Everyone>()} : RuleIfKnown{nullptr, nullptr});
  if (knows_rule && needs.root_update) access.grant(RootUpdate{*task.root_update});
  if (needs.lab) access.grant(Laboratory{*task.lab});
  Crafted crafted = attack.craft_from(access);
  SOUK_EXPECT(crafted.rows.rows() == rows.size() && crafted.rows.dimension() == task.honest.dimension());
  if (crafted.lengths.empty()) crafted.lengths.assign(rows.size(), task.honest.dimension());
  return crafted;
}

}  // namespace

CraftedUpdates craft_updates(UpdateAttack& attack, const CraftingTask& task) {
  CraftedUpdates all;
  if (!attack.needs().one_by_one && task.level != Knowledge::own) {
    Crafted crafted = craft_together(attack, task, task.rows);
    for (const auto& [name, value] : crafted.diagnostics) all.diagnostics.push_back({name, value});
    all.lengths = std::move(crafted.lengths);
    all.rows = std::move(crafted.rows);
    return all;
  }
  ColumnMatrixBuilder together(task.round.comm, task.rows.size(), task.honest.dimension());
  for (std::size_t i = 0; i < task.rows.size(); ++i) {
    const Crafted crafted = craft_together(attack, task, task.rows.subspan(i, 1));
    std::ranges::copy(crafted.rows.row(0), together.row(i).begin());
    const AgentId member = task.agents[task.rows[i]];
    for (const auto& [name, value] : crafted.diagnostics) all.diagnostics.push_back({name, value, member.value});
    all.lengths.push_back(crafted.lengths.front());
  }
  all.rows = std::move(together).finish();
  return all;
}

}  // namespace souk
