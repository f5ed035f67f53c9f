#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "agents/cast/forgotten.hpp"
#include "agents/cast/objective_noise.hpp"
#include "agents/cast/population.hpp"
#include "agents/cast/root_data.hpp"
#include "agents/cast/selection.hpp"
#include "agents/cast/shared_data.hpp"
#include "agents/cast/validators.hpp"
#include "sim/base/footprint.hpp"
#include "sim/engine/round_record.hpp"
#include "sim/learn/task.hpp"

namespace souk::scenario {
class Root;
class Scenario;
}  // namespace souk::scenario

namespace souk {

/// Who takes part and what they hold: what all models trained in a run share. Root data of each owner of a model,
/// validation data and what attackers have for themselves come out of the training set first; what is left is dealt to
/// the clients. Everything is the same on
/// every rank, and changes by forgetting alone, the noise in the objective with it; the task, whose work buffers do, is
/// the rank's own.
class Federation {
 public:
  /// `roots`: of the owners, in order; null for those that need none. `validating`: some rule asks validators. Throws
  /// InputError. `scenario` must outlive it.
  Federation(const scenario::Scenario& scenario, const std::string& device, SharedData data,
             std::span<const scenario::Root* const> roots, bool validating);
  const scenario::Scenario& scenario() const { return scenario_; }
  Federation(const Federation&) = delete;
  Federation& operator=(const Federation&) = delete;
  /// Takes these out of what everybody holds, and out of the graph. Who keeps anything of it is to be told.
  void forget(const Forgotten& more);
  /// The same, as if nothing but this had ever been forgotten, and every other sample read as stored.
  void forget_exactly(Forgotten all);
  /// Holds the graph as it is now, for those who look back at it after something was forgotten.
  std::shared_ptr<const ReducedGraph> graph_in_use() const { return reduced_; }
  /// All that has been.
  const Forgotten& forgotten() const { return forgotten_; }
  /// Takes the cast, data and deal of another federation of the same scenario, of whatever seed: as they were dealt.
  void recast(const Federation& like);
  /// Whether the client takes part.
  bool takes_part(AgentId client) const;
  const Dataset& train() const { return data_.train; }
  const Dataset& test() const { return data_.test; }
  const SharedData& data() const { return data_; }
  /// The data set before anything was forgotten of it, samples as they are stored.
  SharedData data_as_given() const;
  /// How samples were dealt, and the training samples as they are stored, whatever has been forgotten since.
  const Deal& deal_as_given() const { return forgotten_.empty() ? deal_.deal : dealt_; }
  const Dataset& train_as_given() const { return given_train_; }
  const Population& population() const { return population_; }
  const RepairedDeal& dealt() const { return deal_; }
  const Validators& validators() const { return *validators_; }
  const Selector& selector() const { return *selector_; }
  Task& task() const { return *task_; }
  /// What is added to what clients minimise.
  const ObjectiveNoise& noise() const { return noise_; }
  /// Takes the noise of the training of this number.
  void draw_noise(std::uint32_t training) { noise_.draw(training); }
  /// Root data of an owner; empty: it has none.
  const RootSamples& root(std::size_t owner) const { return roots_[owner]; }
  /// Samples nobody trains on, ascending; empty: nothing is held out.
  std::span<const SampleIndex> validation() const { return validation_; }
  /// Samples of the training set that attackers have for themselves, ascending; empty: there are none.
  std::span<const SampleIndex> auxiliary() const { return auxiliary_; }
  /// What a round asks of a client, for clocks and costs.
  ClientWork work_of(AgentId client) const;
  /// Samples that local training on so many passes, repetitions counted.
  std::uint64_t samples_trained(std::size_t held) const;
  /// Samples of the largest mini-batch of any client.
  std::size_t largest_batch() const;
  std::size_t parameters() const { return task_->layout().dimension(); }
  /// Of the updates of a round, rounded up.
  std::size_t expected_malicious() const;
  /// The data set, and who holds what of it.
  std::vector<PartFootprint> footprints() const;
  /// Agents and what they hold.
  SetUpRecord record() const;

 private:
  void record_classes(SetUpRecord& record) const;
  void spread_noise();
  void take_out_units();
  const scenario::Scenario& scenario_;
  SharedData data_;                              ///< whose graph and rows are what forgetting has left of them
  Graph given_;                                  ///< the graph as it was
  Dataset given_train_;                          ///< and the training samples
  std::shared_ptr<const ReducedGraph> reduced_;  ///< null: nothing is cut out of it
  Forgotten forgotten_;
  std::unique_ptr<Task> task_;
  Population population_;
  std::vector<RootSamples> roots_;
  std::vector<SampleIndex> validation_, auxiliary_;
  std::vector<RootSamples> dealt_roots_;  ///< as they were drawn, like the next two
  std::vector<SampleIndex> dealt_validation_;
  Deal dealt_;
  RepairedDeal deal_;
  std::unique_ptr<Validators> validators_;
  std::unique_ptr<Selector> selector_;
  ObjectiveNoise noise_;
};

}  // namespace souk
