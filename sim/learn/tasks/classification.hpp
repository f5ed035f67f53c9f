#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sim/learn/tasks/row_task.hpp"

namespace souk {

/// Predicted class of every row of logits [samples, classes], ties to the smaller; -1 where one is NaN.
std::vector<std::int32_t> predicted_classes(std::span<const float> logits, std::size_t classes);

/// Classes of rows. Quality is accuracy. A tally holds the sum of the losses, and of every class, class after class: of
/// its samples how many are classified correctly, how many there are, how many are taken for it, and the sum of its
/// losses: four blocks of [classes].
class Classification final : public RowTask {
 public:
  using RowTask::RowTask;
  std::size_t tally_size() const override { return 1 + 4 * static_cast<std::size_t>(classes()); }
  Scores scores(std::span<const double> sums) const override;
  const char* quality_name() const override { return "accuracy"; }

 private:
  void tally_answers(std::span<const float> outputs, std::span<const double> losses, const Targets& targets,
                     std::span<double> sums) const override;
};

}  // namespace souk
