#include "agents/attackers.hpp"

#include <algorithm>
#include <limits>

#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"

namespace souk {
namespace {

/// An attack knows the names of its fields, but not which group of the scenario it is.
void check_settings(const DataAttack& attack, int classes, int group) {
  try {
    attack.check(classes);
  } catch (const InputError& error) {
    throw_input_error("attacks[{}].{}", group, error.what());
  }
}

}  // namespace

struct Attackers::Group {
  std::uint32_t from_round = 1, to_round = std::numeric_limits<std::uint32_t>::max();
  std::unique_ptr<DataAttack> data;
  std::unique_ptr<UpdateAttack> update;
  std::unique_ptr<ReportAttack> reports;
  bool acts(RoundIndex round) const { return round.value >= from_round && round.value <= to_round; }
};

Attackers::Attackers(const scenario::Scenario& scenario, const Population& population, int classes)
    : seed_(scenario.seed()), population_(population), classes_(classes) {
  for (int g = 0; g < scenario.attacks_size(); ++g) {
    const scenario::Attack& config = scenario.attacks(g);
    auto group = std::make_unique<Group>();
    group->from_round = config.from_round();
    if (config.to_round() > 0) group->to_round = config.to_round();
    SOUK_REQUIRE(group->to_round >= group->from_round, "attacks[{}].to_round = {}: is before from_round = {}", g,
                 config.to_round(), config.from_round());
    group->data = make_data_attack(config);
    group->update = make_update_attack(config);
    group->reports = make_report_attack(config);
    SOUK_REQUIRE(group->data != nullptr || group->update != nullptr || group->reports != nullptr,
                 "attacks[{}]: chooses no method", g);
    if (group->data != nullptr) check_settings(*group->data, classes, g);
    groups_.push_back(std::move(group));
  }
}

Attackers::~Attackers() = default;

const Attackers::Group* Attackers::acting_group(AgentId client, RoundIndex round) const {
  const int index = population_.group_of(client);
  if (index < 0) return nullptr;
  const Group* group = groups_[static_cast<std::size_t>(index)].get();
  return group->acts(round) ? group : nullptr;
}

BatchEdit Attackers::batch_edit(AgentId client, RoundIndex round) const {
  const Group* group = acting_group(client, round);
  if (group == nullptr || group->data == nullptr) return {};
  return [this, group, random = Stream(seed_, Purpose::data_attack, client, round)](
             std::span<const SampleIndex> which, std::span<float> features, std::span<std::int32_t> labels) mutable {
    group->data->poison({which, features, labels, classes_}, random);
  };
}

ColumnMatrix Attackers::replace_updates(const Comm& comm, RoundIndex round, std::span<const AgentId> agents,
                                        const ColumnMatrix& honest) {
  std::vector<std::size_t> all(agents.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  ColumnMatrix view = honest.select(comm, all);
  crafted_.clear();
  for (const auto& group : groups_) {
    if (group->update == nullptr || !group->acts(round)) continue;
    std::vector<AgentId> members;
    std::vector<std::size_t> rows;
    for (std::size_t i = 0; i < agents.size(); ++i) {
      if (acting_group(agents[i], round) != group.get()) continue;
      members.push_back(agents[i]);
      rows.push_back(i);
    }
    if (members.empty()) continue;
    if (group->update->knowledge() == Knowledge::own) {
      for (std::size_t m = 0; m < members.size(); ++m) {
        const auto row = std::span(rows).subspan(m, 1);
        crafted_.push_back(craft(comm, round, *group, std::span(members).subspan(m, 1), row, honest));
        view = view.replaced(comm, row, crafted_.back());
      }
    } else {
      crafted_.push_back(craft(comm, round, *group, members, rows, honest));
      view = view.replaced(comm, rows, crafted_.back());
    }
  }
  return view;
}

ColumnMatrix Attackers::craft(const Comm& comm, RoundIndex round, Group& group, std::span<const AgentId> members,
                              std::span<const std::size_t> rows, const ColumnMatrix& honest) {
  const bool sees_all = group.update->knowledge() == Knowledge::all_updates;
  const ColumnMatrix granted = sees_all ? ColumnMatrix() : honest.select(comm, rows);
  const CraftInput input{comm, round, members, sees_all ? honest : granted, seed_};
  ColumnMatrix crafted = group.update->craft(input);
  SOUK_EXPECT(crafted.rows() == members.size() && crafted.dimension() == honest.dimension());
  return crafted;
}

void Attackers::edit_reports(RoundIndex round, std::span<const AgentId> validators, std::size_t steps,
                             std::size_t classes, std::span<double> reports) const {
  const std::vector<double> honest(reports.begin(), reports.end());
  const std::size_t width = steps * classes;
  for (const auto& group : groups_) {
    if (group->reports == nullptr || !group->acts(round)) continue;
    std::vector<AgentId> members;
    std::vector<std::size_t> rows;
    std::vector<double> own;
    for (std::size_t v = 0; v < validators.size(); ++v) {
      if (acting_group(validators[v], round) != group.get()) continue;
      members.push_back(validators[v]);
      rows.push_back(v);
      own.insert(own.end(), honest.begin() + static_cast<std::ptrdiff_t>(v * width),
                 honest.begin() + static_cast<std::ptrdiff_t>((v + 1) * width));
    }
    if (members.empty()) continue;
    const bool sees_all = group->reports->knowledge() == Knowledge::all_updates;
    Stream random(seed_, Purpose::update_attack, members.front(), round, 1);
    group->reports->report({.members = members,
                            .steps = steps,
                            .classes = classes,
                            .own = own,
                            .all = sees_all ? std::span<const double>(honest) : std::span<const double>(),
                            .validators = sees_all ? validators : std::span<const AgentId>()},
                           random);
    for (std::size_t m = 0; m < rows.size(); ++m) {
      std::copy_n(own.begin() + static_cast<std::ptrdiff_t>(m * width), width,
                  reports.begin() + static_cast<std::ptrdiff_t>(rows[m] * width));
    }
  }
}

void Attackers::serialize(Archive& archive, const Comm& comm) {
  for (const auto& group : groups_) {
    if (group->update != nullptr) group->update->serialize(archive, comm);
  }
}

}  // namespace souk
