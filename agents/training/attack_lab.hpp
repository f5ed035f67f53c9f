#pragma once

#include <span>

#include "agents/cast/validators.hpp"
#include "agents/training/poisoner.hpp"
#include "agents/training/rewirer.hpp"
#include "attacks/attack.hpp"
#include "sim/learn/task.hpp"

namespace souk {

/// Lets attackers train on their members' data once more within a round. Which rank trains a member decides nothing but
/// where.
class AttackLab final : public Lab {
 public:
  struct Setting {
    const Comm& comm;
    Task& task;
    const Validators& validators;  ///< what members do not train on
    Poisoner& poisoner;
    Rewirer& rewirer;
    std::uint64_t seed;
    RoundIndex round;
    std::uint32_t rounds;           ///< of the run
    std::span<const float> global;  ///< [dimension]
    std::span<const float> slope;   ///< as LocalContext has it
  };
  explicit AttackLab(const Setting& setting);
  ClassGradients class_gradients(std::span<const AgentId> who, std::size_t samples_per_class) override;
  ColumnMatrix train(std::span<const AgentId> who, const LabTraining& training) override;

 private:
  void train_member(std::size_t row, const LabTraining& training, std::span<const float> start,
                    std::span<const std::vector<float>> anchors, RowMatrix& rows) const;
  std::vector<std::vector<SampleIndex>> samples_by_class(std::span<const AgentId> who, std::size_t most) const;
  ColumnMatrix columns_of(RowMatrix& rows) const;
  Setting setting_;
  std::size_t trainable_;
  std::span<const Slot> tensors_;  ///< of trainable values
};

}  // namespace souk
