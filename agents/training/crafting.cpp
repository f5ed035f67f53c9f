#include "agents/training/crafting.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "sim/base/contract.hpp"

namespace souk {
namespace {

/// Whether all values are equal. Collective.
bool same_values(const Comm& comm, const ColumnMatrix& a, const ColumnMatrix& b) {
  bool same = true;
  for (std::size_t i = 0; i < a.rows() && same; ++i) same = std::ranges::equal(a.row(i), b.row(i));
  return comm.all_max(same ? 0 : 1) == 0;
}

/// Why so many members who know so many updates cannot do anything with the attack; empty: they can.
std::string obstacle(const UpdateAttack& attack, Knowledge level, std::size_t members, std::size_t known) {
  if (members < attack.least_members()) {
    return fmt::format("needs {} members in a round, and {} took part", attack.least_members(), members);
  }
  if (known < attack.least_known(level)) {
    return fmt::format("needs to know {} updates, and there was {}", attack.least_known(level), known);
  }
  return "";
}

/// For the members with these rows, who share what they know.
Crafted craft_together(UpdateAttack& attack, const CraftingTask& task, std::span<const std::size_t> rows) {
  const Comm& comm = task.round.comm;
  const AttackNeeds needs = attack.needs();
  const bool sees_all = task.level >= Knowledge::all, knows_rule = task.level >= Knowledge::rule;
  std::vector<AgentId> members;
  for (const std::size_t row : rows) members.push_back(task.agents[row]);
  const ColumnMatrix own = task.honest.select(comm, rows);
  const ColumnMatrix known = task.honest.select(comm, sees_all && !task.benign.empty() ? task.benign : rows);
  if (std::string why = obstacle(attack, task.level, rows.size(), known.rows()); !why.empty()) {
    return {.rows = copy_of(comm, own),
            .lengths = std::vector<std::uint64_t>(rows.size(), task.honest.dimension()),
            .idle = std::move(why)};
  }
  RoundAccess access{task.round};
  if (needs.one_by_one) access.grant(Own{members.front(), own});
  access.grant(Pool{members, own, known, task.level != Knowledge::own});
  if (sees_all) access.grant(Everyone{task.agents, task.honest, rows, task.benign});
  if (knows_rule) access.grant(RuleAccess{*task.rule});
  access.grant(knows_rule ? RuleIfKnown{task.rule, &access.get<Everyone>()} : RuleIfKnown{nullptr, nullptr});
  if (knows_rule && needs.root_update) access.grant(RootUpdate{*task.root_update});
  if (needs.lab) access.grant(Laboratory{*task.lab});
  Crafted crafted = attack.craft_from(access);
  SOUK_EXPECT(crafted.rows.rows() == rows.size() && crafted.rows.dimension() == task.honest.dimension());
  if (crafted.lengths.empty()) crafted.lengths.assign(rows.size(), task.honest.dimension());
  const bool right_length =
      std::ranges::all_of(crafted.lengths, [&](std::uint64_t length) { return length == task.honest.dimension(); });
  if (crafted.idle.empty() && right_length && !attack.may_behave() && same_values(comm, crafted.rows, own)) {
    crafted.idle = "submits what members would have submitted without it";
  }
  if (!crafted.idle.empty()) crafted.diagnostics.clear();  // of what did not happen there is nothing to tell
  return crafted;
}

/// One entry for all where all say the same.
void tell_once(std::vector<IdleAttack>& idle, std::size_t members) {
  const auto alike = [&](const IdleAttack& entry) { return entry.why == idle.front().why; };
  if (idle.size() == members && std::ranges::all_of(idle, alike)) idle = {{idle.front().why}};
}

}  // namespace

CraftedUpdates craft_updates(UpdateAttack& attack, const CraftingTask& task) {
  CraftedUpdates all;
  if (!attack.needs().one_by_one && task.level != Knowledge::own) {
    Crafted crafted = craft_together(attack, task, task.rows);
    for (const auto& [name, value] : crafted.diagnostics) all.diagnostics.push_back({name, value});
    all.lengths = std::move(crafted.lengths);
    all.rows = std::move(crafted.rows);
    if (!crafted.idle.empty()) all.idle.push_back({std::move(crafted.idle)});
    return all;
  }
  ColumnMatrixBuilder together(task.round.comm, task.rows.size(), task.honest.dimension());
  for (std::size_t i = 0; i < task.rows.size(); ++i) {
    const Crafted crafted = craft_together(attack, task, task.rows.subspan(i, 1));
    std::ranges::copy(crafted.rows.row(0), together.row(i).begin());
    const AgentId member = task.agents[task.rows[i]];
    for (const auto& [name, value] : crafted.diagnostics) all.diagnostics.push_back({name, value, member.value});
    all.lengths.push_back(crafted.lengths.front());
    if (!crafted.idle.empty()) all.idle.push_back({crafted.idle, member.value});
  }
  tell_once(all.idle, task.rows.size());
  all.rows = std::move(together).finish();
  return all;
}

}  // namespace souk
