#pragma once

#include <memory>
#include <span>
#include <vector>

#include "agents/unlearning/operator.hpp"

namespace souk {

/// The task over the data as they were before the request: the federation's own, or one over the graph before the cut
/// and the samples as they read.
class TaskBefore {
 public:
  explicit TaskBefore(const ForgettingCase& request);
  Task& task() const { return own_ != nullptr ? *own_ : federation_.task(); }

 private:
  const Federation& federation_;
  std::unique_ptr<Task> own_;
};

/// Of those who stay, the units that feel what is cut out of the graph; none where nothing is.
std::vector<DealtUnits> units_that_feel(const ForgettingCase& request, std::span<const DealtUnits> stay);

}  // namespace souk
