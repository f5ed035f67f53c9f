#include "agents/simulation.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "agents/cast/federation.hpp"
#include "agents/cast/owners.hpp"
#include "agents/stage.hpp"
#include "agents/training/attack_checks.hpp"
#include "agents/training/learning.hpp"
#include "aggregators/aggregator.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// What an owner's rule and the sections ask for, known before any data are dealt. Throws InputError where the data set
/// does not have what the rule judges by.
OwnerNeeds needs_of(const scenario::Scenario& scenario, const std::vector<const ScenarioSection*>& sections,
                    const Owner& owner, std::size_t index, const Dataset& train) {
  const RuleNeeds rule = make_aggregator(*owner.aggregator)->needs();
  SOUK_REQUIRE(!rule.classes || train.classes() > 0,
               "aggregator.{}: judges models by class, and the data set has numbers to predict",
               plugin_name(chosen(*owner.aggregator, "rule")->GetDescriptor()));
  SOUK_REQUIRE(!rule.noise || !train.shape().graph,
               "aggregator.{}: asks networks about noise, and the samples of the data set are nodes of a graph",
               plugin_name(chosen(*owner.aggregator, "rule")->GetDescriptor()));
  OwnerNeeds needs{.root = rule.root_update || rule.root_data || owner.root->always(), .validators = rule.validators};
  for (const ScenarioSection* section : sections) {
    if (!section->needs) continue;
    const OwnerNeeds more = section->needs(scenario, index);
    needs.root = needs.root || more.root;
    needs.validators = needs.validators || more.validators;
  }
  return needs;
}

/// Whatever is saved passes through a buffer, and columns through one more.
Footprint checkpoint_footprint() {
  Footprint footprint;
  footprint.at(Moment::saving) = 6e6;
  return footprint;
}

/// The program itself: libraries' own memory, and with several ranks MPI's.
Footprint program_footprint(int ranks) {
  Footprint footprint;
  footprint.held = ranks > 1 ? 60e6 : 50e6;
  return footprint;
}

class StagedSimulation final : public Simulation {
 public:
  StagedSimulation(const Comm& comm, const scenario::Scenario& scenario, const std::string& device, SharedData data,
                   const Federation* like, const Forgotten& absent)
      : comm_(comm), scenario_(scenario), device_(device) {
    comm.run_phase("set up", [&] { build(std::move(data), like, absent); });
  }

  SetUpRecord set_up_record() const override {
    SetUpRecord record = federation_->record();
    for (const auto& stage : stages_) stage->set_up(record);
    note_idle_attacks(scenario_, record);
    if (scenario_.has_unlearning() && scenario_.unlearning().requests_size() == 0 &&
        scenario_.unlearning().at_first_size() == 0) {
      record.events.push_back({"idle unlearning", -1, "nobody asks: the section has no requests"});
    }
    if (federation_->population().malicious() == federation_->population().clients()) {
      record.events.push_back(
          {"no benign client", -1, "every client is malicious: nothing can be said about benign ones"});
    }
    return record;
  }

  void run_round(RoundIndex round, bool last, Phases& phases, RoundRecord& record) override {
    for (const auto& stage : stages_) stage->begin(round, phases, record);
    for (const auto& stage : stages_) stage->run(round, last, phases, record);
    for (const auto& stage : stages_) stage->end(record);
  }

  void serialize(Archive& archive) override {
    auto saved = static_cast<std::int64_t>(layout().fingerprint());
    archive.field("parameter layout", saved);
    SOUK_REQUIRE(saved == static_cast<std::int64_t>(layout().fingerprint()),
                 "saved state: its parameters have other names or shapes than this model's");
    for (const auto& stage : stages_) stage->serialize(archive);
  }

  std::span<const float> parameters() const override { return learning_->model(0).parameters(); }
  const ParameterLayout& layout() const override { return federation_->task().layout(); }
  ModelServer& model(std::size_t owner) override { return learning_->model(owner); }

  RunEstimate estimate(int ranks) const override;

  std::vector<Forecast> forecasts() const override {
    std::vector<Forecast> all;
    for (const auto& stage : stages_) {
      for (Forecast& forecast : stage->forecasts()) all.push_back(std::move(forecast));
    }
    return all;
  }

 private:
  void build(SharedData data, const Federation* like, const Forgotten& absent);

  const Comm comm_;
  const scenario::Scenario& scenario_;
  const std::string device_;
  std::vector<Owner> owners_;
  std::unique_ptr<Federation> federation_;
  std::unique_ptr<World> world_;
  std::vector<std::unique_ptr<Stage>> stages_;  ///< in the order of their places
  const Learning* learning_ = nullptr;          ///< one of them
};

void StagedSimulation::build(SharedData data, const Federation* like, const Forgotten& absent) {
  const int node_ranks = comm_.node().size();
  const std::vector<const ScenarioSection*> sections = ScenarioSections::instance().of(scenario_);
  owners_ = owners_of(scenario_);
  std::vector<const scenario::Root*> roots;
  bool validating = false;
  for (std::size_t i = 0; i < owners_.size(); ++i) {
    const OwnerNeeds needs =
        with_owner_path(i, [&] { return needs_of(scenario_, sections, owners_[i], i, data.train); });
    roots.push_back(needs.root ? owners_[i].root : nullptr);
    validating = validating || needs.validators;
  }
  check_attacks(scenario_, validating);
  require_room_for_models(scenario_, data.train, owners_.size(), node_ranks, comm_.size());
  federation_ = std::make_unique<Federation>(scenario_, device_, std::move(data), roots, validating);
  if (like != nullptr) {
    federation_->recast(*like);
    federation_->forget(like->forgotten());
  }
  federation_->forget(absent);
  world_ = std::make_unique<World>(World{comm_, scenario_, owners_, *federation_, device_, stages_});
  for (const ScenarioSection* section : sections) stages_.push_back(section->make(*world_));
  auto learning = std::make_unique<Learning>(*world_, stages_);
  learning_ = learning.get();
  const auto after =
      std::ranges::find_if(sections, [](const ScenarioSection* s) { return s->place > Place::learning; });
  stages_.insert(stages_.begin() + (after - sections.begin()), std::move(learning));
  require_memory(estimate(comm_.size()), node_ranks);
}

RunEstimate StagedSimulation::estimate(int ranks) const {
  RunEstimate estimate;
  const auto models = static_cast<double>(owners_.size());
  const Task& task = federation_->task();
  estimate.clients = federation_->population().clients();
  estimate.updates_per_round = federation_->selector().wanted();
  estimate.parameters = federation_->parameters();
  estimate.malicious_per_round = federation_->expected_malicious();
  if (learning_->model(0).needs().tolerated_f) estimate.tolerated_f = learning_->model(0).tolerated_f();
  for (std::size_t i = 0; i < owners_.size(); ++i) {
    const MessageBytes& messages = learning_->model(i).messages();
    estimate.bytes_down_per_round += static_cast<double>(estimate.updates_per_round) * messages.model;
    estimate.bytes_up_per_round += static_cast<double>(estimate.updates_per_round) * messages.update;
  }
  estimate.flops_per_test = models * task.forward_flops() * static_cast<double>(task.units(Split::test));
  estimate.parts = federation_->footprints();
  estimate.parts.push_back(
      {"network", task.footprint(federation_->largest_batch(), scenario_.evaluation().batch_size())});
  for (const auto& stage : stages_) {
    for (PartFootprint& part : stage->footprints(ranks)) estimate.parts.push_back(std::move(part));
  }
  estimate.parts.push_back({"checkpoints", checkpoint_footprint()});
  estimate.parts.push_back({"program", program_footprint(ranks)});
  return estimate;
}

}  // namespace

std::unique_ptr<Simulation> make_simulation(const Comm& comm, const scenario::Scenario& scenario,
                                            const std::string& device, SharedData data, const Federation* like,
                                            const Forgotten& absent) {
  if (data.memory == nullptr) data = load_shared_data(comm, scenario.task().data(), scenario.seed());
  return std::make_unique<StagedSimulation>(comm, scenario, device, std::move(data), like, absent);
}

}  // namespace souk
