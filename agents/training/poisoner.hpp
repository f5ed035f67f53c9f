#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agents/cast/population.hpp"
#include "agents/training/evaluator.hpp"
#include "attacks/attack.hpp"
#include "sim/learn/task.hpp"

namespace souk::scenario {
class Scenario;
}

namespace souk {

class Archive;

/// The data attacks of all groups: decides which samples are poisoned, and lets the attacks edit them.
class Poisoner {
 public:
  /// Throws InputError for settings that the task does not allow. Everything given must outlive it.
  Poisoner(const scenario::Scenario& scenario, const Population& population, Task& task);
  ~Poisoner();
  /// To be told before every round which model it starts from; `first` are the groups that act for the first time.
  void begin_round(std::span<const float> global, std::span<const int> first);
  /// Sentences about settings that are allowed and odd.
  const std::vector<std::string>& remarks() const { return remarks_; }
  bool has_attack(int group) const { return groups_[static_cast<std::size_t>(group)] != nullptr; }
  /// What the client's group does to its mini-batches; empty where it poisons nothing. `mine`: samples it trains on,
  /// the same in every round.
  BatchEdit edit(AgentId client, RoundIndex round, std::span<const SampleIndex> mine);
  /// The same for those who look at the samples outside of training: which are poisoned depends on no batch. Where a
  /// number of each mini-batch is, as many as in a pass over `mine`, drawn by the seed. Keeps nothing.
  BatchEdit edit_of_samples(AgentId client, RoundIndex round, std::span<const SampleIndex> mine);
  /// Groups that want certain inputs to be taken for a certain class, ascending, and how their success is tested.
  std::vector<int> groups_with_goals() const;
  std::vector<TriggeredTest> tests();
  /// Clients hold less than before: of what is left, the samples that are poisoned are chosen anew.
  void forget();
  void serialize(Archive& archive);

 private:
  struct Group;
  class Model;
  DataFacts look_at_data() const;
  std::unique_ptr<Model> make_model() const;
  using Chosen = std::vector<SampleIndex>;
  Chosen choose(const Group& group, AgentId client, std::span<const SampleIndex> mine) const;
  std::size_t chosen_of(const Group& group, std::size_t eligible, std::size_t mine) const;
  BatchEdit edit_chosen(Group& group, AgentId client, RoundIndex round, std::shared_ptr<const Chosen> chosen);
  std::uint64_t seed_;
  std::size_t batch_size_;  ///< 0: all samples of a client
  const Population& population_;
  Task& task_;
  std::optional<DataFacts> facts_;  ///< none: nothing is poisoned
  std::vector<std::string> remarks_;
  std::unique_ptr<Model> now_;
  std::vector<std::unique_ptr<Group>> groups_;  ///< null: no data attack
};

}  // namespace souk
