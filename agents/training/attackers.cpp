#include "agents/training/attackers.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include "agents/training/crafting.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/streams.hpp"
#include "sim/params/linear.hpp"

namespace souk {
namespace {

std::vector<AgentId> agents_of(std::span<const AgentId> agents, std::span<const std::size_t> rows) {
  std::vector<AgentId> chosen;
  for (const std::size_t row : rows) chosen.push_back(agents[row]);
  return chosen;
}

/// Rows of a [rows, width] table.
template <class Value>
void copy_rows(std::span<const Value> from, std::span<const std::size_t> rows, std::size_t width,
               std::vector<Value>& out) {
  for (const std::size_t row : rows) {
    const auto values = from.subspan(row * width, width);
    out.insert(out.end(), values.begin(), values.end());
  }
}

/// The names of what make_update_attacks makes.
std::vector<std::string> stage_names(const scenario::Attack& config) {
  std::vector<std::string> names;
  for (const char* oneof : {"update", "sybil"}) {
    const auto* chosen =
        config.GetReflection()->GetOneofFieldDescriptor(config, scenario::Attack::descriptor()->FindOneofByName(oneof));
    if (chosen != nullptr) names.push_back(chosen->name());
  }
  return names;
}

EventRow idle(int group, const std::string& why, std::int64_t agent = -1) {
  return {"idle attack", agent, fmt::format("attacks[{}]: {}", group, why)};
}

}  // namespace

struct Attackers::Group {
  int index;
  AttackSchedule schedule;
  scenario::Attack::Knowledge knowledge;
  bool poisons, rewires;  ///< changes the samples, the edges that members train on
  std::vector<std::unique_ptr<UpdateAttack>> stages;
  std::vector<std::string> names;  ///< of the stages
  std::unique_ptr<ReportAttack> reports;
  double identity_cost = 0.0;        ///< spent so far
  bool asked = false, lied = false;  ///< in this round: whether anybody was to validate, and reports were changed

  bool changes_training() const { return poisons || rewires; }
  Knowledge level_of(const UpdateAttack& stage) const {
    switch (knowledge) {
      case scenario::Attack::OWN:
        return Knowledge::own;
      case scenario::Attack::COLLUDERS:
        return Knowledge::colluders;
      case scenario::Attack::ALL:
        return Knowledge::all;
      case scenario::Attack::RULE:
        return Knowledge::rule;
      default:
        return stage.usual();
    }
  }
  /// Reports are shared by a group; what others report is known from ALL on, and so it is as published.
  bool sees_all_reports() const {
    return knowledge == scenario::Attack::AS_PUBLISHED || knowledge >= scenario::Attack::ALL;
  }
};

Attackers::Attackers(const scenario::Scenario& scenario, const Population& population, const AttackedServer& server)
    : seed_(scenario.seed()),
      server_rate_(scenario.server().learning_rate()),
      population_(population),
      next_identity_(static_cast<std::int64_t>(population.clients())) {
  for (int g = 0; g < scenario.attacks_size(); ++g) {
    const scenario::Attack& config = scenario.attacks(g);
    groups_.push_back(
        std::make_unique<Group>(Group{.index = g,
                                      .schedule = AttackSchedule(config, g),
                                      .knowledge = config.knowledge(),
                                      .poisons = config.data_case() != scenario::Attack::DATA_NOT_SET,
                                      .rewires = config.structure_case() != scenario::Attack::STRUCTURE_NOT_SET,
                                      .stages = make_update_attacks(config),
                                      .names = stage_names(config),
                                      .reports = make_report_attack(config)}));
    check(*groups_.back(), server);
  }
}

Attackers::~Attackers() = default;

bool Attackers::know_rule() const {
  return std::ranges::any_of(groups_, [](const auto& group) {
    return std::ranges::any_of(group->stages,
                               [&](const auto& stage) { return group->level_of(*stage) >= Knowledge::rule; });
  });
}

void Attackers::check(const Group& group, const AttackedServer& server) const {
  const int index = group.index;
  SOUK_REQUIRE(group.changes_training() || !group.stages.empty() || group.reports != nullptr,
               "attacks[{}]: chooses no method", index);
  for (std::size_t s = 0; s < group.stages.size(); ++s) {
    const UpdateAttack& stage = *group.stages[s];
    SOUK_REQUIRE(group.level_of(stage) >= stage.least(), "attacks[{}].knowledge = {}: {} needs {}", index,
                 knowledge_name(group.level_of(stage)), group.names[s], knowledge_name(stage.least()));
    SOUK_REQUIRE(!stage.needs().root_update || server.root_update,
                 "attacks[{}]: the attack is made for a server that trains on root data, which this aggregator does "
                 "not",
                 index);
    SOUK_REQUIRE(group.poisons || !stage.needs_poison(),
                 "attacks[{}]: the update attack hides a backdoor, but the group has no data attack", index);
    const std::string unmet = stage.unmet(server.terms);
    SOUK_REQUIRE(unmet.empty(), "attacks[{}].{}", index, unmet);
    try {
      stage.check();
    } catch (const InputError& error) {
      throw_input_error("attacks[{}].{}", index, error.what());  // an attack does not know which group it is in
    }
    check_reach(group, s, server.wanted);
  }
  SOUK_REQUIRE(group.reports == nullptr || group.reports->least() < Knowledge::all || group.sees_all_reports(),
               "attacks[{}].knowledge: what the group does as validators needs ALL", index);
}

/// Whether a round can ever bring as many members, and tell them of as many updates, as the stage needs.
void Attackers::check_reach(const Group& group, std::size_t stage, std::size_t wanted) const {
  const UpdateAttack& attack = *group.stages[stage];
  const Knowledge level = group.level_of(attack);
  const std::size_t members = std::min(wanted, population_.members_of(group.index).size());
  const std::size_t benign = std::min(wanted, population_.clients() - population_.malicious());
  const std::size_t known = level >= Knowledge::all && benign > 0 ? benign : members;
  SOUK_REQUIRE(members >= attack.least_members(),
               "attacks[{}]: {} needs {} members in a round, and there are never more than {}", group.index,
               group.names[stage], attack.least_members(), members);
  SOUK_REQUIRE(known >= attack.least_known(level),
               "attacks[{}].knowledge = {}: {} needs to know {} updates of a round, and there are never more than {}",
               group.index, knowledge_name(level), group.names[stage], attack.least_known(level), known);
}

bool Attackers::acts(AgentId client, RoundIndex round) const {
  const int group = population_.group_of(client);
  return group >= 0 && groups_[static_cast<std::size_t>(group)]->schedule.acts(round);
}

bool Attackers::crafts(AgentId client, RoundIndex round) const {
  return acts(client, round) && !groups_[static_cast<std::size_t>(population_.group_of(client))]->stages.empty();
}

bool Attackers::poisons_training(AgentId client, RoundIndex round) const {
  if (!acts(client, round)) return false;
  const Group& group = *groups_[static_cast<std::size_t>(population_.group_of(client))];
  return group.changes_training() &&
         std::ranges::none_of(group.stages, [](const auto& stage) { return stage->needs().lab; });
}

std::vector<int> Attackers::beginning(RoundIndex round) const {
  std::vector<int> groups;
  for (const auto& group : groups_) {
    if (group->schedule.first() == round) groups.push_back(group->index);
  }
  return groups;
}

SentUpdates Attackers::send(const CraftingRound& round, RoundRecord& record) {
  std::vector<std::size_t> everyone(round.agents.size());
  for (std::size_t i = 0; i < everyone.size(); ++i) everyone[i] = i;
  SentUpdates sent{round.honest.select(round.comm, everyone)};
  crafted_.clear();
  for (const auto& group : groups_) {
    if (group->schedule.acts(round.round)) craft(round, *group, sent, record);
  }
  submitted_ = sent.updates.select(round.comm, everyone);
  submitters_.assign(round.agents.begin(), round.agents.end());
  submitted_squares_.clear();
  return sent;
}

/// A group's stages one after the other: each takes the members' rows as the one before left them. Groups do not see
/// what other groups crafted.
void Attackers::craft(const CraftingRound& round, Group& group, SentUpdates& sent, RoundRecord& record) {
  std::vector<std::size_t> rows, everyone;
  for (std::size_t i = 0; i < round.agents.size(); ++i) {
    everyone.push_back(i);
    if (population_.group_of(round.agents[i]) == group.index) rows.push_back(i);
  }
  if (rows.empty()) {
    const bool sends = group.changes_training() || !group.stages.empty();
    if (sends) record.events.push_back(idle(group.index, "none of its members takes part in this round"));
    return;
  }
  if (group.stages.empty()) return;
  ColumnMatrix seen = round.honest.select(round.comm, everyone);
  for (std::size_t stage = 0; stage < group.stages.size(); ++stage) {
    CraftingRound now{round.comm,   round.round,       round.agents, seen,     round.global,
                      round.change, round.root_update, round.rule,   round.lab};
    crafted_.push_back(run_stage(now, group, stage, rows, sent, record));
    seen = seen.replaced(round.comm, rows, crafted_.back());
  }
  sent.updates = sent.updates.replaced(round.comm, rows, crafted_.back());
}

/// The members' new rows.
ColumnMatrix Attackers::run_stage(const CraftingRound& round, Group& group, std::size_t stage,
                                  std::span<const std::size_t> rows, SentUpdates& sent, RoundRecord& record) {
  UpdateAttack& attack = *group.stages[stage];
  std::vector<std::size_t> benign;
  for (std::size_t i = 0; i < round.agents.size(); ++i) {
    if (population_.group_of(round.agents[i]) < 0) benign.push_back(i);
  }
  const PublicRound open{round.comm,  round.round,  seed_,        round.agents.size(),
                         rows.size(), server_rate_, round.global, round.change};
  CraftedUpdates crafted = craft_updates(attack, {.round = open,
                                                  .level = group.level_of(attack),
                                                  .agents = round.agents,
                                                  .honest = round.honest,
                                                  .rows = rows,
                                                  .benign = benign,
                                                  .root_update = round.root_update,
                                                  .rule = &round.rule,
                                                  .lab = &round.lab});
  for (const Diagnostic& diagnostic : crafted.diagnostics) {
    record.add(fmt::format("attack.{}.{}", group.index, diagnostic.name), diagnostic.value, diagnostic.agent);
  }
  for (const IdleAttack& entry : crafted.idle) {
    record.events.push_back(idle(group.index, group.names[stage] + " " + entry.why, entry.agent));
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (crafted.lengths[i] != round.honest.dimension()) sent.lengths[rows[i]] = crafted.lengths[i];
  }
  return std::move(crafted.rows);
}

/// Proposed models closer in direction to a submission of the group than to any other: its own work, as far as those
/// who submitted it can tell. Ties go to the smaller row.
std::vector<std::uint8_t> Attackers::ours(const Comm& comm, const ColumnMatrix& steps, int group) {
  if (submitters_.empty()) return std::vector<std::uint8_t>(steps.rows(), 0);
  if (submitted_squares_.empty()) submitted_squares_ = squared_norms(comm, submitted_);
  std::vector<std::uint8_t> flags;
  for (std::size_t s = 0; s < steps.rows(); ++s) {
    const std::vector<double> products = dots(comm, submitted_, copy_of_row(steps, s));
    std::size_t closest = 0;
    double largest = 0.0;
    for (std::size_t i = 0; i < products.size(); ++i) {
      const double square = submitted_squares_[i];
      const double cosine = std::isfinite(square) ? cosine_of(products[i], std::sqrt(square)) : 0.0;
      if (i > 0 && cosine <= largest) continue;
      closest = i;
      largest = cosine;
    }
    flags.push_back(population_.group_of(submitters_[closest]) == group ? 1 : 0);
  }
  return flags;
}

void Attackers::edit_reports(const Comm& comm, RoundIndex round, const ColumnMatrix& steps,
                             std::span<const AgentId> validators, std::size_t classes, std::span<double> reports) {
  const std::vector<double> honest(reports.begin(), reports.end());
  const std::size_t width = steps.rows() * classes;
  for (const auto& group : groups_) {
    if (group->reports == nullptr || !group->schedule.acts(round)) continue;
    group->asked = true;
    std::vector<std::size_t> rows;
    for (std::size_t v = 0; v < validators.size(); ++v) {
      if (population_.group_of(validators[v]) == group->index) rows.push_back(v);
    }
    if (rows.empty()) continue;
    const std::vector<AgentId> members = agents_of(validators, rows);
    const std::vector<std::uint8_t> own_steps = ours(comm, steps, group->index);
    std::vector<double> own;
    copy_rows<double>(honest, rows, width, own);
    ReportAccess access;
    std::get<std::optional<OwnReports>>(access.grants)
        .emplace(OwnReports{members, steps.rows(), classes, own, own_steps});
    if (group->sees_all_reports())
      std::get<std::optional<AllReports>>(access.grants).emplace(AllReports{honest, validators, rows});
    Stream random(seed_, streams::lie_of_validators(members.front(), round));
    const std::vector<double> before = own;
    group->reports->report_from(access, random);
    const auto same = [](double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); };
    group->lied = group->lied || !std::ranges::equal(before, own, same);
    for (std::size_t m = 0; m < rows.size(); ++m) {
      std::copy_n(own.begin() + static_cast<std::ptrdiff_t>(m * width), width,
                  reports.begin() + static_cast<std::ptrdiff_t>(rows[m] * width));
    }
  }
}

/// What the group's validators could not do in this round.
void Attackers::note_reports(Group& group, RoundIndex round, RoundRecord& record) const {
  const bool idle_reports = group.reports != nullptr && group.schedule.acts(round) && !group.lied;
  if (idle_reports) {
    record.events.push_back(idle(group.index, group.asked ? "its reports are what they would have been without it"
                                                          : "nobody validates in this round"));
  }
  group.asked = group.lied = false;
}

void Attackers::tell_outcomes(const Comm& comm, RoundIndex round, const ToldToAll& told, double turned) {
  for (const auto& group : groups_) {
    const auto is_member = [&](AgentId agent) { return population_.group_of(agent) == group->index; };
    std::vector<AgentId> members, payees;
    std::vector<double> own;
    std::ranges::copy_if(told.agents, std::back_inserter(members), is_member);
    for (std::size_t i = 0; i < told.payees.size(); ++i) {
      if (!is_member(told.payees[i])) continue;
      payees.push_back(told.payees[i]);
      own.push_back(told.paid[i]);
    }
    for (const auto& stage : group->stages) stage->learn({comm, round, members, payees, own, turned});
  }
}

std::vector<std::pair<int, BaselineClaim>> Attackers::claims(const Comm& comm) {
  std::vector<std::pair<int, BaselineClaim>> claims;
  for (const auto& group : groups_) {
    for (const auto& stage : group->stages) {
      if (std::optional<BaselineClaim> claim = stage->claim(comm)) {
        claims.emplace_back(group->index, std::move(*claim));
      }
    }
  }
  return claims;
}

void Attackers::observe(const Published& published, RoundRecord& record) {
  for (const auto& group : groups_) {
    note_reports(*group, published.round, record);
    for (const auto& stage : group->stages) {
      stage->observe(published);
      for (const AgentId leaver : stage->leaving()) {
        const AgentId before = identity_of(leaver);
        identities_[leaver.value] = static_cast<std::uint32_t>(next_identity_++);
        group->identity_cost += stage->identity_cost();
        record.events.push_back(
            {"whitewash", leaver.value,
             fmt::format("identity {} leaves and comes back as {}", before.value, identity_of(leaver).value)});
      }
    }
    if (group->identity_cost > 0.0) {
      record.add(fmt::format("attack.{}.identity_cost", group->index), group->identity_cost);
    }
  }
}

Footprint Attackers::footprint(std::size_t updates, double vector) const {
  Footprint footprint;
  for (const auto& group : groups_) {
    const std::size_t members = population_.members_of(group->index).size();
    const AttackScale scale{.updates = static_cast<double>(updates),
                            .members = static_cast<double>(std::min(members, updates)),
                            .group = static_cast<double>(members),
                            .vector = vector};
    for (const auto& stage : group->stages) {
      const AttackFootprint own = stage->footprint(scale);
      footprint.held += own.held;
      footprint.at(Moment::attacking) = std::max(footprint.at(Moment::attacking), own.working);
    }
  }
  return footprint;
}

AgentId Attackers::identity_of(AgentId client) const {
  const auto found = identities_.find(client.value);
  return found == identities_.end() ? client : AgentId{found->second};
}

void Attackers::serialize(Archive& archive, const Comm& comm) {
  for (const auto& group : groups_) {
    for (const auto& stage : group->stages) stage->serialize(archive, comm);
    archive.field("identity cost", group->identity_cost);
  }
  std::vector<std::int64_t> renamed;
  for (const auto& [client, identity] : identities_) renamed.insert(renamed.end(), {client, identity});
  archive.field("identities", renamed);
  archive.field("next identity", next_identity_);
  if (!archive.loading()) return;
  identities_.clear();
  for (std::size_t i = 0; i + 1 < renamed.size(); i += 2) {
    identities_[static_cast<std::uint32_t>(renamed[i])] = static_cast<std::uint32_t>(renamed[i + 1]);
  }
}

}  // namespace souk
