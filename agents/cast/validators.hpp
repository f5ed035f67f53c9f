#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sim/base/ids.hpp"
#include "sim/data/dataset.hpp"
#include "sim/data/partitioner.hpp"
#include "sim/learn/task.hpp"

namespace souk::scenario {
class Validators;
}

namespace souk {

/// Clients as validators: what they hold out from training, who validates in a round, on which samples, and the loss of
/// a model on them class by class. Nothing is kept per client; everything follows from streams named by client and
/// round. Kabir et al., FLShield, section 4.
class Validators {
 public:
  /// `deal` and `task` must outlive it. `holding_out`: whether clients hold anything out.
  Validators(const scenario::Validators& config, bool holding_out, const Deal& deal, const Task& task,
             std::uint64_t seed);
  /// Throws InputError where no client could judge any class.
  void check() const;
  /// Samples a client trains on: all of its own, or what it does not hold out; ascending.
  std::vector<SampleIndex> training_samples(AgentId client) const;
  std::size_t training_count(AgentId client) const;
  /// Those who validate this round, ascending; `clients` are those whose updates it uses.
  std::vector<AgentId> of_round(RoundIndex round, std::span<const AgentId> clients) const;
  /// Mean loss of a model per class on the samples that a validator uses in this round, NaN for classes of which it
  /// holds out too few; [classes]. A loss that is no number counts as the largest there is.
  std::vector<double> class_losses(AgentId validator, RoundIndex round, Task& task,
                                   std::span<const float> parameters) const;
  /// What all who validate in the round use, as shares of classes, [classes]; empty: they use nothing.
  std::vector<double> class_shares_used(RoundIndex round, std::span<const AgentId> clients) const;
  /// Samples that class_losses evaluates.
  std::size_t samples_used(AgentId validator, RoundIndex round) const;

 private:
  std::size_t held_out_count(std::size_t held) const;
  std::vector<SampleIndex> shuffled(AgentId client) const;
  std::vector<SampleIndex> held_out(AgentId client) const;
  std::vector<SampleIndex> samples_of_round(AgentId validator, RoundIndex round) const;
  double holdout_;
  std::size_t per_round_, min_samples_, max_samples_;
  const Deal& deal_;
  const Task& task_;
  std::uint64_t seed_;
};

}  // namespace souk
