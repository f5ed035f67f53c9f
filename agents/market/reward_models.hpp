#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "agents/market/assessment.hpp"
#include "sim/base/footprint.hpp"
#include "sim/engine/round_record.hpp"
#include "sim/params/parameter_layout.hpp"
#include "sim/params/update_matrix.hpp"

namespace souk {

class Archive;

/// Models with which sellers are paid: each has taken, from the same start, a part of every step, layer by layer the
/// values of largest magnitude (Xu et al., "Gradient Driven Rewards", section 3.2). Every rank keeps its columns of all
/// of them.
class RewardModels {
 public:
  /// `start` [trainable] is what all begin with. `layout` must outlive it.
  RewardModels(const Comm& comm, const ParameterLayout& layout, std::span<const float> start, std::size_t sellers);
  /// Gives each of these sellers its share of the step [trainable]: of every layer so many values, rounded up, the
  /// largest by magnitude; of equal ones the first.
  void earn(std::span<const float> step, std::span<const AgentId> sellers, std::span<const double> shares);
  /// Quality of every seller's model; `rest` are the parameters that are not trained, as they are in the global model.
  /// Collective.
  void record(const QualityTest& quality, std::span<const float> rest, RoundRecord& record) const;
  /// Of so many sellers' models, of so many trainable values.
  static Footprint footprint(std::size_t trainable, std::size_t sellers, int ranks);
  void serialize(Archive& archive);

 private:
  const Comm& comm_;
  const ParameterLayout& layout_;
  PanelPlan plan_;
  ColumnRange columns_;               ///< this rank's
  std::vector<ColumnVector> models_;  ///< [sellers]
};

}  // namespace souk
