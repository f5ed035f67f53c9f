#pragma once

#include <memory>
#include <span>
#include <vector>

#include "agents/stage.hpp"
#include "sim/data/graphs/graph.hpp"

namespace souk {

/// A network of the scenario's kind that learns to answer about training units as a teacher does, whatever their
/// labels. Not reentrant.
class Student {
 public:
  virtual ~Student() = default;
  /// A model's logits about units, [units, classes], as whoever holds them has edited them.
  virtual std::vector<float> answers(std::span<const float> model, UnitSet units, const BatchEdit& edit) = 0;
  /// Mean divergence from a teacher's logits, [units, classes], and its gradient [trainable]. May move running
  /// statistics inside `parameters`.
  virtual double gradient(std::span<float> parameters, UnitSet units, const BatchEdit& edit, std::vector<float> teacher,
                          std::span<float> gradient) = 0;
};

/// `graph`: in which nodes are answered about; must outlive it. Contract: the task has classes.
std::unique_ptr<Student> make_student(const World& world, const Graph& graph, double temperature);

}  // namespace souk
