#include "sim/app/attack_properties.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "agents/simulation.hpp"
#include "attacks/attack.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/error.hpp"
#include "sim/base/hash.hpp"
#include "sim/comm/thread_team.hpp"
#include "sim/engine/scenario_file.hpp"

namespace souk {
namespace {

using Verdict = PropertyResult::Verdict;

constexpr std::uint32_t trial_rounds = 4;
const std::set<std::int64_t> group_members{1, 4, 6};

scenario::Attack group_of(const scenario::PythonAttack& attack) {
  scenario::Attack group;
  *group.mutable_python() = attack;
  return group;
}

/// A group in a small federation. Under the mean, whatever a member submits shows in the model; who asks for the
/// server's own update needs a rule for which it trains one.
std::string federation_with(const scenario::PythonAttack& attack, const std::set<std::int64_t>& members,
                            std::optional<scenario::Attack::Knowledge> knowledge = {}) {
  scenario::Scenario world;
  world.set_rounds(trial_rounds);
  auto& images = *world.mutable_task()->mutable_data()->mutable_glyphs();
  images.set_train_samples(240);
  images.set_test_samples(20);
  world.mutable_task()->mutable_model()->mutable_mlp()->add_hidden(8);
  world.mutable_task()->mutable_training()->set_batch_size(16);
  world.mutable_participants()->set_clients(8);
  world.mutable_participants()->set_per_round(6);
  world.mutable_root()->set_samples(20);
  if (make_update_attacks(group_of(attack)).front()->needs().root_update) {
    world.mutable_aggregator()->mutable_fltrust();
  } else {
    world.mutable_aggregator()->mutable_mean();
  }
  if (members.empty()) return to_text(world);
  scenario::Attack& group = *world.add_attacks();
  group = group_of(attack);
  for (const std::int64_t member : members) group.mutable_members()->add_id(static_cast<std::uint32_t>(member));
  if (knowledge) group.set_knowledge(*knowledge);
  return to_text(world);
}

/// What is left of a run.
struct TriedRun {
  std::vector<RoundRecord> records;
  std::string state;  ///< all that a checkpoint would hold
  bool operator==(const TriedRun& other) const { return state == other.state; }
};

/// On ranks that are threads. After round `break_after`, if there is one, another simulation goes on from what the
/// first has saved.
TriedRun tried(const std::string& text, int ranks = 1, std::uint32_t break_after = 0) {
  TriedRun trial;
  const ResolvedScenario resolved = resolve_scenario({.file_name = "souk conform", .text = text, .overrides = {}});
  run_team(ranks, [&](const Comm& comm) {
    auto simulation = make_simulation(comm, *resolved.scenario, "cpu");
    std::vector<RoundRecord> records;
    const std::optional<InjectedFault> no_fault;
    for (std::uint32_t r = 1; r <= trial_rounds; ++r) {
      records.emplace_back().round = {r};
      Phases phases(comm, {r}, no_fault);
      simulation->run_round({r}, r == trial_rounds, phases, records.back());
      if (r != break_after) continue;
      SaveArchive saved;
      simulation->serialize(saved);
      simulation = make_simulation(comm, *resolved.scenario, "cpu");
      LoadArchive load(saved.bytes());
      simulation->serialize(load);
    }
    SaveArchive last;
    simulation->serialize(last);
    if (comm.rank() == 0) trial = {std::move(records), sha256_hex(last.bytes())};
  });
  return trial;
}

/// Everything measured in the first round of clients that are in no group, but for what compares them with the step.
std::vector<std::pair<std::string, double>> work_of_others(const TriedRun& trial) {
  std::vector<std::pair<std::string, double>> work;
  for (const MetricValue& metric : trial.records.front().metrics) {
    if (metric.agent < 0 || group_members.contains(metric.agent) || metric.name == "cosine_to_aggregate") continue;
    work.emplace_back(metric.name + " " + std::to_string(metric.agent), metric.value);
  }
  return work;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

/// The first line of what goes wrong, if anything does.
std::string failure_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const std::runtime_error& error) {
    return first_line(error.what());
  }
  return {};
}

class AttackTrials {
 public:
  explicit AttackTrials(const scenario::PythonAttack& attack) : attack_(attack) {}

  std::vector<PropertyResult> all() {
    const std::string text = federation_with(attack_, group_members);
    TriedRun alone;
    note("crafts for a group of three", [&] { alone = tried(text); });
    if (results_.back().verdict == Verdict::broken) return results_;
    note_same("does the same when run again", alone, [&] { return tried(text); });
    for (const int ranks : {2, 3}) {
      note_same("gives the same bits on 1 and " + std::to_string(ranks) + " ranks", alone,
                [&] { return tried(text, ranks); });
    }
    note_same("saving, loading and going on on 2 ranks changes nothing", alone,
              [&] { return tried(text, 2, trial_rounds / 2); });
    const bool left = work_of_others(alone) == work_of_others(tried(federation_with(attack_, {})));
    results_.push_back({"leaves what others train as it is", left ? Verdict::kept : Verdict::broken,
                        left ? "" : "their losses or norms are others than without it"});
    note("crafts for a single member", [&] { tried(federation_with(attack_, {4})); });
    for (const auto level :
         {scenario::Attack::OWN, scenario::Attack::COLLUDERS, scenario::Attack::ALL, scenario::Attack::RULE}) {
      note_knowledge(level);
    }
    return results_;
  }

 private:
  void note(const std::string& property, const std::function<void()>& work) {
    const std::string why = failure_of(work);
    results_.push_back({property, why.empty() ? Verdict::kept : Verdict::broken, why});
  }

  void note_same(const std::string& property, const TriedRun& expected, const std::function<TriedRun()>& work) {
    std::string why = failure_of([&] {
      if (!(work() == expected)) throw_input_error("the model or a state is another one");
    });
    results_.push_back({property, why.empty() ? Verdict::kept : Verdict::broken, why});
  }

  /// Levels below what the function asks for are refused by name, which is as it should be.
  void note_knowledge(scenario::Attack::Knowledge level) {
    const std::string why = failure_of([&] { tried(federation_with(attack_, group_members, level)); });
    const Verdict verdict = why.empty()                                      ? Verdict::kept
                            : why.find(".knowledge = ") != std::string::npos ? Verdict::declared
                                                                             : Verdict::broken;
    results_.push_back({"crafts with knowledge " + scenario::Attack::Knowledge_Name(level), verdict, why});
  }

  const scenario::PythonAttack& attack_;
  std::vector<PropertyResult> results_;
};

}  // namespace

std::vector<PropertyResult> properties_of(const scenario::PythonAttack& attack) { return AttackTrials(attack).all(); }

}  // namespace souk
