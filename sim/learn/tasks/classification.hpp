#pragma once

#include <cstddef>
#include <span>

#include "sim/learn/tasks/class_tally.hpp"
#include "sim/learn/tasks/row_task.hpp"

namespace souk {

/// Classes of rows. Quality is accuracy; a tally is that of class_tally.hpp.
class Classification final : public RowTask {
 public:
  using RowTask::RowTask;
  std::size_t tally_size() const override { return class_tally_size(static_cast<std::size_t>(classes())); }
  Scores scores(std::span<const double> sums) const override;
  const char* quality_name() const override { return "accuracy"; }

 private:
  void tally_answers(std::span<const float> outputs, std::span<const double> losses, const Targets& targets,
                     std::span<double> sums) const override;
};

}  // namespace souk
