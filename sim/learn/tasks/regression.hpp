#pragma once

#include <span>

#include "sim/learn/tasks/row_task.hpp"

namespace souk {

/// Numbers of rows. Quality is the coefficient of determination, R² = 1 - sum (z - y)² / sum (y - mean y)²; RMSE and
/// MAE are in the units of the data, the loss in those of the scaled numbers. A tally holds the sum of the losses, the
/// number of units, and the sums of squared errors, absolute errors, numbers and their squares, scaled.
class Regression final : public RowTask {
 public:
  using RowTask::RowTask;
  std::size_t tally_size() const override { return 6; }
  Scores scores(std::span<const double> sums) const override;
  const char* quality_name() const override { return "r2"; }

 private:
  void tally_answers(std::span<const float> outputs, std::span<const double> losses, const Targets& targets,
                     std::span<double> sums) const override;
};

}  // namespace souk
